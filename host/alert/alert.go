// Package alert is the view behind the alerts page and the marks on graphs: the history of what plugins
// warned of. It follows stream derived and keeps its position in the same file as the history.
//
// It knows alert messages; it must not know who is told of them, nor whether anybody looked.
package alert

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"sandbar/sandbox/message"
)

// Bounds of one alert. Longer texts are cut, further fields are left out: somebody should still see it.
const (
	maxText   = 16 << 10
	maxName   = 255
	maxFields = 32 + 2 // and the two of the history
	maxValues = 32
	maxBytes  = 64 << 10 // of all fields together

	maxEvidence = 3
	maxThrottle = 60 * 24 * 365 // minutes
)

// Alert is one warning of a plugin.
type Alert struct {
	Key      string    `json:"key"`                // names it, in links
	Version  uint64    `json:"version"`            // of the view, when it came: newer alerts have a greater one
	Position string    `json:"position,omitempty"` // of its message in stream derived
	Began    time.Time `json:"began"`              // when the incident that it belongs to began
	ID       string    `json:"id"`                 // what the plugin calls its subject; often a payload's name
	Summary  string    `json:"summary"`
	Detail   string    `json:"detail"`
	Severity int32     `json:"severity"`
	Logger   string    `json:"logger"`
	Hostname string    `json:"hostname,omitempty"`
	Time     time.Time `json:"time"`           // the message's timestamp
	Over     bool      `json:"over,omitempty"` // it says that the subject is as usual again
	Fields   []Field   `json:"fields,omitempty"`
	Evidence []string  `json:"-"` // STREAM/POSITION of the messages that caused it

	throttle time.Duration // in which no other alert of the id is wanted
}

// Field is a further field of the message, such as email.recipients.
type Field struct {
	Name   string   `json:"name"`
	Values []string `json:"values"`
}

// Decode makes an alert of a message, as the history has it. It reports false when the message is none.
func Decode(v *message.View) (Alert, bool) {
	typ, _ := v.Header(message.Type)
	if string(typ) != message.TypeAlert && string(typ) != message.TypeOver {
		return Alert{}, false
	}
	a := Alert{
		Over:   string(typ) == message.TypeOver,
		Detail: header(v, message.Payload, maxText), Severity: v.Severity(),
		Logger: header(v, message.Logger, maxName), Hostname: header(v, message.Hostname, maxName),
		Time: time.Unix(0, v.Timestamp()).UTC(),
	}
	room := maxBytes
	var id, summary bool
	for f := range v.Fields() {
		name := clip(f.Name(), maxName)
		switch {
		case name == message.FieldAlertID && !id:
			a.ID, id = first(f, maxName), true
		case name == message.FieldThrottle:
			minutes, _ := f.Double(0)
			a.throttle = time.Duration(min(max(0, minutes), maxThrottle) * float64(time.Minute))
		case name == message.FieldSummary && !summary:
			a.Summary, summary = first(f, maxText), true
		case name == message.FieldEvidence && a.Evidence == nil:
			for i := range min(f.Len(), maxEvidence) {
				a.Evidence = append(a.Evidence, clip(value(f, i), maxName))
			}
		case len(a.Fields) < maxFields && room > 0:
			values := values(f, &room)
			a.Fields = append(a.Fields, Field{Name: name, Values: values})
		}
	}
	a.Key = a.key()
	return a, true
}

// Labels are what its plugin said it is about beside its ID.
func (a *Alert) Labels() map[string]string {
	var all map[string]string
	for _, f := range a.Fields {
		if name, ok := strings.CutPrefix(f.Name, message.LabelPrefix); ok && len(f.Values) > 0 {
			if all == nil {
				all = map[string]string{}
			}
			all[name] = f.Values[0]
		}
	}
	return all
}

// key is the same for the same alert, whoever reads it and whenever.
func (a *Alert) key() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %q %q %q %q", a.Time.UnixNano(), a.Logger, a.ID, a.Summary, a.Detail))
	return hex.EncodeToString(sum[:8])
}

// Fields that the history adds to an alert's message in its own file. They are the first, so that none of a plugin is taken for one.
const (
	fieldPosition = "sandbar.position"
	fieldBegan    = "sandbar.began"
)

