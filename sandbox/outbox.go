package sandbox

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"

	"sandbar/sandbox/message"
)

// Refusal says which limit a call of a plugin ran into. The engine ends the call with its outcome.
type Refusal struct {
	Outcome Outcome
	Text    string
}

func (r *Refusal) Error() string { return r.Text }

// Meter takes fuel for work that is about to be done. Spend does not return when there is not enough.
type Meter interface {
	Spend(fuel int64)
}

// Payload is an object of the host that can be written into a payload or a field: a circular buffer, a document.
type Payload interface {
	Size() int64       // bytes held
	PayloadMin() int64 // bytes that AppendPayload appends at least, known without doing it
	AppendPayload(dst []byte) []byte
}

// Outbox is the one way in which a plugin's messages, payloads and lines leave it. It holds them to the limits, fills in
// the headers that are the host's, and charges for the work. Errors that are no *Refusal are the plugin's to handle.
type Outbox struct {
	cfg   *Config
	env   *Env
	meter Meter
	ids   *rand.PCG

	timer   bool
	count   int // messages of this call
	bytes   int64
	lines   int
	builder message.Builder
	encoded []byte
	payload []byte // gathered until it is sent
}

// NewOutbox makes the outbox of one plugin. env is read at each use.
func NewOutbox(cfg *Config, env *Env, meter Meter) *Outbox {
	return &Outbox{cfg: cfg, env: env, meter: meter, ids: rand.NewPCG(env.Seed, 0x9e3779b97f4a7c15)}
}

// Begin starts the count of a new call, of timer_event or not.
func (o *Outbox) Begin(timer bool) { o.timer, o.count, o.bytes, o.lines = timer, 0, 0, 0 }

// Limit is the most bytes of one message, payload or document.
func (o *Outbox) Limit() int64 {
	if o.cfg.Limits.Output <= 0 {
		return math.MaxInt64
	}
	return o.cfg.Limits.Output
}

// Restricted says that Uuid, Timestamp, Logger, Hostname and Pid are the host's; setting them does nothing.
func (o *Outbox) Restricted() bool { return o.cfg.RestrictedHeaders }

// New begins a message with the host's headers and returns the builder for its fields; Room comes before each.
func (o *Outbox) New() (*message.Builder, error) {
	limit := o.cfg.Limits.ProcessInject
	if o.timer {
		limit = o.cfg.Limits.TimerInject
	}
	if o.count >= limit {
		return nil, &Refusal{InjectExceeded, "inject_message() failed: injection limit exceeded"}
	}
	o.count++
	b := &o.builder
	b.Reset()
	uuid := message.NewUUID(o.ids.Uint64(), o.ids.Uint64())
	b.SetUUID(uuid[:])
	b.SetTimestamp(o.env.Now().UnixNano())
	b.SetHeader(message.Logger, o.cfg.Logger())
	b.SetHeader(message.Hostname, o.env.Hostname)
	b.SetPid(int32(o.env.Pid))
	return b, nil
}

// Message is the message that New began.
func (o *Outbox) Message() *message.Builder { return &o.builder }

// Room sees that the message stays below output_limit with so many more bytes, before they are added, and pays for them.
func (o *Outbox) Room(more int64) error {
	if n := int64(o.builder.Len()) + more; n > o.Limit() {
		return &Refusal{OutputExceeded, fmt.Sprintf("output_limit exceeded: the message has %d bytes or more, %d are allowed", n, o.Limit())}
	}
	o.meter.Spend(1 + more/64)
	return nil
}

// SetHeader sets a header of text, unless it is restricted. It does not ask for room.
func (o *Outbox) SetHeader(h message.Header, text string) {
	if (h == message.Logger || h == message.Hostname) && o.Restricted() {
		return
	}
	o.builder.SetHeader(h, text)
}

// SetUUID takes 16 bytes or the text of a uuid; anything else leaves the host's.
func (o *Outbox) SetUUID(text string) {
	if o.Restricted() {
		return
	}
	if len(text) == 16 {
		o.builder.SetUUID([]byte(text))
	} else if u, ok := message.ParseUUID(text); ok {
		o.builder.SetUUID(u[:])
	}
}

// SetTimestamp takes nanoseconds since the epoch.
func (o *Outbox) SetTimestamp(ns int64) {
	if !o.Restricted() {
		o.builder.SetTimestamp(ns)
	}
}

// SetPid sets the process id.
func (o *Outbox) SetPid(pid int32) {
	if !o.Restricted() {
		o.builder.SetPid(pid)
	}
}

