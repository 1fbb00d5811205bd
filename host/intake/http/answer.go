package httpdoor

import (
	"io"
	"log/slog"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// reply is an answer: the codes are those of the specification, the texts are for people.
// The zero reply means: nothing to say yet.
type reply struct {
	code  int
	text  string
	later bool // worth trying again soon
}

// The answers. Everything that is the host's fault is a 500, also being overloaded: the specification has no
// 503, and clients treat all 5xx alike.
var (
	accepted         = reply{code: http.StatusOK, text: "OK"}
	badMethod        = reply{code: http.StatusMethodNotAllowed, text: "only POST and PUT are taken, and GET of /status\n"}
	noLength         = reply{code: http.StatusLengthRequired, text: "a Content-Length is required; chunked bodies are not taken\n"}
	longPath         = reply{code: http.StatusRequestURITooLong, text: "the path is too long\n"}
	largeBody        = reply{code: http.StatusRequestEntityTooLarge, text: "the body is too large\n"}
	unknownNamespace = reply{code: http.StatusNotFound, text: "no such namespace; " + errElsewhere.Error() + "\n"}
	notHere          = reply{code: http.StatusNotFound, text: "nothing here but /status\n"}
	shortBody        = reply{code: http.StatusBadRequest, text: "the body ended before its Content-Length, or came too slowly\n"}
	unhealthy        = reply{code: http.StatusInternalServerError, text: "not healthy\n"}
	broken           = reply{code: http.StatusInternalServerError, text: "the submission could not be stored\n"}
	full             = reply{code: http.StatusInternalServerError, text: "no room to store the submission\n", later: true}
	busy             = reply{code: http.StatusInternalServerError, text: "too many submissions at once\n", later: true}
)

func malformed(err error) reply {
	return reply{code: http.StatusBadRequest, text: err.Error() + "\n"}
}

// answer writes the reply and counts it.
func (d *Door) answer(w http.ResponseWriter, a reply) {
	h := w.Header()
	h["Content-Type"] = textPlain
	switch {
	case a.code == http.StatusMethodNotAllowed:
		h.Set("Allow", "GET, HEAD, POST, PUT")
	case a.code == http.StatusRequestEntityTooLarge:
		h.Set("Connection", "close") // else the body would have to be read first
	case a.later:
		h.Set("Retry-After", "5")
	}
	d.counts.add(a.code)
	w.WriteHeader(a.code)
	_, _ = io.WriteString(w, a.text) // an error means that the client is gone, and there is nobody to tell
}

// textPlain is a header's value as net/http keeps it; nobody changes it.
var textPlain = []string{"text/plain; charset=utf-8"}

// codes are all that the door answers.
var codes = [...]int{200, 400, 404, 405, 411, 413, 414, 500}

// tookBelow are the limits that times to answer are counted under, in seconds.
var tookBelow = [...]float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 10}

type counts struct {
	answers [len(codes)]atomic.Int64
	bytes   atomic.Int64
	took    [len(tookBelow) + 1]atomic.Int64 // submissions by the limit that they stayed under; the last are above all
	time    atomic.Int64                     // nanoseconds that all of them took
}

// answered notes what a submission took.
func (c *counts) answered(took time.Duration) {
	i, seconds := 0, took.Seconds()
	for i < len(tookBelow) && seconds > tookBelow[i] {
		i++
	}
	c.took[i].Add(1)
	c.time.Add(int64(took))
}

func (c *counts) add(code int) {
	for i, known := range codes {
		if known == code {
			c.answers[i].Add(1)
			return
		}
	}
}

// Stats are the door's own numbers since it was made.
type Stats struct {
	Answers  map[int]int64 // by status code; GET /status included
	Bytes    int64         // of the bodies taken
	InFlight int64         // bytes of submissions being read or written now
	Took     Took
}

// Took is how long submissions took from their header to their answer, as a histogram of Prometheus.
type Took struct {
	Count uint64
	Sum   time.Duration
	Below map[float64]uint64 // how many took at most so many seconds
}

// Stats returns the numbers so far.
func (d *Door) Stats() Stats {
	st := Stats{Answers: make(map[int]int64, len(codes)), Bytes: d.counts.bytes.Load(), InFlight: d.inFlight.held()}
	for i, code := range codes {
		st.Answers[code] = d.counts.answers[i].Load()
	}
	st.Took = Took{Sum: time.Duration(d.counts.time.Load()), Below: make(map[float64]uint64, len(tookBelow))}
	for i := range d.counts.took {
		st.Took.Count += uint64(d.counts.took[i].Load())
		if i < len(tookBelow) {
			st.Took.Below[tookBelow[i]] = st.Took.Count
		}
	}
	return st
}

// quiet is how long a complaint is not repeated.
const quiet = 10 * time.Second

// throttledLog says each thing once in a while, and how often it happened meanwhile: a full disk under
// load would otherwise fill the log too.
type throttledLog struct {
	logger *slog.Logger
	now    func() time.Time

	mu   sync.Mutex
	said map[string]*complaint
}

type complaint struct {
	next time.Time
	held int
}

// error logs text, which must be a constant, unless it was said less than quiet ago.
func (l *throttledLog) error(text string, err error) {
	l.mu.Lock()
	c := l.said[text]
	if c == nil {
		c = new(complaint)
		if l.said == nil {
			l.said = map[string]*complaint{}
		}
		l.said[text] = c
	}
	now := l.now()
	if now.Before(c.next) {
		c.held++
		l.mu.Unlock()
		return
	}
	held := c.held
	c.next, c.held = now.Add(quiet), 0
	l.mu.Unlock()
	l.logger.Error(text, "error", err, "also_since_last_time", held)
}
