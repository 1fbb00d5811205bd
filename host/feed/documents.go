package feed

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// kind is one document type of the demo: where it is sent, how much of it there is, how its day goes.
type kind struct {
	namespace, docType string
	version            int
	share              float64 // of all submissions, over a day
	wave               float64 // how far the day takes the rate up and down, as a part of the share
	phase              float64 // when its day is at the middle, rising; as a part of a day
	payload            func(w *world, growth int) doc
}

func (k *kind) String() string { return fmt.Sprintf("%s.%d", k.docType, k.version) }

// telemetry says that the kind uses the URI form without a version.
func (k *kind) telemetry() bool { return k.namespace == "telemetry" }

// kinds are the document types of the demo. Shares add up to 1.
func kinds() []kind {
	return []kind{
		{"telemetry", "main", 4, 0.30, 0.35, 0, mainPayload},
		{"telemetry", "event", 4, 0.20, 0.35, 0.02, eventPayload},
		{"telemetry", "crash", 4, 0.06, 0.25, 0.04, crashPayload},
		{"shop", "cart", 1, 0.14, 0.40, 0.06, cartPayload},
		{"shop", "checkout", 1, 0.10, 0.40, 0.08, checkoutPayload},
		{"sensors", "reading", 1, 0.20, 0.20, 0, readingPayload},
	}
}

// doc is a JSON object being made. encoding/json writes its keys sorted, so the same doc is always the same bytes.
type doc map[string]any

// person is one client of the demo: it keeps its id, address, system and channel over the days.
type person struct {
	clientID string
	address  string
	agent    string
	os       string
	osVer    string
	locale   string
	channel  string
	version  string
	buildID  string
	memoryMB int
	cores    int
}

// world is what documents are made of. All of it comes from one random source, so a seed tells the whole story.
type world struct {
	now    time.Time // the time of the document being made, UTC
	rng    *rand.Rand
	people []person
}

func newWorld(rng *rand.Rand, people int) *world {
	w := &world{rng: rng, people: make([]person, people)}
	for i := range w.people {
		w.people[i] = w.person()
	}
	return w
}

type system struct{ os, version, agent string }

// systems have the odd spellings that a normaliser exists for.
func systems() []system {
	return []system{
		{"Windows_NT", "10.0", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%[1]s) Gecko/20100101 Firefox/%[1]s"},
		{"Windows_NT", "10.0", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%[1]s) Gecko/20100101 Firefox/%[1]s"},
		{"WINNT", "6.1", "Mozilla/5.0 (Windows NT 6.1; WOW64; rv:%[1]s) Gecko/20100101 Firefox/%[1]s"},
		{"Windows", "11", "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:%[1]s) Gecko/20100101 Firefox/%[1]s"},
		{"Darwin", "23.5.0", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:%[1]s) Gecko/20100101 Firefox/%[1]s"},
		{"macOS", "14.5", "Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:%[1]s) Gecko/20100101 Firefox/%[1]s"},
		{"Linux", "6.8.0", "Mozilla/5.0 (X11; Linux x86_64; rv:%[1]s) Gecko/20100101 Firefox/%[1]s"},
		{"linux", "5.15", "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:%[1]s) Gecko/20100101 Firefox/%[1]s"},
		{"Android", "14", "Mozilla/5.0 (Android 14; Mobile; rv:%[1]s) Gecko/%[1]s Firefox/%[1]s"},
		{"Linux/Android", "13", "Mozilla/5.0 (Android 13; Mobile; rv:%[1]s) Gecko/%[1]s Firefox/%[1]s"},
	}
}

type release struct{ channel, version, buildID string }

// releases are weighted by being listed more than once.
func releases() []release {
	return []release{
		{"release", "128.0", "20260706103020"}, {"release", "128.0", "20260706103020"}, {"release", "128.0.2", "20260718093511"},
		{"release", "127.0.1", "20260611120000"}, {"beta", "129.0", "20260720181545"}, {"nightly", "130.0a1", "20260801094211"},
		{"nightly-cck-acme", "130.0a1", "20260801094211"}, {"esr", "115.13.0", "20260701190233"}, {"release-cck-acme", "128.0", "20260706103020"},
		{"aurora", "129.0a2", "20260715080000"}, {"default", "128.0", "20260706000000"},
	}
}

