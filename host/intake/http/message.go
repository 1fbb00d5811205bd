package httpdoor

import (
	"crypto/rand"
	"net/http"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	heka "sandbar/sandbox/message"
)

// maxHeader bounds each header value that goes into a message; what is longer is cut.
const maxHeader = 1 << 10

// header is one that is passed on: the name net/http keeps it under, and the field it becomes.
type header struct{ key, field string }

// passed are the headers of the specification that have a field. Host and Content-Length are among them but
// come from elsewhere: net/http takes Host out of the headers.
var passed = [...]header{
	{"Date", "Date"},
	{"Dnt", "DNT"},
	{"X-Pingsender-Version", "X-PingSender-Version"},
	{"X-Debug-Id", "X-Debug-ID"},
	{"X-Source-Tags", "X-Source-Tags"},
	{"User-Agent", "User-Agent"},
	{"Host", "Host"},
	{"Content-Length", "Content-Length"},
	{"Content-Encoding", "Content-Encoding"},
	{"Content-Type", "Content-Type"},
}

// overhead is what a message is larger than its body, at most.
func overhead(maxPath int) int {
	const names = 1 << 10 // field names, tags, the headers of the message itself
	const other = 4       // remote_addr, protocol, method and hostname are bounded like a header
	return 2*maxPath + (len(passed)+other)*maxHeader + names
}

// message is a submission on its way to the stream: the encoded message, first without and then with the
// body, which is read straight into its place at the end.
type message struct {
	buf     []byte
	end     int // length of buf when the body is complete
	held    int64
	address string
	lent    bool // the stream may still look at buf
	fields  heka.Builder
	list    [1][]byte
}

// begin encodes everything but the body's bytes.
func (m *message) begin(d *Door, r *http.Request, path, args string) {
	b := &m.fields
	b.Reset()
	id := newUUID()
	b.SetUUID(id[:])
	b.SetTimestamp(d.opts.Now().UnixNano())
	b.SetHeader(heka.Type, "raw")
	b.SetHeader(heka.Logger, "moz_ingest")
	b.SetHeader(heka.Hostname, d.opts.Hostname)
	if m.address = d.client(r); m.address != "" {
		b.AddString("remote_addr", "", m.address)
	}
	b.AddString("uri", "", text(path, d.opts.MaxPath))
	if args != "" {
		b.AddString("args", "", text(args, d.opts.MaxPath))
	}
	b.AddString("protocol", "", text(r.Proto, maxHeader))
	b.AddString("method", "", r.Method)
	for _, h := range passed {
		if v := value(r, h.key); v != "" {
			b.AddString(h.field, "", v)
		}
	}
	m.buf = appendContentTag(b.AppendTo(m.buf[:0]), int(r.ContentLength))
	m.end = len(m.buf) + int(r.ContentLength)
}

// value is what the client sent under that name, several lines as one.
func value(r *http.Request, key string) string {
	if key == "Host" {
		return text(r.Host, maxHeader)
	}
	switch v := r.Header[key]; len(v) {
	case 0:
		return ""
	case 1:
		return text(v[0], maxHeader)
	default:
		return text(strings.Join(v, ", "), maxHeader)
	}
}

// text makes s fit for a string field: at most limit bytes of valid UTF-8.
func text(s string, limit int) string {
	return strings.ToValidUTF8(s[:min(len(s), limit)], "?")
}

// Numbers of the Heka message format that appendContentTag writes.
const (
	messageFields  = 10
	fieldName      = 1
	fieldValueType = 2
	fieldBytes     = 5
	typeBytes      = 1
)

// appendContentTag writes the field "content" up to where its n bytes begin. A Builder could write the whole
// field, but only from bytes that it copies twice; bodies are large, and this one comes last for that reason.
func appendContentTag(dst []byte, n int) []byte {
	const name = "content"
	inner := protowire.SizeTag(fieldName) + protowire.SizeBytes(len(name)) +
		protowire.SizeTag(fieldValueType) + protowire.SizeVarint(typeBytes) +
		protowire.SizeTag(fieldBytes) + protowire.SizeBytes(n)
	dst = protowire.AppendTag(dst, messageFields, protowire.BytesType)
	dst = protowire.AppendVarint(dst, uint64(inner))
	dst = protowire.AppendTag(dst, fieldName, protowire.BytesType)
	dst = protowire.AppendString(dst, name)
	dst = protowire.AppendTag(dst, fieldValueType, protowire.VarintType)
	dst = protowire.AppendVarint(dst, typeBytes)
	dst = protowire.AppendTag(dst, fieldBytes, protowire.BytesType)
	return protowire.AppendVarint(dst, uint64(n))
}

// newUUID is a random one, version 4.
func newUUID() (u [16]byte) {
	rand.Read(u[:]) // never fails: it ends the program rather than return an error
	u[6] = u[6]&0x0f | 0x40
	u[8] = u[8]&0x3f | 0x80
	return u
}
