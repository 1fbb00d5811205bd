package cmd

import (
	"os/exec"
	"strings"
	"testing"
	"time"
)

// TestAmtool: Alertmanager's own command line sees what fires here, silences it, and ends that.
func TestAmtool(t *testing.T) {
	t.Parallel()
	program, err := exec.LookPath("amtool")
	if err != nil {
		t.Skip("there is no amtool in the path; .ci/run installs it")
	}
	p := start(t, t.TempDir(), "serve")
	amtool := func(args ...string) string {
		t.Helper()
		out, err := exec.CommandContext(t.Context(), program, append([]string{"--alertmanager.url=" + p.url + "/alertmanager"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("amtool %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	p.deploy("analysis", "alarm", alarmingConfig, alarming)
	until(t, 30*time.Second, "the alerts", func() bool { return strings.Contains(amtool("alert", "query"), "Rates") })
	if said := amtool("alert", "query", "alertname=Other"); strings.Contains(said, "Rates") || !strings.Contains(said, "Other") {
		t.Errorf("%s", said)
	}
	id := amtool("silence", "add", "plugin=analysis.alarm", "alertname=Rates", "--comment=we know", "--author=ann", "--duration=2h")
	var list struct {
		Silences []struct{ ID, Plugin, Subject, Why, Author string }
	}
	p.get("/silences", &list)
	if len(list.Silences) != 1 || list.Silences[0].ID != id || list.Silences[0].Plugin != "analysis.alarm" || list.Silences[0].Subject != "Rates" || list.Silences[0].Why != "we know" || !strings.HasPrefix(list.Silences[0].Author, "ann (") {
		t.Errorf("%+v, %s", list, id)
	}
	if said := amtool("silence", "query"); !strings.Contains(said, "we know") || !strings.Contains(said, id) {
		t.Errorf("%s", said)
	}
	if said := amtool("alert", "query", "--silenced"); !strings.Contains(said, "Rates") {
		t.Errorf("%s", said)
	}
	amtool("silence", "expire", id)
	if p.get("/silences", &list); len(list.Silences) != 0 {
		t.Errorf("%+v", list)
	}
	if out, err := exec.CommandContext(t.Context(), program, "--alertmanager.url="+p.url+"/alertmanager", "silence", "add", "plugin=~.*", "--comment=x").CombinedOutput(); err == nil {
		t.Errorf("a silence of all plugins: %s", out)
	}
	p.stop()
}
