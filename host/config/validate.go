package config

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Validate says everything that is wrong, key by key.
func (c *Config) Validate() error {
	var p problems
	p.unless(c.Data != "", "data is empty; give a folder")
	c.checkListen(&p)
	p.unless(len(c.Hostname) <= 255, "hostname is longer than 255 characters")
	p.unless((c.TLS.Certificate == "") == (c.TLS.Key == ""), "tls.certificate and tls.key belong together; give both or none")
	for _, name := range c.Namespaces {
		p.unless(namespace.MatchString(name), "namespaces: %q is not a namespace: letters, digits, '-', '_' and '.', at most 100, starting with a letter or digit", name)
	}
	c.checkSizes(&p)
	return errors.Join(p...)
}

var namespace = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$`)

type problems []error

func (p *problems) unless(ok bool, format string, args ...any) {
	if !ok {
		*p = append(*p, fmt.Errorf(format, args...))
	}
}

func (c *Config) checkListen(p *problems) {
	p.unless(c.Token == "" || len(c.Token) >= 16, "token has %d characters; make it at least 16", len(c.Token))
	host, port, err := net.SplitHostPort(c.Listen)
	number, bad := strconv.ParseUint(port, 10, 16)
	if err != nil || bad != nil || number > 65535 {
		p.unless(false, "listen is %q; it must be ADDRESS:PORT like 127.0.0.1:8080 or :8080", c.Listen)
		return
	}
	p.unless(loopback(host) || c.Token != "" || c.Insecure,
		"listen is %q, which others can reach; set a token, or insecure = true if only trusted people can reach it", c.Listen)
}

// loopback reports whether only this machine reaches an address. A name counts only when it is localhost:
// what others stand for may change.
func loopback(host string) bool {
	if host == "localhost" {
		return true
	}
	a, err := netip.ParseAddr(host)
	return err == nil && a.IsLoopback()
}

// envelope is what a message may be larger than the body in it, at most: path, headers, framing.
const envelope = 64 * KiB

func (c *Config) checkSizes(p *problems) {
	between := func(key string, v, low, high Size) {
		p.unless(v >= low && v <= high, "%s is %s; it must be from %s to %s", key, v, low, high)
	}
	s := &c.Streams
	between("edge.max_path", c.Edge.MaxPath, 256, 16*KiB)
	between("edge.max_body", c.Edge.MaxBody, 1*KiB, 1*GiB)
	between("streams.max_message", s.MaxMessage, 64*KiB, 1*GiB)
	between("streams.segment_size", s.SegmentSize, 1*MiB, 64*GiB)
	between("landfill.roll_size", c.Landfill.Size, 1*KiB, 64*GiB)
	between("lake.roll_size", c.Lake.Size, 1*KiB, 64*GiB)
	between("bucket.s3.part_size", c.Bucket.S3.PartSize, 5*MiB, 1*GiB)
	rest := c.Bucket.S3
	rest.PartSize = 0
	p.unless(c.Bucket.S3.Name != "" || rest == S3{}, "bucket.s3.name is empty, but other keys of bucket.s3 are given")
	p.unless(c.Edge.MaxConnections >= 16 && c.Edge.MaxConnections <= 1_000_000, "edge.max_connections is %d; it must be from 16 to 1000000", c.Edge.MaxConnections)
	p.unless(c.Edge.MaxBody+envelope <= s.MaxMessage,
		"edge.max_body is %s, which does not fit into streams.max_message of %s beside %s for path and headers", c.Edge.MaxBody, s.MaxMessage, envelope)
	p.unless(c.Edge.MaxBody+envelope <= c.Edge.MaxInFlight,
		"edge.max_in_flight is %s; it must hold at least one body of edge.max_body, %s, and %s more", c.Edge.MaxInFlight, c.Edge.MaxBody, envelope)
	p.unless(s.MaxMessage <= s.SegmentSize, "streams.segment_size is %s, less than one message of streams.max_message, %s", s.SegmentSize, s.MaxMessage)

	k := &s.Kafka
	p.unless(k.Prefix != "" && len(k.Prefix) <= 200 && !strings.ContainsFunc(k.Prefix, isNoTopicRune), "streams.kafka.prefix is %q; letters, digits and -._ are allowed", k.Prefix)
	p.unless(k.Replicas >= 1 && k.Replicas <= 100, "streams.kafka.replicas is %d; it must be from 1 to 100", k.Replicas)
	p.unless(k.Partitions >= 1 && k.Partitions <= 1000, "streams.kafka.partitions is %d; it must be from 1 to 1000", k.Partitions)
	for _, b := range k.Brokers {
		_, _, err := net.SplitHostPort(b)
		p.unless(err == nil, "streams.kafka.brokers has %q, which is not HOST:PORT", b)
	}
	between("streams.min_free", s.MinFree, 0, 1024*TiB)
	g := &c.Gate
	p.unless(g.Messages >= 0 && g.Messages <= 1_000_000, "gate.messages is %d; it must be from 0 to 1000000", g.Messages)
	p.unless(g.Alerts >= -1 && g.Alerts <= 1_000_000, "gate.alerts is %d; it must be from -1 to 1000000", g.Alerts)
	p.unless(g.Use >= 0 && g.Use <= 100, "gate.use is %d; it must be from 0 to 100", g.Use)
	p.unless(g.Cost >= 0 && g.Cost <= 10_000, "gate.cost is %d; it must be from 0 to 10000", g.Cost)
	c.checkSpans(p)
	c.checkLimits(p)
}

// checkLimits keeps ceilings from being absent: 0 would mean no limit to an engine.
func (c *Config) checkLimits(p *problems) {
	for kind, l := range map[string]*Ceilings{"decoder": &c.Limits.Decoder, "analysis": &c.Limits.Analysis, "output": &c.Limits.Output} {
		between := func(key string, v, low, high int64) {
			p.unless(v >= low && v <= high, "limits.%s.%s is %d; it must be from %d to %d", kind, key, v, low, high)
		}
		between("instruction_limit", int64(l.Instructions), 10_000, 100_000_000_000)
		between("memory_limit", int64(l.Memory), int64(64*KiB), int64(64*GiB))
		between("output_limit", int64(l.Output), int64(KiB), int64(GiB))
		between("process_message_inject_limit", int64(l.ProcessInject), 0, 1_000_000)
		between("timer_event_inject_limit", int64(l.TimerInject), 0, 1_000_000)
		between("inject_bytes", int64(l.InjectBytes), int64(KiB), int64(4*GiB))
		between("state_size", int64(l.State), int64(KiB), int64(4*GiB))
		between("graph_size", int64(l.Graph), int64(KiB), int64(GiB))
		between("log_lines", int64(l.LogLines), 1, 1_000_000)
		between("source_size", int64(l.Source), int64(KiB), int64(256*KiB)) // what the compiler takes
		between("module_size", int64(l.Module), int64(KiB), int64(10*MiB))
		between("ticker_interval", int64(l.Ticker), 1, 86400)
		p.unless(time.Duration(l.Time) >= 100*time.Millisecond && time.Duration(l.Time) <= time.Hour,
			"limits.%s.call_time is %s; it must be from 100ms to 1h, with its unit", kind, l.Time)
	}
}

// checkSpans has a lowest value for each span for one more reason: a bare number in the file, 60, reads as 60 ns.
func (c *Config) checkSpans(p *problems) {
	between := func(key string, v Duration, low, high time.Duration) {
		p.unless(time.Duration(v) >= low && time.Duration(v) <= high, "%s is %s; it must be from %s to %s, with its unit", key, v, Duration(low), Duration(high))
	}
	between("edge.body_timeout", c.Edge.BodyTimeout, time.Second, time.Hour)
	between("streams.commit_interval", c.Streams.CommitInterval, 10*time.Millisecond, time.Minute)
	between("streams.timeout", c.Streams.Timeout, time.Second, time.Hour)
	between("gate.time", c.Gate.Time, time.Second, 50*time.Second)
	between("bucket.timeout", c.Bucket.Timeout, time.Second, time.Hour)
	for name, age := range map[string]Duration{"landfill": c.Landfill.Keep, "lake": c.Lake.Keep, "history": c.History.Keep} {
		if age != 0 {
			between(name+".retain_age", age, time.Minute, 36500*24*time.Hour)
		}
	}
	between("landfill.roll_age", c.Landfill.Age, time.Second, 7*24*time.Hour)
	mail := &c.Alerts.Mail
	p.unless(slices.Contains([]string{"starttls", "tls", "none"}, mail.TLS), "alerts.mail.tls is %q; it must be starttls, tls or none", mail.TLS)
	p.unless(mail.Server == "" || mail.From != "", "alerts.mail.server is set; set alerts.mail.from too, the sender")
	u, err := url.Parse(c.Alerts.URL)
	p.unless(c.Alerts.URL == "" || err == nil && (u.Scheme == "http" || u.Scheme == "https") && u.Host != "", "alerts.url is %q; it must be a URL, such as https://sandbar.example.com", c.Alerts.URL)
	between("sql.time", c.SQL.Time, time.Second, 10*time.Minute)
	between("lake.roll_age", c.Lake.Age, time.Second, 7*24*time.Hour)

	s := &c.Streams
	for i, r := range []Retention{s.Raw, s.Valid, s.Errors, s.Derived} {
		name := []string{"raw", "valid", "errors", "derived"}[i]
		p.unless(r.Size == 0 || r.Size >= s.SegmentSize, "streams.%s.retain_size is %s; it must be 0 for no limit, or at least streams.segment_size, %s", name, r.Size, s.SegmentSize)
		if r.Age != 0 {
			between("streams."+name+".retain_age", r.Age, time.Minute, 36500*24*time.Hour)
		}
	}
}

// isNoTopicRune says that a name of a Kafka topic may not have it.
func isNoTopicRune(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.' && r != '_'
}
