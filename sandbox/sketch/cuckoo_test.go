package sketch

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

func filter(t testing.TB, items int) *CuckooExpire {
	t.Helper()
	c, err := NewCuckooExpire(items, 6)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const tick = 6 * minuteNS // one interval

func TestArguments(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		items, minutes int
		ok             bool
	}{{256, 1, false}, {257, 1, true}, {1000, 0, false}, {1000, 1440, true}, {1000, 1441, false}, {maxItems + 1, 1, false}, {-1, 1, false}} {
		if _, err := NewCuckooExpire(c.items, c.minutes); (err == nil) != c.ok {
			t.Errorf("%d items, %d minutes: %v", c.items, c.minutes, err)
		}
	}
}

func TestWindow(t *testing.T) {
	t.Parallel()
	c := filter(t, 1000)
	steps := []struct {
		at       int64
		added    bool
		delta    int
		inWindow bool
	}{
		{1000, true, 0, true},
		{1000, false, 0, true},
		{1003, false, 3, true},
		{1001, false, 2, true},   // out of order: the newer time stays
		{1258, false, 255, true}, // renewed by 1003
		{1514, true, 0, true},    // 256 later it is forgotten
		{1258, false, 0, false},  // older than the window
	}
	for i, s := range steps {
		added, delta, inWindow := c.Add("key", s.at*tick+5)
		if added != s.added || delta != s.delta || inWindow != s.inWindow {
			t.Errorf("step %d at %d: %v %d %v, want %v %d %v", i, s.at, added, delta, inWindow, s.added, s.delta, s.inWindow)
		}
	}
	if found, at := c.Query("key"); !found || at != 1514%256 {
		t.Errorf("query: %v %d", found, at)
	}
	if ns, i := c.CurrentInterval(); ns != 1514*tick || i != 1514%256 {
		t.Errorf("current interval %d %d", ns, i)
	}
	if !c.Delete("key") || c.Delete("key") || c.Count() != 0 {
		t.Error("delete")
	}
}

// TestModel compares with a map: no key that is in the window is forgotten below the load limit.
func TestModel(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		c, err := NewCuckooExpire(2000, 6)
		if err != nil {
			t.Fatal(err)
		}
		last, now := map[string]int64{}, int64(5000)
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			now += rapid.Int64Range(0, 40).Draw(t, "later")
			key := fmt.Sprint(rapid.IntRange(0, 30).Draw(t, "key"))
			before, known := last[key]
			known = known && before > now-intervals
			added, delta, in := c.Add(key, now*tick)
			if !in || added == known || known && delta != int(now-before) {
				t.Fatalf("%s at %d, before at %d %v: %v %d %v", key, now, before, known, added, delta, in)
			}
			last[key] = now
			if rapid.IntRange(0, 9).Draw(t, "again") == 0 {
				if c, err = ReviveCuckooExpire(string(c.AppendState(nil))); err != nil {
					t.Fatal(err)
				}
			}
		}
		n := 0
		for _, at := range last {
			if at > now-intervals {
				n++
			}
		}
		if c.Count() != n {
			t.Fatalf("%d keys are known, want %d", c.Count(), n)
		}
	})
}

// TestFull holds what happens beyond the load limit: older intervals go, newer ones stay.
func TestFull(t *testing.T) {
	t.Parallel()
	c := filter(t, 1000)
	for i := range 10_000 {
		c.Add(fmt.Sprint(i), (1000+int64(i)/100)*tick)
	}
	missing := 0
	for i := 9_500; i < 10_000; i++ {
		if found, _ := c.Query(fmt.Sprint(i)); !found {
			missing++
		}
	}
	if missing > 0 || c.Count() > 1024 {
		t.Errorf("%d of the newest 500 keys are missing, %d are known", missing, c.Count())
	}
}

func TestFalsePositives(t *testing.T) {
	t.Parallel()
	c := filter(t, 100_000)
	wrong := 0
	for i := range 80_000 {
		if added, _, _ := c.Add(fmt.Sprint("key", i), 1000*tick); !added {
			wrong++
		}
	}
	if wrong > 1 {
		t.Errorf("%d of 80000 new keys were taken for known ones", wrong)
	}
}

func FuzzCuckooState(f *testing.F) {
	c := filter(f, 300)
	c.Add("a", tick*9)
	f.Add(string(c.AppendState(nil)))
	f.Fuzz(func(t *testing.T, s string) {
		c, err := ReviveCuckooExpire(s)
		if err != nil {
			return
		}
		if again, err := ReviveCuckooExpire(string(c.AppendState(nil))); err != nil || again.Count() != c.Count() {
			t.Errorf("a state that was read is written differently: %v", err)
		}
	})
}

func BenchmarkAdd(b *testing.B) {
	c := filter(b, 1<<20)
	keys := make([]string, 1<<16)
	for i := range keys {
		keys[i] = fmt.Sprint("/submit/telemetry/", i)
	}
	b.ReportAllocs()
	for i := range b.N {
		c.Add(keys[i&(len(keys)-1)], 1000*tick)
	}
}
