package sandbox

import (
	"errors"
	"fmt"
	"strings"

	"sandbar/sandbox/message"
)

// defaultThrottle is how long an alert of one id keeps quiet, when the config says nothing.
const defaultThrottle = 90 // minutes

// maxSummary bounds the summary of an alert in bytes; the detail is bounded by output_limit.
const maxSummary = 512

// Alerts sends a plugin's alerts: messages of Type "alert", at most one for an id in a time.
type Alerts struct {
	Throttle   float64 // minutes, unless a call says otherwise
	Thresholds Table   // of the config

	cfg      *Config
	env      *Env
	sent     *Throttles
	noted    evidence
	labels   Labels
	disabled bool
	prefix   bool
	modules  Table
}

// NewAlerts reads the table alert of the config. sent is the plugin's and survives a restart.
func NewAlerts(cfg *Config, env *Env, sent *Throttles) (*Alerts, error) {
	a := &Alerts{Throttle: defaultThrottle, cfg: cfg, env: env, sent: sent}
	table, ok := cfg.Keys["alert"].(Table)
	if !ok {
		return nil, errors.New("the config needs a table alert = {throttle = minutes, modules = {...}}")
	}
	a.disabled, _ = table["disabled"].(bool)
	a.prefix, _ = table["prefix"].(bool)
	if m, ok := table["throttle"].(float64); ok && m >= 0 {
		a.Throttle = m
	}
	a.Thresholds, _ = table["thresholds"].(Table)
	labels, _ := table["labels"].(Table)
	var err error
	if a.labels, err = labelsOf(labels); err != nil {
		return nil, err
	}
	a.modules, ok = table["modules"].(Table)
	if !ok || len(a.modules) == 0 && !a.disabled {
		return nil, errors.New("no alert modules were specified; the web page shows all alerts of: alert = {modules = {web = {}}}")
	}
	return a, nil
}

// Send sends an alert unless one of its id was sent less than so many minutes ago, and says whether it did. more are labels beside those of the config.
func (a *Alerts) Send(out *Outbox, id, summary, detail string, minutes float64, more Labels) (bool, error) {
	id, summary = cut(id, maxAlertID), cut(summary, maxSummary)
	if a.disabled || summary == "" || a.Throttled(id, minutes) {
		return false, nil
	}
	labels, err := a.labels.with(more)
	if err != nil {
		return false, err
	}
	if a.prefix {
		summary = fmt.Sprintf("Sandbar [%s#%s] - %s", a.cfg.Logger(), id, summary)
		detail = fmt.Sprintf("Hostname: %s\nPid: %d\n\n%s", a.env.Hostname, a.env.Pid, detail)
	}
	b, err := out.New()
	if err != nil {
		return false, err
	}
	if err := out.Room(int64(len(detail) + len(id) + len(summary) + labels.size())); err != nil {
		return false, err
	}
	b.SetHeader(message.Type, message.TypeAlert)
	b.SetSeverity(1)
	b.SetHeader(message.Payload, detail)
	b.AddString(message.FieldAlertID, "", id)
	b.AddString(message.FieldSummary, "", summary)
	if minutes > 0 { // instances of the plugin in other partitions know nothing of this one
		b.AddDouble(message.FieldThrottle, "min", minutes)
	}
	if to := a.recipients(); len(to) > 0 {
		b.AddString("email.recipients", "", to...)
	}
	for _, name := range labels.names() {
		b.AddString(message.LabelPrefix+name, "", labels[name])
	}
	if places := a.evidence(id); len(places) > 0 {
		b.AddString(message.FieldEvidence, "", places...)
	}
	if irc, ok := a.modules["irc"].(Table); ok {
		if target, ok := irc["target"].(string); ok {
			b.AddString("irc.target", "", target)
		}
	}
	if err := out.Send(); err != nil {
		return false, err
	}
	a.sent.remember(id, a.env.Now(), a.Throttle)
	return true, nil
}

// Note says that the message at hand is evidence for alerts of an id. The newest few are kept until such an alert is sent.
func (a *Alerts) Note(id string) {
	if a.env.Here != nil && !a.disabled {
		a.noted.note(cut(id, maxAlertID), a.env.Here())
	}
}

// evidence is what was noted for an id, or else what the plugin is called for, or was last.
func (a *Alerts) evidence(id string) []string {
	if noted := a.noted.take(id); noted != nil || a.env.Here == nil {
		return noted
	}
	here := a.env.Here()
	return here[max(0, len(here)-maxEvidence):]
}

// Over says that what alerts of an id were about is as usual again, if one was sent since that was said before. The next alert of the id is not throttled by those before.
func (a *Alerts) Over(out *Outbox, id, detail string) (bool, error) {
	id = cut(id, maxAlertID)
	if a.disabled || !a.sent.any(id) {
		return false, nil
	}
	b, err := out.New()
	if err != nil {
		return false, err
	}
	if err := out.Room(int64(len(detail) + len(id))); err != nil {
		return false, err
	}
	b.SetHeader(message.Type, message.TypeOver)
	b.SetSeverity(6)
	b.SetHeader(message.Payload, detail)
	b.AddString(message.FieldAlertID, "", id)
	b.AddString(message.FieldSummary, "", cut(id+" is over", maxSummary))
	if err := out.Send(); err != nil {
		return false, err
	}
	a.sent.forget(id)
	return true, nil
}

func (a *Alerts) recipients() []string {
	email, _ := a.modules["email"].(Table)
	to, _ := email["recipients"].(Table)
	var list []string
	for i := 1; i <= len(to); i++ {
		if s, ok := to[float64(i)].(string); ok {
			list = append(list, "<"+s+">")
		}
	}
	return list
}

// Throttled says whether an alert of the id keeps quiet.
func (a *Alerts) Throttled(id string, minutes float64) bool {
	return minutes > 0 && a.sent.quiet(cut(id, maxAlertID), a.env.Now(), minutes)
}

// Threshold is that of the id, or of "*", or "_default_"; nil when there is none.
func (a *Alerts) Threshold(id string) any {
	for _, key := range [...]string{id, "*", "_default_"} {
		if v, ok := a.Thresholds[key]; ok {
			return v
		}
	}
	return nil
}

// cut bounds a text to so many bytes of whole characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most-len("…")], "") + "…"
}