// addresses: those that MaxMind's test databases know, so that a demo with such a database shows places.
func addresses() []string {
	return []string{"81.2.69.142", "81.2.69.160", "2.125.160.216", "216.160.83.56", "89.160.20.112", "89.160.20.128", "2001:218::1", "2001:218::2"}
}

func locales() []string {
	return []string{"en-US", "en-US", "en-GB", "de", "fr", "ja", "pt-BR", "sv-SE"}
}

func (w *world) person() person {
	s, r := pick(w.rng, systems()), pick(w.rng, releases())
	p := person{
		clientID: w.uuid(), os: s.os, osVer: s.version, agent: fmt.Sprintf(s.agent, r.version), locale: pick(w.rng, locales()),
		channel: r.channel, version: r.version, buildID: r.buildID,
		memoryMB: 4096 << w.rng.IntN(4), cores: 2 << w.rng.IntN(4),
	}
	// The rest come from the block that is reserved for documentation, so no stranger's address is used.
	p.address = pick(w.rng, addresses())
	if w.rng.IntN(2) == 0 {
		p.address = fmt.Sprintf("203.0.113.%d", 1+w.rng.IntN(254))
	}
	return p
}

func (w *world) uuid() string {
	hi, lo := w.rng.Uint64(), w.rng.Uint64()
	hi = hi&^0xf000 | 0x4000 // version 4
	lo = lo&^(3<<62) | 1<<63 // the usual variant
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", hi>>32, hi>>16&0xffff, hi&0xffff, lo>>48, lo&(1<<48-1))
}

// between is a whole number from lo to hi.
func (w *world) between(lo, hi int) int { return lo + w.rng.IntN(hi-lo+1) }

func pick[T any](rng *rand.Rand, from []T) T { return from[rng.IntN(len(from))] }

// envelope is what all documents have around their payload.
func (w *world) envelope(k *kind, p *person, id string, growth int) doc {
	d := doc{
		"type": k.docType, "id": id, "version": k.version, "clientId": p.clientID,
		"creationDate": w.now.Format("2006-01-02T15:04:05.000Z"),
		"payload":      k.payload(w, growth),
	}
	switch k.namespace {
	case "telemetry":
		d["application"] = doc{
			"name": "Firefox", "vendor": "Mozilla", "version": p.version, "displayVersion": p.version, "platformVersion": p.version,
			"buildId": p.buildID, "channel": p.channel, "architecture": "x86-64", "xpcomAbi": "x86_64-gcc3",
		}
		d["environment"] = w.browserEnvironment(p)
	case "shop":
		d["application"] = doc{"name": "Shop", "version": "3.2.1", "channel": "release", "buildId": "20260722080000"}
		d["environment"] = doc{"system": systemOf(p), "settings": doc{"locale": p.locale}}
	default:
		d["application"] = doc{"name": "Sensor", "version": "1.8.0", "channel": "release", "buildId": "20260401000000"}
		d["environment"] = doc{"system": doc{"os": doc{"name": "Linux", "version": "6.1"}}, "settings": doc{"locale": "en-US"}}
	}
	return d
}

func systemOf(p *person) doc {
	return doc{"memoryMB": p.memoryMB, "cpu": doc{"count": p.cores}, "os": doc{"name": p.os, "version": p.osVer, "locale": p.locale}}
}

func (w *world) browserEnvironment(p *person) doc {
	return doc{
		"build": doc{
			"applicationId": "{ec8030f7-c20a-464f-9b0e-13a3a9e97384}", "applicationName": "Firefox", "architecture": "x86-64", "buildId": p.buildID,
			"version": p.version, "platformVersion": p.version, "vendor": "Mozilla", "xpcomAbi": "x86_64-gcc3",
		},
		"partner": doc{"partnerId": nil, "distributionId": nil, "distributionVersion": nil, "distributor": nil, "distributorChannel": nil, "partnerNames": []string{}},
		"settings": doc{
			"locale": p.locale, "telemetryEnabled": w.rng.IntN(20) > 0, "blocklistEnabled": true, "e10sEnabled": true,
			"defaultSearchEngine": pick(w.rng, []string{"google", "ddg", "bing"}),
		},
		"system":  systemOf(p),
		"profile": doc{"creationDate": w.between(17000, 20600)},
	}
}
