package failures

import (
	"bytes"
	"io"
	"strconv"
	"strings"

	"github.com/klauspost/compress/gzip"

	"sandbar/sandbox/jsondoc"
	"sandbar/sandbox/message"
)

// Payload is the beginning of what was submitted, for people. Stream errors keeps all of it.
type Payload struct {
	Text      string `json:"text"`      // as UTF-8; bytes that are none are replaced
	Bytes     int    `json:"bytes"`     // as received
	Gzip      bool   `json:"gzip"`      // it was inflated for Text
	Truncated bool   `json:"truncated"` // there is more than Text
	Problem   string `json:"problem,omitempty"`
}

// newPayload looks at content. It never inflates more than it shows.
func newPayload(content []byte, most int) Payload {
	p := Payload{Bytes: len(content)}
	if jsondoc.IsGzip(content) {
		p.Gzip = true
		head, err := inflate(content, most+1)
		if err != nil {
			p.Problem = "gzip: " + err.Error()
		}
		content = head
	}
	if len(content) > most {
		content, p.Truncated = content[:most], true
	}
	p.Text = strings.ToValidUTF8(string(content), "\uFFFD")
	return p
}

// inflate returns the first bytes of what was compressed, and all it could when that is broken.
func inflate(gz []byte, most int) ([]byte, error) {
	r, err := gzip.NewReader(bytes.NewReader(gz))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(r, int64(most)))
}

// field is a field's first value as text.
func field(v *message.View, name string) string {
	f, ok := v.Field(name, 0)
	if !ok {
		return ""
	}
	if n, ok := f.Int(0); ok {
		return strconv.FormatInt(n, 10)
	}
	if n, ok := f.Double(0); ok {
		return strconv.FormatFloat(n, 'g', -1, 64)
	}
	b, _ := f.Bytes(0)
	return clip(b)
}

func clip(b []byte) string {
	return strings.ToValidUTF8(string(b[:min(len(b), maxText)]), "\uFFFD")
}
