package feed

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"time"

	"github.com/klauspost/compress/gzip"
)

// Script decides what is sent when. The same options always give the same submissions, whatever the
// network does: time is counted from the script's start and randomness comes from the seed.
type Script struct {
	opts  ScriptOptions
	world *world
	kinds []kind
	rates []float64 // of each kind at the time being looked at, a second
	at    time.Duration
	last  *Submission // the newest good one, for sending twice
	zip   *gzip.Writer
}

// ScriptOptions say how the demo's days go. Zero values take the defaults.
type ScriptOptions struct {
	Start        time.Time     // the time of At zero; documents are dated by it. Required
	Seed         uint64        // which world
	Rate         float64       // submissions a second, the mean of a day; default 200
	Day          time.Duration // how long a day takes; default 60 s
	Invalid      float64       // the part that has a fault; default 0.03; negative for none
	AnomalyAfter time.Duration // when things first go wrong; default 90 s, so that monitors know what is usual; negative for never
	AnomalyFor   time.Duration // how long; default 45 s
	AnomalyEvery time.Duration // from one beginning to the next; default 4 min
	People       int           // how many clients there are; default 3000
}

// What goes wrong in an anomaly: one kind nearly stops, another's payload grows.
const (
	droppedKind = "main.4"
	droppedTo   = 0.15
	grownKind   = "event.4"
	grownBy     = 6 // times as many events, which makes the whole document about four times as large
)

func (o ScriptOptions) withDefaults() ScriptOptions {
	def := func(v *time.Duration, d time.Duration) {
		if *v == 0 {
			*v = d
		}
	}
	def(&o.Day, 60*time.Second)
	def(&o.AnomalyAfter, 90*time.Second)
	def(&o.AnomalyFor, 45*time.Second)
	def(&o.AnomalyEvery, 4*time.Minute)
	if o.Rate == 0 {
		o.Rate = 200
	}
	if o.Invalid == 0 {
		o.Invalid = 0.03
	}
	if o.People == 0 {
		o.People = 3000
	}
	return o
}

// NewScript starts a script at its beginning.
func NewScript(o ScriptOptions) (*Script, error) {
	o = o.withDefaults()
	if o.Rate < 0 || o.Day < 0 || o.AnomalyFor < 0 || o.AnomalyEvery < o.AnomalyFor || o.Invalid > 1 || o.People < 0 {
		return nil, fmt.Errorf("demo script: rate, day, anomaly and people must be positive, an anomaly no longer than the time to the next, the invalid part at most 1; got %+v", o)
	}
	all := kinds()
	return &Script{
		opts: o, kinds: all, rates: make([]float64, len(all)),
		world: newWorld(rand.New(rand.NewPCG(o.Seed, 0x5a9dba5)), o.People),
		zip:   gzip.NewWriter(nil),
	}, nil
}

// Anomalous reports whether things go wrong at that time.
func (s *Script) Anomalous(at time.Duration) bool {
	since := at - s.opts.AnomalyAfter
	return s.opts.AnomalyAfter > 0 && since >= 0 && since%s.opts.AnomalyEvery < s.opts.AnomalyFor
}

// rate is how many of a kind are sent a second at that time.
func (s *Script) rate(k *kind, at time.Duration) float64 {
	days := at.Seconds() / s.opts.Day.Seconds()
	r := s.opts.Rate * k.share * (1 + k.wave*math.Sin(2*math.Pi*(days+k.phase)))
	if k.String() == droppedKind && s.Anomalous(at) {
		r *= droppedTo
	}
	return r
}

// Next is the next submission. It is the caller's.
func (s *Script) Next() (*Submission, error) {
	k := s.nextKind()
	s.world.now = s.opts.Start.Add(s.at).UTC()
	fault := None
	if s.world.rng.Float64() < s.opts.Invalid && s.last != nil {
		fault = pick(s.world.rng, faults())
	}
	if fault == SentTwice {
		again := *s.last
		again.At, again.Fault = s.at, SentTwice
		return &again, nil
	}
	growth := 1
	if k.String() == grownKind && s.Anomalous(s.at) {
		growth = grownBy
	}
	p := &s.world.people[s.world.rng.IntN(len(s.world.people))]
	id := s.world.uuid()
	sub := &Submission{
		At: s.at, Kind: k.String(), Fault: fault, URI: uri(k, p, id, fault),
		Header: http.Header{
			"Content-Type":    {"application/json; charset=UTF-8"},
			"User-Agent":      {p.agent},
			"X-Forwarded-For": {p.address},
			"Date":            {s.world.now.Format(http.TimeFormat)},
		},
	}
	if k.telemetry() {
		sub.Header.Set("X-PingSender-Version", "1.0")
	}
	document := s.world.envelope(k, p, id, growth)
	fault.spoilDocument(s.world.rng, document)
	if err := s.write(sub, document); err != nil {
		return nil, fmt.Errorf("writing a %s document for the demo: %w", sub.Kind, err)
	}
	if fault == None {
		s.last = sub
	}
	return sub, nil
}

// nextKind moves the time on to the next submission and says of which kind it is. Arrivals are random and
// independent, as those of many people are, so the gap to the next has an exponential distribution.
func (s *Script) nextKind() *kind {
	total := 0.0
	for i := range s.kinds {
		s.rates[i] = s.rate(&s.kinds[i], s.at)
		total += s.rates[i]
	}
	s.at += time.Duration(s.world.rng.ExpFloat64() / total * float64(time.Second))
	at := s.world.rng.Float64() * total
	for i, r := range s.rates {
		if at -= r; at < 0 {
			return &s.kinds[i]
		}
	}
	return &s.kinds[len(s.kinds)-1]
}

func uri(k *kind, p *person, id string, fault Fault) string {
	docType := k.docType
	if fault == UnknownType {
		docType = "un" + docType
	}
	if k.telemetry() {
		return fmt.Sprintf("/submit/telemetry/%s/%s/Firefox/%s/%s/%s?v=4", id, docType,
			url.PathEscape(p.version), url.PathEscape(p.channel), url.PathEscape(p.buildID))
	}
	return fmt.Sprintf("/submit/%s/%s/%d/%s", k.namespace, docType, k.version, id)
}

// write makes the body. Every second one is compressed, as about half of real clients do it.
func (s *Script) write(sub *Submission, d doc) error {
	body, err := json.Marshal(d)
	if err != nil {
		return err
	}
	body = sub.Fault.spoilBytes(s.world.rng, body)
	zip := s.world.rng.IntN(2) == 0
	switch {
	case sub.Fault == BadGzip:
		sub.Header.Set("Content-Encoding", "gzip")
	case zip:
		var b bytes.Buffer
		s.zip.Reset(&b)
		if _, err := s.zip.Write(body); err != nil {
			return err
		}
		if err := s.zip.Close(); err != nil {
			return err
		}
		body = b.Bytes()
		sub.Header.Set("Content-Encoding", "gzip")
	}
	sub.Body = body
	return nil
}
