//go:build wasip1

// Package sandbar is the interface sandbar_v1 for plugins in Go. A plugin exports its functions itself:
//
//	//go:wasmexport sandbar_process
//	func process(messages int32) int32 { // 0 is good, -1 failed, above 0 ends the plugin
//
//	//go:wasmexport sandbar_timer
//	func timer(ns int64, last int32) { // when its config has a ticker_interval
//
//	//go:wasmexport sandbar_init
//	func start() int32 { // if it likes; anything but 0 keeps it from being loaded
//
//	//go:wasmexport sandbar_save
//	func save() int32 // and sandbar_load(int32) int32: see WriteState
//
// and is built with GOOS=wasip1 GOARCH=wasm go build -buildmode=c-shared. What is printed goes to its log; environment variables are the
// keys of its config; there are no files and no sockets.
//
// A name of what is read is as in Lua's read_message: Type, Logger, Hostname, EnvVersion, Payload, Uuid, Timestamp, Severity, Pid, raw,
// framed, size, Fields[name].
package sandbar

import "unsafe"

//go:wasmexport sandbar_v1
func mark() {}

// Message is one that sandbar_process was called for, from 0 on: one, unless the config has a batch. It ends with the call.
type Message int32

// scratch takes texts of ordinary length.
var scratch [4096]byte

func at(s string) unsafe.Pointer { return unsafe.Pointer(unsafe.StringData(s)) }
func in(b []byte) unsafe.Pointer { return unsafe.Pointer(unsafe.SliceData(b)) }
func size(s string) uint32       { return uint32(len(s)) }
func room(b []byte) uint32       { return uint32(len(b)) }
func read(get func(to []byte) int32) ([]byte, bool) {
	n := get(scratch[:])
	if n < 0 {
		return nil, false
	}
	if int(n) <= len(scratch) {
		return append([]byte(nil), scratch[:n]...), true
	}
	b := make([]byte, n)
	get(b)
	return b, true
}

// Bytes returns a text or bytes, and whether it is there.
func (m Message) Bytes(name string) ([]byte, bool) { return m.BytesAt(name, 0, 0) }

// BytesAt is Bytes of one of several fields of the name, and of its values, from 0.
func (m Message) BytesAt(name string, field, value int) ([]byte, bool) {
	return read(func(to []byte) int32 {
		return msgText(int32(m), at(name), size(name), int32(field), int32(value), in(to), room(to))
	})
}

// Text is Bytes as a string, empty when it is not there.
func (m Message) Text(name string) string {
	b, _ := m.Bytes(name)
	return string(b)
}

// Number returns an integer, double or boolean, and whether it is there.
func (m Message) Number(name string) (float64, bool) { return m.NumberAt(name, 0, 0) }

// NumberAt is Number of one of several fields and values.
func (m Message) NumberAt(name string, field, value int) (x float64, ok bool) {
	ok = msgNumber(int32(m), at(name), size(name), int32(field), int32(value), unsafe.Pointer(&x)) != 0
	return x, ok
}

// Integer returns an integer exactly, and whether it is there.
func (m Message) Integer(name string) (n int64, ok bool) {
	ok = msgInteger(int32(m), at(name), size(name), 0, 0, unsafe.Pointer(&n)) != 0
	return n, ok
}

// Count is how many values a field has.
func (m Message) Count(name string, field int) int {
	return int(msgCount(int32(m), at(name), size(name), int32(field)))
}

// FieldType is the type of a field; -1 when it is not there.
func (m Message) FieldType(name string, field int) int {
	return int(msgType(int32(m), at(name), size(name), int32(field)))
}

// Headers, for Out.
const (
	Type int32 = iota
	Logger
	Hostname
	EnvVersion
	Payload
	UUID
	Timestamp
	Severity
	Pid
)

// Out is a message that is being made; there is one at a time. Logger, Hostname, UUID, Timestamp and Pid are the host's unless the
// config says restricted_headers = false.
type Out struct{}

// New begins a message of a type.
func New(messageType string) Out {
	injectNew()
	return Out{}.Header(Type, messageType)
}

// Header sets a header of text.
func (o Out) Header(h int32, text string) Out {
	injectHeader(h, at(text), size(text))
	return o
}

// HeaderNumber sets Timestamp, Severity or Pid.
func (o Out) HeaderNumber(h int32, n int64) Out {
	injectNumber(h, n)
	return o
}

type text struct{ at, size uint32 }

// Strings adds a field.
func (o Out) Strings(name string, values ...string) Out {
	list := make([]text, len(values))
	for i, v := range values {
		list[i] = text{uint32(uintptr(at(v))), size(v)}
	}
	return o.field(name, "", 0, unsafe.Pointer(unsafe.SliceData(list)), len(values))
}

