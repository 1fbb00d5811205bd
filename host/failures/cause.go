package failures

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Cause is why submissions were refused, all of one kind together.
type Cause struct {
	Key       string    `json:"key"` // names it, in links
	Type      string    `json:"type"`
	Namespace string    `json:"namespace"`
	DocType   string    `json:"doc_type,omitempty"`
	Path      string    `json:"path,omitempty"`    // in the document, as the schema has it; * for any item
	Keyword   string    `json:"keyword,omitempty"` // of the schema
	Error     string    `json:"error"`             // of the newest
	First     time.Time `json:"first"`
	Last      time.Time `json:"last"`
	Count     int64     `json:"count"`
	Minutes   []int     `json:"minutes"` // how many in each of the last 60 minutes, the newest last
	Samples   []string  `json:"samples"` // positions of the newest, the newest first
}

const (
	maxCauses   = 1000
	keptSamples = 5
	rateMinutes = 60
	maxShown    = 500 // bytes of an error
)

// cause is a Cause while it is counted.
type cause struct {
	Cause
	minute [rateMinutes]int64 // which minute a count is of
	counts [rateMinutes]int
}

func minuteOf(t time.Time) int64 { return t.Unix() / 60 }

func (c *cause) note(f *Failure) {
	if c.Count == 0 || f.Time.Before(c.First) {
		c.First = f.Time
	}
	if !f.Time.Before(c.Last) {
		c.Last = f.Time
	}
	c.Count++
	c.Error = f.Error[:min(len(f.Error), maxShown)]
	c.Samples = slices.Insert(c.Samples, 0, f.Position)
	c.Samples = c.Samples[:min(len(c.Samples), keptSamples)]
	m := minuteOf(f.Time)
	if i := m % rateMinutes; i >= 0 {
		if c.minute[i] < m {
			c.minute[i], c.counts[i] = m, 0
		}
		if c.minute[i] == m {
			c.counts[i]++
		}
	}
}

// told is the cause as others may have it.
func (c *cause) told(now time.Time) Cause {
	out := c.Cause
	out.Samples = slices.Clone(c.Samples)
	out.Minutes = make([]int, rateMinutes)
	for k := range out.Minutes {
		m := minuteOf(now) - rateMinutes + 1 + int64(k)
		if i := m % rateMinutes; i >= 0 && c.minute[i] == m {
			out.Minutes[k] = c.counts[i]
		}
	}
	return out
}

// What differs between errors of one cause: numbers, and what is quoted from the document.
var (
	quoted  = regexp.MustCompile(`'[^']*'|"[^"]*"|` + "`[^`]*`")
	hexes   = regexp.MustCompile(`\b[0-9a-fA-F]{8}[0-9a-fA-F-]{8,}\b`)
	uri     = regexp.MustCompile(`/[^\s:,]+`)
	numbers = regexp.MustCompile(`[0-9]+`)
	index   = regexp.MustCompile(`/[0-9]+(/|$)`)
)

// causeOf finds out what a failure is counted as.
func causeOf(f *Failure) Cause {
	c := Cause{Type: f.Type, Namespace: f.Namespace, DocType: f.DocType}
	var detail struct{ Path, Keyword string }
	if f.Detail != "" && json.Unmarshal([]byte(f.Detail), &detail) == nil && detail.Keyword != "" {
		c.Path, c.Keyword = index.ReplaceAllString(index.ReplaceAllString(detail.Path, "/*$1"), "/*$1"), detail.Keyword // twice: neighbours share a slash
	}
	text := ""
	if c.Keyword == "" {
		text = f.Error[:min(len(f.Error), maxShown)]
		text = quoted.ReplaceAllString(text, "…")
		text = hexes.ReplaceAllString(text, "…")
		text = uri.ReplaceAllString(text, "/…")
		text = numbers.ReplaceAllString(text, "N")
	}
	if f.Type == "uri" {
		c.DocType = ""
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%q %q %q %q %q %q", c.Type, c.Namespace, c.DocType, c.Path, c.Keyword, text))
	c.Key = hex.EncodeToString(sum[:8])
	return c
}

// count counts a failure as what it is. w.mu is held.
func (w *View) count(f *Failure) {
	of := causeOf(f)
	f.Cause = of.Key
	c := w.causes[of.Key]
	if c == nil {
		if len(w.causes) >= maxCauses {
			oldest := ""
			for k, d := range w.causes {
				if oldest == "" || d.Last.Before(w.causes[oldest].Last) {
					oldest = k
				}
			}
			delete(w.causes, oldest)
		}
		c = &cause{Cause: of}
		w.causes[of.Key] = c
	}
	c.note(f)
}

// Causes are those of the failures that this view has read, the newest first. It counts from the oldest failure that was there when the host started.
func (w *View) Causes() []Cause {
	now := w.opt.Now()
	w.mu.Lock()
	defer w.mu.Unlock()
	list := make([]Cause, 0, len(w.causes))
	for _, c := range w.causes {
		list = append(list, c.told(now))
	}
	slices.SortFunc(list, func(a, b Cause) int { return cmp.Or(b.Last.Compare(a.Last), cmp.Compare(a.Key, b.Key)) })
	return list
}
