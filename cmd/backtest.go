package cmd

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"sandbar/host/try"
)

// lookBack is a duration that may also be in days: 7d.
type lookBack time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (d *lookBack) UnmarshalText(text []byte) error {
	if days, ok := strings.CutSuffix(string(text), "d"); ok {
		n, err := strconv.ParseFloat(days, 64)
		if err != nil || !(n >= 0 && n <= 36_500) {
			return fmt.Errorf("%q is no number of days", text)
		}
		*d = lookBack(n * 24 * float64(time.Hour))
		return nil
	}
	v, err := time.ParseDuration(string(text))
	*d = lookBack(v)
	return err
}

// sameAlert is how far apart alerts of one subject are that tell of the same.
const sameAlert = 10 * time.Minute

const shownAlerts = 30 // of a comparison

// judged is an alert of a back-test: which of two versions would have sent it.
type judged struct {
	try.Alert
	now, before bool
}

// backTest puts the alerts that a version would have sent next to those of the one before, by time.
func backTest(now, before []try.Alert) []judged {
	all := make([]judged, 0, len(now)+len(before))
	taken := make([]bool, len(before))
	for _, a := range now {
		i := -1
		for k, b := range before {
			if !taken[k] && a.ID == b.ID && a.Time.Sub(b.Time).Abs() <= sameAlert {
				i = k
				break
			}
		}
		if i >= 0 {
			taken[i] = true
		}
		all = append(all, judged{a, true, i >= 0})
	}
	for k, b := range before {
		if !taken[k] {
			all = append(all, judged{b, false, true})
		}
	}
	slices.SortStableFunc(all, func(a, b judged) int { return a.Time.Compare(b.Time) })
	return all
}

// printBackTest says which alerts are new, which are gone, and which stay.
func printBackTest(w io.Writer, r *try.Report) {
	all := backTest(r.Tried.Alerts, r.Running.Alerts)
	if len(all) == 0 {
		return
	}
	fmt.Fprintf(w, "     alerts as it is here (+), of version %d (-), of both (=)\n", r.Version)
	for _, a := range all[:min(len(all), shownAlerts)] {
		mark := "="
		switch {
		case !a.before:
			mark = "+"
		case !a.now:
			mark = "-"
		}
		fmt.Fprintf(w, "     %s %s %s: %s\n", mark, a.Time.Format(time.DateTime), printable([]byte(a.ID)), printable([]byte(a.Summary)))
	}
	if more := int(r.Tried.Alerted) - len(r.Tried.Alerts) + int(r.Running.Alerted) - len(r.Running.Alerts) + max(0, len(all)-shownAlerts); more > 0 {
		fmt.Fprintf(w, "       and %d more\n", more)
	}
}
