package webhook

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"strings"
	"time"

	"sandbar/host/notify"
)

// Ways that Webhook delivers, each in the form of the service that it is named after.
const (
	Plain        = "webhook"      // notify.Notice as JSON, or what a template makes of it
	Slack        = "slack"        // an incoming webhook of Slack, or of what takes the same (Mattermost, Discord with /slack)
	Teams        = "teams"        // a workflow of Microsoft Teams: "when a webhook request is received"
	PagerDuty    = "pagerduty"    // Events API v2; the secret is the integration key
	Opsgenie     = "opsgenie"     // alerts of Opsgenie or Jira Service Management; the secret is the API key
	Alertmanager = "alertmanager" // the v2 API of Prometheus' Alertmanager, at the address of its page; the secret is a bearer token
)

// Ways lists them.
func Ways() []string { return []string{Plain, Slack, Teams, PagerDuty, Opsgenie, Alertmanager} }

// Standard is the address of a service that has the same for everybody; "" for others.
func Standard(way string) string {
	switch way {
	case PagerDuty:
		return "https://events.pagerduty.com/v2/enqueue"
	case Opsgenie:
		return "https://api.opsgenie.com"
	}
	return ""
}

// call is one request of a delivery.
type call struct {
	address string
	body    any // []byte is sent as it is
	typ     string
	auth    string // of the Authorization header
	signed  bool
	gone    bool // that there is nothing (404) is as good as success
}

// calls are the requests that deliver a notice. Each may be made again: they name incidents by keys that stay.
func calls(n *notify.Notice, to notify.Target) ([]call, error) {
	switch to.Way {
	case Slack:
		return []call{{address: to.Address, body: slack(n)}}, nil
	case Teams:
		return []call{{address: to.Address, body: teams(n)}}, nil
	case PagerDuty:
		return pagerDuty(n, to), nil
	case Opsgenie:
		return opsgenie(n, to), nil
	case Alertmanager:
		return []call{{address: strings.TrimRight(to.Address, "/") + "/api/v2/alerts", body: alertmanager(n), auth: bearer(to.Secret)}}, nil
	}
	if to.Template != "" {
		text, err := Render(to.Template, n)
		if err != nil { // the notice has to arrive nevertheless
			body, err2 := json.Marshal(struct {
				*notify.Notice
				TemplateError string `json:"template_error"`
			}{n, err.Error()})
			return []call{{address: to.Address, body: body, signed: true}}, err2
		}
		return []call{{address: to.Address, body: text, signed: true, typ: typeOf(text)}}, nil
	}
	return []call{{address: to.Address, body: n, signed: true}}, nil
}

func typeOf(text []byte) string {
	if json.Valid(text) {
		return "application/json"
	}
	return "text/plain; charset=utf-8"
}

func bearer(secret string) string {
	if secret == "" {
		return ""
	}
	return "Bearer " + secret
}

// Title is a notice in a line.
func Title(n *notify.Notice) string {
	switch {
	case n.Test:
		return "Sandbar: a test"
	case len(n.Firing) == 0 && len(n.Resolved) > 0:
		return fmt.Sprintf("[%s] over: %s%s", n.Plugin, n.Resolved[0].Summary, others(len(n.Resolved)+n.MoreResolved))
	case len(n.Firing) > 0:
		return fmt.Sprintf("[%s] %s%s", n.Plugin, n.Firing[0].Summary, others(len(n.Firing)+n.More))
	}
	return fmt.Sprintf("[%s] %d alerts", n.Plugin, n.More)
}

func others(n int) string {
	if n > 1 {
		return fmt.Sprintf(" and %d more", n-1)
	}
	return ""
}

// lines are the subjects of a notice: what is said, and the link; then what is only counted.
func lines(n *notify.Notice, subject func(s *notify.Subject, over bool) string) []string {
	var out []string
	for i := range n.Firing {
		out = append(out, subject(&n.Firing[i], false))
	}
	for i := range n.Resolved {
		out = append(out, subject(&n.Resolved[i], true))
	}
	if n.More > 0 {
		out = append(out, fmt.Sprintf("%d alerts about further subjects", n.More))
	}
	if n.MoreResolved > 0 {
		out = append(out, fmt.Sprintf("%d further subjects are over", n.MoreResolved))
	}
	if n.SilenceEnds != nil {
		out = append(out, "The silence about this ends at "+n.SilenceEnds.Format("15:04 MST")+", and it still fires")
	}
	if n.Digest {
		out = append(out, "The plugin raises more alerts than its budget: news of it come once an hour")
	}
	if n.Suppressed > 0 {
		out = append(out, fmt.Sprintf("%d further alerts about what you were told of", n.Suppressed))
	}
	return out
}

