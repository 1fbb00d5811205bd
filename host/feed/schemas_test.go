package feed

import (
	"bytes"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"

	"sandbar/sandbox/jsondoc"
	"sandbar/schemas"
)

// TestShippedSchemas: the schemas that ship take what the demo sends, and refuse what it spoils.
func TestShippedSchemas(t *testing.T) {
	t.Parallel()
	known, err := schemas.Open(schemas.Shipped(), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s, err := NewScript(ScriptOptions{Start: time.Unix(1_790_000_000, 0), AnomalyAfter: time.Second, Invalid: 0.3})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]int{}
	for range 3000 {
		sub, err := s.Next()
		if err != nil {
			t.Fatal(err)
		}
		body := sub.Body
		if jsondoc.IsGzip(body) {
			if body, _, err = new(jsondoc.Inflater).Inflate(nil, body, 1<<20); err != nil && sub.Fault != BadGzip {
				t.Fatal(err)
			}
		}
		doc, perr := jsondoc.Parse(body, jsondoc.Limits{})
		docType, version, _ := strings.Cut(sub.Kind, ".")
		if _, err := strconv.Atoi(version); err != nil {
			t.Fatalf("kind %q", sub.Kind)
		}
		namespace := "telemetry"
		if parts := strings.Split(sub.URI, "/"); !strings.HasPrefix(sub.URI, "/submit/telemetry/") {
			namespace = parts[2]
		}
		valid := false
		if perr == nil {
			v := known.Validate(namespace, docType, version, doc.Root(), func(int64) {})
			valid = v.Valid
			if sub.Fault == None && !valid {
				t.Fatalf("%s: %s", sub.Kind, v.Message)
			}
		}
		seen[sub.Fault.String()]++
		switch sub.Fault {
		case None, SentTwice, UnknownType:
		default:
			if valid {
				t.Errorf("%s with fault %v is valid: %.300s", sub.Kind, sub.Fault, bytes.TrimSpace(body))
			}
		}
	}
	if len(seen) < 8 {
		t.Errorf("only these faults were seen: %v", seen)
	}
}
