package cmd

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox/message"
)

// sumOf adds the numbers of a payload that several partitions have made.
func (p *process) sumOf(plugin, payload string) (sum int) {
	for line := range strings.SplitSeq(p.text(plugin, payload), "\n") {
		if n, err := strconv.Atoi(line); err == nil {
			sum += n
		}
	}
	return sum
}

// TestStorm: three hosts, six partitions. Hosts are killed, the broker is killed, and ways between them are cut, in random order under
// load. Everything that was answered is on valid or errors once, and in the lake; counters are those of an undisturbed run; an
// alert is told once. SANDBAR_KILLS says how many hosts are killed; the broker is a sixth as often, and a third as many ways
// are cut.
func TestStorm(t *testing.T) {
	t.Parallel()
	kills := 3
	if s := os.Getenv("SANDBAR_KILLS"); s != "" {
		var err error
		if kills, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	seed := uint64(time.Now().UnixNano())
	if s := os.Getenv("SANDBAR_SEED"); s != "" {
		fmt.Sscan(s, &seed)
	}
	t.Logf("SANDBAR_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 0))
	r := newRig(t, 6, 3)
	for i := range 3 {
		r.start(i)
	}
	r.served()
	first := r.running()[0]
	alerting := "alert = {throttle = 100000, modules = {web = {}}}\n"
	telling := `local alert = require "heka.alert"
` + strings.Replace(counter, "function timer_event()", `function timer_event() if n > 0 then alert.send("seen", "something was seen", "of a kind") end`, 1)
	first.deploy("analysis", "parts", counting+alerting, telling)
	first.deploy("analysis", "whole", counting+alerting+"scope = \"global\"\n", telling)
	until(t, 30*time.Second, "the counters to run in all partitions", func() bool {
		return strings.Count(first.text("analysis.parts", "total"), "partition") == 6 && first.text("analysis.whole", "total") == "0"
	})

	var actions []string
	for range kills {
		actions = append(actions, "kill")
	}
	for range max(1, kills/6) {
		actions = append(actions, "broker")
	}
	for range max(1, kills/3) {
		actions = append(actions, "cut")
	}
	random.Shuffle(len(actions), func(i, j int) { actions[i], actions[j] = actions[j], actions[i] })
	pause := func(most time.Duration) { <-time.After(time.Duration(random.Int64N(int64(most)))) }
	r.under(func() {
		for _, a := range actions {
			i := random.IntN(3)
			switch a {
			case "kill":
				r.out(i).kill()
				pause(3 * time.Second)
				r.start(i)
			case "broker":
				r.broker.Kill()
				pause(4 * time.Second)
				r.out(i).kill() // what starts without brokers takes submissions nevertheless
				r.start(i)
				pause(2 * time.Second)
				r.broker.Start()
			case "cut": // sometimes longer than a host may be silent
				r.broker.Via[i].Cut()
				pause(12 * time.Second)
				r.broker.Via[i].Mend()
			}
			for j, p := range r.hosts { // one may have ended by itself
				select {
				case err := <-p.done:
					t.Errorf("host %d has ended after %s: %v\n%.3000s", j, a, err, p.logged())
					r.start(j)
				default:
				}
			}
			pause(3 * time.Second)
		}
	})
	r.settle()
	valid, alerts := len(topicMessages(t, r.broker.Addr, "sandbar.valid")), map[string]int{}
	for _, v := range topicMessages(t, r.broker.Addr, "sandbar.derived") {
		if header(&v, message.Type) == message.TypeAlert {
			alerts[cmp.Or(header(&v, message.Logger), "?")]++
		}
	}
	if alerts["analysis.whole"] != 1 || alerts["analysis.parts"] > 6 {
		t.Errorf("alerts on derived: %v", alerts)
	}
	for _, p := range r.running() {
		for _, name := range []string{"analysis.parts", "analysis.whole"} {
			until(t, 60*time.Second, fmt.Sprintf("%s to have counted %d", name, valid), func() bool { return p.sumOf(name, "total") == valid })
		}
		var list struct {
			Alerts []struct{ Logger, ID string }
		}
		p.get("/alerts?n=100", &list)
		told := map[string]int{}
		for _, a := range list.Alerts {
			told[a.Logger+" "+a.ID]++
		}
		if told["analysis.whole seen"] != 1 || told["analysis.parts seen"] != 1 {
			t.Errorf("alerts told: %v", told)
		}
	}
	t.Logf("%d kills of hosts, %d of the broker, %d cuts", kills, max(1, kills/6), max(1, kills/3))
	r.check()
}