// Bytes adds a field with a representation, like "json".
func (o Out) Bytes(name, representation string, values ...[]byte) Out {
	list := make([]text, len(values))
	for i, v := range values {
		list[i] = text{uint32(uintptr(in(v))), room(v)}
	}
	return o.field(name, representation, 1, unsafe.Pointer(unsafe.SliceData(list)), len(values))
}

// Integers adds a field.
func (o Out) Integers(name, representation string, values ...int64) Out {
	return o.field(name, representation, 2, unsafe.Pointer(unsafe.SliceData(values)), len(values))
}

// Doubles adds a field.
func (o Out) Doubles(name, representation string, values ...float64) Out {
	return o.field(name, representation, 3, unsafe.Pointer(unsafe.SliceData(values)), len(values))
}

// Bools adds a field.
func (o Out) Bools(name string, values ...bool) Out {
	return o.field(name, "", 4, unsafe.Pointer(unsafe.SliceData(values)), len(values))
}

func (o Out) field(name, representation string, kind int32, values unsafe.Pointer, n int) Out {
	injectField(at(name), size(name), at(representation), size(representation), kind, values, uint32(n))
	return o
}

// Send sends it.
func (o Out) Send() { injectSend() }

// SendRaw sends an encoded message.
func SendRaw(b []byte) { injectRaw(in(b), room(b)) }

// Add adds to the payload that SendPayload sends.
func Add(text string) { payloadAdd(at(text), size(text)) }

// SendPayload sends what was added, as a message of its own: type "txt", "json", "cbuf", ... and a name.
func SendPayload(payloadType, name string) {
	payloadSend(at(payloadType), size(payloadType), at(name), size(name))
}

// Buffer is a circular buffer: rows of equal spans of time, columns from 1. The host keeps it over restarts with preserve_data. Make
// it in sandbar_init, or in a variable of the package.
type Buffer int32

// NewBuffer makes one.
func NewBuffer(rows, columns, secondsPerRow int) Buffer {
	return Buffer(bufferNew(int32(rows), int32(columns), int32(secondsPerRow)))
}

// Column names a column: a unit, and how it is added up (sum, min, max, none).
func (b Buffer) Column(column int, name, unit, aggregation string) Buffer {
	bufferHeader(int32(b), int32(column), at(name), size(name), at(unit), size(unit), at(aggregation), size(aggregation))
	return b
}

// Add adds to the cell of a time, nanoseconds since the epoch. It reports false when that is before the oldest row.
func (b Buffer) Add(ns int64, column int, value float64) bool {
	return bufferAdd(int32(b), ns, int32(column), value) != 0
}

// Set is Add, but sets.
func (b Buffer) Set(ns int64, column int, value float64) bool {
	return bufferSet(int32(b), ns, int32(column), value) != 0
}

// Get is NaN where nothing is.
func (b Buffer) Get(ns int64, column int) float64 { return bufferGet(int32(b), ns, int32(column)) }

// Annotate marks a time in a column.
func (b Buffer) Annotate(ns int64, column int, alert bool, text string) {
	kind := int32(0)
	if alert {
		kind = 1
	}
	bufferAnnotate(int32(b), ns, int32(column), kind, at(text), size(text))
}

// AddToPayload adds the buffer to the payload, for SendPayload("cbuf", name).
func (b Buffer) AddToPayload() { bufferPayload(int32(b), 0) }

// Verdict is what a detector says of a value: from a Score of 1 on it is unusual.
type Verdict struct{ Score, Direction, Expected, Low, High float64 }

// Anomaly is what a method of docs/anomaly.md ("seasonal", "ewma far=5") says of the row of a time; below 0 the newest that is complete. It reports false when the buffer does not have it.
func (b Buffer) Anomaly(method string, column int, ns int64) (v Verdict, ok bool) {
	ok = anomalyBuffer(at(method), size(method), int32(b), int32(column), ns, unsafe.Pointer(&v)) >= 0
	return v, ok
}

// Anomaly is what a method says of value i of values a step of seconds apart.
func Anomaly(method string, values []float64, i int, step int64) (v Verdict) {
	anomalyLook(at(method), size(method), unsafe.Pointer(unsafe.SliceData(values)), uint32(len(values)), uint32(i), step, unsafe.Pointer(&v))
	return v
}

// Compare compares two samples or histograms: "rank_sum", "pearson", "earth_mover", "chi_square", or "quantile_shift" of quantile q.
func Compare(what string, a, b []float64, q float64) (to [3]float64) {
	anomalyCompare(at(what), size(what), unsafe.Pointer(unsafe.SliceData(a)), uint32(len(a)), unsafe.Pointer(unsafe.SliceData(b)), uint32(len(b)), q, unsafe.Pointer(&to))
	return to
}

