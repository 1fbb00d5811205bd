// Package failures is the view behind the errors page: the newest submissions that could not be decoded,
// each with its cause, and how many there were of each kind. What was submitted is read from the stream when somebody asks.
//
// It follows stream errors, of all partitions, from near the end and keeps nothing on disk: the stream has it all. It knows the
// fields that decoders write; it must not know a decoder.
package failures

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"math"
	"slices"
	"sync"
	"time"

	"sandbar/host/stream"
	"sandbar/host/view"
	"sandbar/sandbox/message"
)

// Options bound the view. A zero means the default.
type Options struct {
	Now    func() time.Time // required
	Logger *slog.Logger     // required

	Max        int   // failures kept; 10 000
	MaxBytes   int64 // about what they may take in memory; 32 MiB
	MaxPreview int   // bytes of a payload that are shown, after inflating; 16 KiB
}

func (o *Options) defaults() {
	o.Max = cmp.Or(o.Max, 10_000)
	o.MaxBytes = cmp.Or(o.MaxBytes, 32<<20)
	o.MaxPreview = cmp.Or(o.MaxPreview, 16<<10)
}

// Failure is one message of stream errors.
type Failure struct {
	Position   string    `json:"position"` // in the stream, before the message; PARTITION-POSITION where there are several
	Time       time.Time `json:"time"`     // the message's timestamp
	Type       string    `json:"type"`     // DecodeErrorType: "uri", "json", "schema", ...
	Error      string    `json:"error"`    // DecodeError
	Detail     string    `json:"detail,omitempty"`
	Namespace  string    `json:"namespace"`
	DocType    string    `json:"doc_type,omitempty"`
	DocVersion string    `json:"doc_version,omitempty"`
	DocumentID string    `json:"document_id,omitempty"`
	URI        string    `json:"uri,omitempty"`
	Cause      string    `json:"cause"`             // key of the Cause that it is counted as
	Payload    *Payload  `json:"payload,omitempty"` // of Get; the list has none

	seq int64 // counts what the view has read
}

// size is about what a failure takes in memory.
func (f *Failure) size() int64 {
	return 256 + int64(len(f.Type)+len(f.Error)+len(f.Detail)+len(f.Namespace)+len(f.DocType)+len(f.DocVersion)+len(f.DocumentID)+len(f.URI))
}

// Filter chooses failures. Empty members choose all.
type Filter struct {
	Type      string
	Namespace string
	Cause     string
	Before    string // position of a failure: only those that were read before it
}

// Count is how many failures there were of one kind.
type Count struct {
	Type      string `json:"type"`
	Namespace string `json:"namespace"`
	Count     int64  `json:"count"`
}

// View is the failures of one host.
type View struct {
	logs    []stream.Log // of stream errors
	opt     Options
	version view.Version
	before  []stream.Position // the next message of each log begins here; Run's own

	mu         sync.Mutex
	seq        int64
	kept       []Failure // the oldest first
	bytes      int64
	duplicates int64
	counts     map[kind]int64
	causes     map[string]*cause
}

type kind struct{ typ, namespace string }

const (
	maxKinds = 1000 // further kinds are counted together
	maxText  = 4 << 10
)

// New returns an empty view; Run fills it.
func New(logs []stream.Log, opt Options) *View {
	opt.defaults()
	return &View{logs: logs, opt: opt, counts: map[kind]int64{}, causes: map[string]*cause{}}
}

// Run reads the newest failures that the stream has and follows it until the context ends.
func (w *View) Run(ctx context.Context) error {
	for _, log := range w.logs {
		from, err := view.Tail(ctx, log, w.opt.Max)
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			return err
		}
		w.before = append(w.before, from)
	}
	f := view.Follower{Name: "failures", Logs: w.logs, From: w.before, Now: w.opt.Now, Logger: w.opt.Logger, Take: w.take}
	return f.Run(ctx)
}

func (w *View) take(log int, b *stream.Batch) {
	for i, msg := range b.Messages {
		w.add(msg, stream.PlaceName(len(w.logs), log, w.before[log]))
		w.before[log] = b.Ends[i]
	}
	w.version.Bump()
}

