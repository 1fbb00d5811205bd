package letters

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox/message"
)

func view(t testing.TB, payload string) *message.View {
	t.Helper()
	var b message.Builder
	b.SetTimestamp(1)
	b.SetHeader(message.Payload, payload)
	var v message.View
	if err := v.Parse(b.AppendTo(nil)); err != nil {
		t.Fatal(err)
	}
	return &v
}

func TestLetters(t *testing.T) {
	t.Parallel()
	at := time.Unix(1000, 0)
	v := New(func() time.Time { return at })
	for i := range 5 {
		v.Note("p", "why", view(t, fmt.Sprint("message ", i)))
		at = at.Add(400 * time.Millisecond)
	}
	l := v.List("p")
	if len(l) != 1 || l[0].Count != 5 || l[0].First != time.Unix(1000, 0).UTC() || l[0].Last != time.UnixMilli(1001600).UTC() || !strings.Contains(string(l[0].Message), `"message 3"`) {
		t.Errorf("%+v %s", l, l[0].Message)
	}
	v.Note("p", "large", view(t, strings.Repeat("x", maxMessage)))
	if l := v.List("p"); len(l) != 2 || l[0].Text != "large" || l[0].Message != nil {
		t.Errorf("with a large one: %+v", l)
	}
	for i := range 2 * maxTexts {
		at = at.Add(time.Second)
		v.Note("p", fmt.Sprint("text ", i), view(t, "x"))
	}
	if l := v.List("p"); len(l) != maxTexts || l[0].Text != fmt.Sprint("text ", 2*maxTexts-1) || l[maxTexts-1].Text != fmt.Sprint("text ", maxTexts) {
		t.Errorf("of many texts %d are kept: %+v", len(l), l)
	}
	v.Forget("p")
	if l := v.List("p"); len(l) != 0 || v.bytes != 0 || v.order.Len() != 0 {
		t.Errorf("after it was forgotten: %+v, %d bytes", l, v.bytes)
	}
}

func TestBounds(t *testing.T) {
	t.Parallel()
	at := time.Unix(1000, 0)
	v := New(func() time.Time { return at })
	big := view(t, strings.Repeat("x", maxMessage-100))
	n := maxBytes/len(big.Raw()) + 50
	for i := range n {
		at = at.Add(time.Second)
		v.Note(fmt.Sprint("p", i), "why", big)
	}
	if v.bytes > maxBytes || v.List("p0")[0].Message != nil || v.List("p0")[0].Count != 1 || v.List(fmt.Sprint("p", n-1))[0].Message == nil {
		t.Errorf("%d bytes are kept of %d plugins", v.bytes, n)
	}
}