// restore reads a message that encode has written.
func restore(v *message.View) (Alert, bool) {
	a, ok := Decode(v)
	for len(a.Fields) > 0 && (a.Fields[0].Name == fieldPosition || a.Fields[0].Name == fieldBegan) {
		if f := a.Fields[0]; f.Name == fieldPosition && a.Position == "" && len(f.Values) == 1 {
			a.Position = f.Values[0]
		} else if ns, err := strconv.ParseInt(strings.Join(f.Values, ""), 10, 64); f.Name == fieldBegan && a.Began.IsZero() && err == nil {
			a.Began = time.Unix(0, ns).UTC()
		} else {
			break // a plugin's own
		}
		a.Fields = a.Fields[1:]
	}
	if len(a.Fields) == 0 {
		a.Fields = nil
	}
	return a, ok
}

// encode is the message that restore makes the same alert of.
// kind is the Type of its message.
func (a *Alert) kind() string {
	if a.Over {
		return message.TypeOver
	}
	return message.TypeAlert
}

func (a *Alert) encode(dst []byte) []byte {
	var b message.Builder
	b.SetTimestamp(a.Time.UnixNano())
	b.SetHeader(message.Type, a.kind())
	b.SetHeader(message.Logger, a.Logger)
	b.SetHeader(message.Hostname, a.Hostname)
	b.SetHeader(message.Payload, a.Detail)
	b.SetSeverity(a.Severity)
	b.AddString(message.FieldAlertID, "", a.ID)
	b.AddString(message.FieldSummary, "", a.Summary)
	if a.throttle > 0 {
		b.AddDouble(message.FieldThrottle, "min", a.throttle.Minutes())
	}
	if a.Position != "" {
		b.AddString(fieldPosition, "", a.Position)
	}
	b.AddInt(fieldBegan, "", a.Began.UnixNano())
	if len(a.Evidence) > 0 {
		b.AddString(message.FieldEvidence, "", a.Evidence...)
	}
	for _, f := range a.Fields {
		b.AddString(f.Name, "", f.Values...)
	}
	return b.AppendTo(dst)
}

// Wanted says whether a matcher takes the alert's message, as far as the history has it.
func (a *Alert) Wanted(match func(v *message.View) bool) bool {
	var v message.View
	return v.Parse(a.encode(nil)) == nil && match(&v)
}

// size is about what an alert takes of the history's bound.
func (a *Alert) size() int64 {
	n := 320 + len(a.Position) + len(a.ID) + len(a.Summary) + len(a.Detail) + len(a.Logger) + len(a.Hostname)
	for _, place := range a.Evidence {
		n += 16 + len(place)
	}
	for _, f := range a.Fields {
		n += 64 + len(f.Name)
		for _, v := range f.Values {
			n += 16 + len(v)
		}
	}
	return int64(n)
}

func header(v *message.View, h message.Header, most int) string {
	b, _ := v.Header(h)
	return clip(b, most)
}

func first(f message.Field, most int) string {
	b, _ := f.Bytes(0)
	return clip(b, most)
}

func values(f message.Field, room *int) []string {
	var out []string
	for i := 0; i < f.Len() && i < maxValues && *room > 0; i++ {
		s := clip(value(f, i), min(maxText, *room))
		*room -= len(s) + 16
		out = append(out, s)
	}
	return out
}

func value(f message.Field, i int) []byte {
	switch f.Type() {
	case message.Integer:
		n, _ := f.Int(i)
		return strconv.AppendInt(nil, n, 10)
	case message.Double:
		d, _ := f.Double(i)
		return strconv.AppendFloat(nil, d, 'g', -1, 64)
	case message.Bool:
		t, _ := f.Bool(i)
		return strconv.AppendBool(nil, t)
	}
	b, _ := f.Bytes(i)
	return b
}

// clip makes valid UTF-8 of at most most bytes.
func clip(b []byte, most int) string {
	if len(b) > most {
		b = b[:most]
	}
	s := strings.ToValidUTF8(string(b), "\uFFFD")
	for len(s) > most { // the marks are longer than what they replace
		s = strings.ToValidUTF8(s[:most], "")
	}
	return s
}