func (w *View) add(msg []byte, at string) {
	var v message.View
	if v.Parse(msg) != nil {
		return
	}
	typ, _ := v.Header(message.Type)
	if message.IsDuplicate(string(typ)) {
		w.mu.Lock()
		w.duplicates++
		w.mu.Unlock()
		return
	}
	f := decode(&v)
	f.Position = at

	w.mu.Lock()
	defer w.mu.Unlock()
	w.seq++
	f.seq = w.seq
	k := kind{f.Type, f.Namespace}
	if _, known := w.counts[k]; !known && len(w.counts) >= maxKinds {
		k = kind{"other", "other"}
	}
	w.counts[k]++
	w.count(&f)
	w.kept = append(w.kept, f)
	w.bytes += f.size()
	for len(w.kept) > w.opt.Max || w.bytes > w.opt.MaxBytes && len(w.kept) > 1 {
		w.bytes -= w.kept[0].size()
		w.kept[0] = Failure{} // append moves the rest to the front some day
		w.kept = w.kept[1:]
	}
}

func decode(v *message.View) Failure {
	f := Failure{
		Time:       time.Unix(0, v.Timestamp()).UTC(),
		Type:       field(v, message.FieldErrorType),
		Error:      field(v, message.FieldError),
		Detail:     field(v, "DecodeErrorDetail"),
		DocType:    field(v, "docType"),
		DocVersion: cmp.Or(field(v, "docVersion"), field(v, "sourceVersion")),
		DocumentID: field(v, "documentId"),
		URI:        field(v, "uri"),
	}
	logger, _ := v.Header(message.Logger)
	f.Namespace = clip(logger)
	return f
}

// List returns the newest n failures that the filter chooses, the newest first, and how many it chooses in all. It fails
// for a Before that is no position.
func (w *View) List(n int, f Filter) (list []Failure, total int, err error) {
	before := int64(math.MaxInt64)
	if f.Before != "" {
		if _, _, err := view.ParsePlace(len(w.logs), f.Before); err != nil {
			return nil, 0, err
		}
		before = 0 // one that is not kept any more: there are no older ones
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if i := slices.IndexFunc(w.kept, func(k Failure) bool { return k.Position == f.Before }); i >= 0 {
		before = w.kept[i].seq
	}
	list = []Failure{}
	for _, k := range slices.Backward(w.kept) {
		if (f.Type == "" || f.Type == k.Type) && (f.Namespace == "" || f.Namespace == k.Namespace) && (f.Cause == "" || f.Cause == k.Cause) {
			if total++; len(list) < n && k.seq < before {
				list = append(list, k)
			}
		}
	}
	return list, total, nil
}

// ErrGone says that there is no failure at a position, or no longer.
var ErrGone = errors.New("there is no error at this position, or no longer")

// Get reads the failure at a position out of the stream, with the beginning of what was submitted.
func (w *View) Get(position string) (Failure, error) {
	var v message.View
	if err := w.message(position, &v); err != nil {
		return Failure{}, err
	}
	f := decode(&v)
	f.Position, f.Cause, f.Payload = position, causeOf(&f).Key, &Payload{}
	if content, ok := v.Field(contentField, 0); ok {
		c, _ := content.Bytes(0)
		*f.Payload = newPayload(c, w.opt.MaxPreview)
	}
	return f, nil
}

// Counts returns how many failures of each kind this view has read, the most first, and how many
// submissions came twice. It counts from the oldest failure that was there when the host started.
func (w *View) Counts() (counts []Count, duplicates int64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	counts = make([]Count, 0, len(w.counts))
	for k, n := range w.counts {
		counts = append(counts, Count{Type: k.typ, Namespace: k.namespace, Count: n})
	}
	slices.SortFunc(counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Namespace, b.Namespace))
	})
	return counts, w.duplicates
}

// Version is the number of the newest change.
func (w *View) Version() uint64 { return w.version.Now() }

// Wait returns the version as soon as it is not seen, or the context's error.
func (w *View) Wait(ctx context.Context, seen uint64) (uint64, error) {
	return w.version.Wait(ctx, seen)
}
