package httpdoor

import (
	"testing"

	heka "sandbar/sandbox/message"
)

func TestKey(t *testing.T) {
	t.Parallel()
	for uri, want := range map[string]string{
		"/submit/sensors/reading/1/0a1b":                         "0a1b",
		"/submit/sensors/reading/1/0a1b/":                        "0a1b",
		"/submit/telemetry/0a1b/main/Firefox/80.0/release/2020":  "0a1b",
		"/submit/telemetry/0a1b/main/Firefox/80.0/release/2020/": "0a1b",
		"/submit/telemetry/reading/1/0a1b":                       "0a1b",
		"/submit/sensors":                                        "", "/": "", "": "", "/other/sensors/x/1/a": "",
	} {
		var b heka.Builder
		b.SetUUID(make([]byte, 16))
		b.SetTimestamp(1)
		b.AddString("uri", "", uri)
		if got := Key(b.AppendTo(nil)); string(got) != want || want == "" && got != nil {
			t.Errorf("%s: %q, want %q", uri, got, want)
		}
	}
	if Key([]byte("no message")) != nil || Key(nil) != nil {
		t.Error("what is no message has a key")
	}
}