// Lines are a notice for people who read lines.
func Lines(n *notify.Notice) []string {
	all := lines(n, func(s *notify.Subject, over bool) string {
		text := s.Summary
		if over {
			text = "over: " + text
		}
		return strings.TrimSpace("[" + n.Plugin + "] " + text + " " + s.Link)
	})
	if len(all) == 0 || n.Test {
		return append([]string{Title(n)}, all...)
	}
	return all
}

const mostText = 2800 // bytes of one block of Slack, which takes 3000 characters

func short(s string, most int) string {
	if len(s) > most {
		return strings.ToValidUTF8(s[:most], "") + "…"
	}
	return s
}

// escapeSlack is what Slack asks for in text.
func escapeSlack(s string) string {
	return strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(s)
}

func slack(n *notify.Notice) any {
	type text struct {
		Type string `json:"type"`
		Text string `json:"text"`
	}
	type block struct {
		Type string `json:"type"`
		Text text   `json:"text"`
	}
	blocks := []block{{"header", text{"plain_text", short(Title(n), 140)}}}
	for _, l := range lines(n, func(s *notify.Subject, over bool) string {
		mark, what := ":red_circle:", escapeSlack(s.Summary)
		if over {
			mark = ":large_green_circle:"
		}
		if s.Link != "" {
			what = "<" + s.Link + "|" + strings.ReplaceAll(what, "|", "¦") + ">"
		}
		return fmt.Sprintf("%s %s\n%s", mark, what, escapeSlack(short(s.Detail, 300)))
	}) {
		if len(blocks) == 48 { // Slack takes 50
			break
		}
		blocks = append(blocks, block{"section", text{"mrkdwn", short(l, mostText)}})
	}
	return map[string]any{"text": escapeSlack(Title(n)), "blocks": blocks}
}