// Categories says of each category, of how often it was seen now and then, whether it is new (1) or has vanished (-1), beyond a chance of p.
func Categories(now, then []float64, p float64) []int8 {
	to := make([]int8, min(len(now), len(then)))
	anomalyCategories(unsafe.Pointer(unsafe.SliceData(now)), unsafe.Pointer(unsafe.SliceData(then)), uint32(len(to)), p, unsafe.Pointer(unsafe.SliceData(to)))
	return to
}

// Decompose splits values into a trend, a wave for all periods (counts of values), and a rest.
func Decompose(values []float64, periods []int32) (trend, wave, rest []float64) {
	n := len(values)
	to := make([]float64, 3*n)
	anomalyDecompose(unsafe.Pointer(unsafe.SliceData(values)), uint32(n), unsafe.Pointer(unsafe.SliceData(periods)), uint32(len(periods)), unsafe.Pointer(unsafe.SliceData(to)))
	return to[:n], to[n : 2*n], to[2*n:]
}

// Alert sends an alert, at most one of an id in the time that the config says, and reports whether it did.
func Alert(id, summary, detail string) bool {
	return alertSend(at(id), size(id), at(summary), size(summary), at(detail), size(detail), -1) != 0
}

// Over says that what alerts of an id were about is as usual again, if one was sent. The next alert is not throttled by those before.
func Over(id, detail string) bool { return alertOver(at(id), size(id), at(detail), size(detail)) != 0 }

// Label gives the next alert a label, by which routes choose and group: Label("team", "web").
func Label(name, value string) { alertLabel(at(name), size(name), at(value), size(value)) }

// Note says that the message at hand is evidence for alerts of the id: it is kept with the next one.
func Note(id string) { alertNote(at(id), size(id)) }

// Throttled says whether an alert of the id would not be sent.
func Throttled(id string) bool { return alertThrottled(at(id), size(id), -1) != 0 }

// Threshold is that of an id in the config, NaN when there is none.
func Threshold(id string) float64 { return alertThreshold(at(id), size(id)) }

// Config is a text of the config; of a table with a dot: "alert.throttle".
func Config(key string) (string, bool) {
	b, ok := read(func(to []byte) int32 { return configText(at(key), size(key), in(to), room(to)) })
	return string(b), ok
}

// ConfigNumber is a number or a flag (1 or 0) of the config.
func ConfigNumber(key string, otherwise float64) float64 {
	var x float64
	if configNumber(at(key), size(key), unsafe.Pointer(&x)) == 0 {
		return otherwise
	}
	return x
}

// Print writes a line to the plugin's log; so does everything that writes to standard output.
func Print(line string) { print_(at(line), size(line)) }

// Status says why sandbar_process will not return 0.
func Status(text string) { statusText(at(text), size(text)) }

// Now is the time in nanoseconds since the epoch. It stands still during a call.
func Now() int64 { return now() }

// Random is from the host.
func Random() uint64 { return random() }

// FuelLeft is how many units the call may still take.
func FuelLeft() int64 { return fuelLeft() }

// Geo is a part of what is known of an address: 0 country, 1 city, 2 and 3 subdivisions, 4 provider. For decoders.
func Geo(address string, part int) (string, bool) {
	b, ok := read(func(to []byte) int32 { return geo(at(address), size(address), int32(part), in(to), room(to)) })
	return string(b), ok
}

// Validate checks a JSON text against a schema: 1 it obeys, 0 it does not, -1 there is no such schema, -2 it is no JSON; and why. For
// decoders.
func Validate(namespace, docType, version string, json []byte) (int, string) {
	var why [1024]byte
	n := schemaValidate(at(namespace), size(namespace), at(docType), size(docType), at(version), size(version), in(json), room(json), unsafe.Pointer(&why), uint32(len(why)))
	end := 0
	for end < len(why) && why[end] != 0 {
		end++
	}
	return int(n), string(why[:end])
}

// LakeHeka writes the message into a file of the lake. For outputs.
func LakeHeka(path string) { lakeHeka(at(path), size(path)) }

// LakeParquet writes a row of the message: with fields of a list, a line each, or all; and the columns of a JSON field by a schema
// "namespace/type/version".
func LakeParquet(path, fields, payload, schema string) {
	lakeParquet(at(path), size(path), at(fields), size(fields), at(payload), size(payload), at(schema), size(schema))
}

// Checkpoint acknowledges messages up to a number, or all so far with 0. For outputs.
func Checkpoint(sequence int64) { checkpoint(sequence) }

// WriteState is for sandbar_save: what it writes is kept instead of an image of the memory, and also over a change of the plugin's code.
func WriteState(b []byte) { stateWrite(in(b), room(b)) }

// ReadState is for sandbar_load, which is called with the number of bytes that there are.
func ReadState(n int32) []byte {
	b := make([]byte, n)
	return b[:stateRead(0, in(b), room(b))]
}
