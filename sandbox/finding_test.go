package sandbox

import "testing"

func TestLocate(t *testing.T) {
	t.Parallel()
	const config = "filename = 'x'\n\n  ticker_intervall\t=2\nother == 1\nmessage_matcher=\"other = 3\"\nmessage_matcher_2 = 1\n"
	all := []Finding{{Field: "config", Key: "ticker_intervall"}, {Field: "config", Key: "other"}, {Field: "config", Key: "message_matcher"}, {Field: "source", Key: "filename"}, {Field: "config", Key: "filename", Line: 9}, {Field: "config"}}
	Locate(all, config)
	for i, want := range []int{3, 0, 5, 0, 9, 0} {
		if all[i].Line != want {
			t.Errorf("%d: %s is on line %d, want %d", i, all[i].Key, all[i].Line, want)
		}
	}
}