// teams is a message with an Adaptive Card.
func teams(n *notify.Notice) any {
	type item map[string]any
	body := []item{{"type": "TextBlock", "text": Title(n), "weight": "Bolder", "size": "Medium", "wrap": true}}
	for _, l := range lines(n, func(s *notify.Subject, over bool) string {
		what := s.Summary
		if over {
			what = "Over: " + what
		}
		if s.Detail != "" {
			what += "\n\n" + short(s.Detail, 300)
		}
		return what
	}) {
		body = append(body, item{"type": "TextBlock", "text": l, "wrap": true})
	}
	card := item{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
	for _, s := range append(append([]notify.Subject{}, n.Firing...), n.Resolved...) {
		if s.Link != "" {
			card["actions"] = []item{{"type": "Action.OpenUrl", "title": "Look", "url": s.Link}}
			break
		}
	}
	return item{"type": "message", "attachments": []item{{"contentType": "application/vnd.microsoft.card.adaptive", "content": card}}}
}

// incident is the key of a subject for services that keep incidents themselves.
func incident(n *notify.Notice, s *notify.Subject) string {
	return short("sandbar/"+n.Plugin+"/"+s.ID, 250)
}

func pagerDuty(n *notify.Notice, to notify.Target) (all []call) {
	event := func(action string, s *notify.Subject) call {
		e := map[string]any{"routing_key": to.Secret, "event_action": action, "dedup_key": incident(n, s)}
		if action == "trigger" {
			e["payload"] = map[string]any{"summary": short(s.Summary, 1000), "source": n.Plugin, "severity": urgency(s, "critical", "error", "warning"), "timestamp": s.Last.Format(time.RFC3339),
				"custom_details": map[string]any{"detail": s.Detail, "alerts": s.Count, "began": s.Began}}
			e["client"] = "Sandbar"
			if s.Link != "" {
				e["client_url"] = s.Link
			}
		}
		return call{address: to.Address, body: e}
	}
	for i := range n.Firing {
		all = append(all, event("trigger", &n.Firing[i]))
	}
	for i := range n.Resolved {
		all = append(all, event("resolve", &n.Resolved[i]))
	}
	if len(all) == 0 {
		all = append(all, event("trigger", counted(n)))
	}
	return all
}

// counted stands for alerts of which there is only a number, and for a test.
func counted(n *notify.Notice) *notify.Subject {
	return &notify.Subject{ID: "more", Summary: Title(n), Began: n.At, Last: n.At, Until: n.At, Severity: 6}
}

// urgency is a severity (syslog's: 0 the worst) in a service's words.
func urgency(s *notify.Subject, worst, bad, rest string) string {
	switch {
	case s.Severity <= 1:
		return worst
	case s.Severity <= 3:
		return bad
	}
	return rest
}

func opsgenie(n *notify.Notice, to notify.Target) (all []call) {
	base, auth := strings.TrimRight(to.Address, "/")+"/v2/alerts", "GenieKey "+to.Secret
	firing := n.Firing
	if len(n.Firing)+len(n.Resolved) == 0 {
		firing = []notify.Subject{*counted(n)}
	}
	for i := range firing {
		s := &firing[i]
		all = append(all, call{address: base, auth: auth, body: map[string]any{"message": short(s.Summary, 125), "alias": incident(n, s), "description": short(s.Summary+"\n\n"+s.Detail+"\n\n"+s.Link, 10_000),
			"source": "Sandbar", "entity": n.Plugin, "priority": urgency(s, "P1", "P2", "P3"), "details": details(n, s)}})
	}
	for i := range n.Resolved {
		all = append(all, call{address: base + "/" + url.PathEscape(incident(n, &n.Resolved[i])) + "/close?identifierType=alias", auth: auth, body: map[string]string{"source": "Sandbar"}, gone: true})
	}
	return all
}

// details are a subject's labels, its plugin and its link.
func details(n *notify.Notice, s *notify.Subject) map[string]string {
	all := maps.Clone(s.Labels)
	if all == nil {
		all = map[string]string{}
	}
	all["plugin"], all["link"] = n.Plugin, s.Link
	return all
}

// alertmanager is what its POST /api/v2/alerts takes. An alert ends when it is said to, or when it is over by itself.
func alertmanager(n *notify.Notice) any {
	type alert struct {
		Labels      map[string]string `json:"labels"`
		Annotations map[string]string `json:"annotations"`
		Starts      time.Time         `json:"startsAt"`
		Ends        time.Time         `json:"endsAt"`
		Generator   string            `json:"generatorURL,omitempty"`
	}
	all := []alert{}
	add := func(s *notify.Subject, ends time.Time) {
		labels := maps.Clone(s.Labels)
		if labels == nil {
			labels = map[string]string{}
		}
		if labels["severity"] == "" {
			labels["severity"] = urgency(s, "critical", "error", "warning")
		}
		labels["alertname"], labels["plugin"], labels["source"] = s.ID, n.Plugin, "sandbar"
		all = append(all, alert{labels,
			map[string]string{"summary": s.Summary, "description": s.Detail}, s.Began, ends, s.Link})
	}
	for i := range n.Firing {
		add(&n.Firing[i], n.Firing[i].Until)
	}
	for i := range n.Resolved {
		add(&n.Resolved[i], n.At)
	}
	if len(all) == 0 {
		s := counted(n)
		add(s, n.At.Add(time.Minute))
	}
	return all
}

// request makes one request of a delivery.
func (w *Webhook) request(ctx context.Context, c call, n *notify.Notice, to notify.Target) (*http.Request, error) {
	body, ok := c.body.([]byte)
	if !ok {
		var err error
		if body, err = json.Marshal(c.body); err != nil {
			return nil, err
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, c.address, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if c.typ != "" {
		req.Header.Set("Content-Type", c.typ)
	}
	req.Header.Set("User-Agent", "Sandbar/"+w.opt.Version)
	if c.auth != "" {
		req.Header.Set("Authorization", c.auth)
	}
	req.Header.Set(IDHeader, n.ID)
	if c.signed {
		w.sign(req, to.Secret, body)
	}
	return req, nil
}