// Send emits the message that New began.
func (o *Outbox) Send() error {
	if err := o.Room(0); err != nil {
		return err
	}
	n := int64(o.builder.Len())
	if o.bytes += n; o.cfg.Limits.InjectBytes > 0 && o.bytes > o.cfg.Limits.InjectBytes {
		return &Refusal{InjectExceeded, fmt.Sprintf("inject_message() failed: the messages of one call may have %d bytes on this host", o.cfg.Limits.InjectBytes)}
	}
	o.meter.Spend(n / 16)
	if o.env.Emit == nil {
		return errors.New("inject_message() failed: nothing takes messages here")
	}
	o.encoded = o.builder.AppendTo(o.encoded[:0])
	if err := o.env.Emit(o.encoded); err != nil {
		return fmt.Errorf("inject_message() failed: %w", err)
	}
	return nil
}

// Append adds text to the payload that is being gathered.
func (o *Outbox) Append(text []byte) error {
	if err := o.payloadRoom(len(text)); err != nil {
		return err
	}
	o.payload = append(o.payload, text...)
	return nil
}

// AppendString is Append for a string.
func (o *Outbox) AppendString(text string) error {
	if err := o.payloadRoom(len(text)); err != nil {
		return err
	}
	o.payload = append(o.payload, text...)
	return nil
}

func (o *Outbox) payloadRoom(n int) error {
	if int64(len(o.payload)+n) > o.Limit() {
		return o.full()
	}
	o.meter.Spend(int64(n) / 16)
	return nil
}

// AppendObject adds an object of the host.
func (o *Outbox) AppendObject(p Payload) error {
	if int64(len(o.payload))+p.PayloadMin() > o.Limit() {
		return o.full()
	}
	o.meter.Spend(p.Size() / 32)
	before := len(o.payload)
	o.payload = p.AppendPayload(o.payload)
	o.meter.Spend(int64(len(o.payload)-before) / 16)
	if int64(len(o.payload)) > o.Limit() {
		return o.full()
	}
	return nil
}

func (o *Outbox) full() error {
	o.payload = o.payload[:0]
	return &Refusal{OutputExceeded, fmt.Sprintf("output_limit exceeded: a payload may have %d bytes", o.Limit())}
}

// SendPayload emits the payload that was gathered as a message of its own; nothing when there is none. A name of nil leaves
// the field away.
func (o *Outbox) SendPayload(kind string, name *string) error {
	if len(o.payload) == 0 {
		return nil
	}
	if most := o.cfg.Limits.Graph; most > 0 && strings.HasPrefix(kind, "cbuf") && int64(len(o.payload)) > most {
		return &Refusal{OutputExceeded, fmt.Sprintf("the graph has %d bytes, this host allows %d; take fewer rows or columns", len(o.payload), most)}
	}
	b, err := o.New()
	if err != nil {
		return err
	}
	b.SetHeader(message.Type, message.TypePayload)
	b.SetHeaderBytes(message.Payload, o.payload)
	b.AddString(message.FieldPayloadType, "", kind)
	if name != nil {
		b.AddString(message.FieldPayloadName, "", *name)
	}
	o.payload = o.payload[:0]
	return o.Send()
}

// maxLine bounds one line in bytes, beside output_limit.
const maxLine = 64 << 10

// LineRoom says whether a line of so many bytes may be printed.
func (o *Outbox) LineRoom(n int) error {
	if int64(n) > min(o.Limit(), maxLine) {
		return &Refusal{OutputExceeded, "output_limit exceeded: a printed line is too long"}
	}
	return nil
}

// Print logs one line: control characters become spaces, what is no UTF-8 a mark.
func (o *Outbox) Print(line []byte) error {
	if err := o.LineRoom(len(line)); err != nil {
		return err
	}
	o.meter.Spend(10 + int64(len(line))/16)
	most := o.cfg.Limits.LogLines
	o.lines++
	switch {
	case o.env.Log == nil || most > 0 && o.lines > most+1:
	case most > 0 && o.lines > most:
		o.env.Log(fmt.Sprintf("further lines of this call are left out; %d are allowed", most))
	default:
		text := []byte(strings.ToValidUTF8(string(line), "\uFFFD"))
		for i, c := range text {
			if c < ' ' && c != '\t' || c == 0x7f {
				text[i] = ' '
			}
		}
		o.env.Log(string(text))
	}
	return nil
}

// ClearPayload forgets what was gathered.
func (o *Outbox) ClearPayload() { o.payload = o.payload[:0] }
