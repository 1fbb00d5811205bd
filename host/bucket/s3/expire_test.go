package s3

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sandbar/host/bucket"
	"sandbar/host/bucket/s3/s3test"
)

func putRaw(t *testing.T, b *Bucket, key, text string) {
	t.Helper()
	if _, err := b.client.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &b.opt.Name, Key: b.key(key), Body: strings.NewReader(text)}); err != nil {
		t.Fatal(err)
	}
}

// lifecycle is a server that keeps lifecycle rules and nothing else.
type lifecycle struct {
	mu    sync.Mutex
	rules string
	puts  int
}

func (l *lifecycle) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, about := r.URL.Query()["lifecycle"]
	switch {
	case !about:
		nowhere(w, r)
	case r.Method == "GET" && l.rules == "":
		w.WriteHeader(404)
		fmt.Fprint(w, "<Error><Code>NoSuchLifecycleConfiguration</Code></Error>")
	case r.Method == "GET":
		fmt.Fprint(w, l.rules)
	case r.Method == "PUT":
		text, _ := io.ReadAll(r.Body)
		l.rules, l.puts = string(text), l.puts+1
	case r.Method == "DELETE":
		l.rules = ""
		w.WriteHeader(204)
	}
}

// TestLifecycle: rules are set once, replaced when they change, and others' stay.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	l := &lifecycle{rules: `<LifecycleConfiguration><Rule><ID>theirs</ID><Status>Enabled</Status><Filter><Prefix>logs/</Prefix></Filter><Expiration><Days>7</Days></Expiration></Rule></LifecycleConfiguration>`}
	s := httptest.NewServer(l)
	defer s.Close()
	opt := testOptions("bucket-x", s.URL)
	opt.Prefix = "p"
	b := open(t, opt)
	for i, step := range []struct {
		rules []bucket.Rule
		done  bool
		puts  int
		want  []string
	}{
		{nil, true, 0, nil},
		{[]bucket.Rule{{Prefix: "landfill/", Age: 30 * day}}, true, 1, []string{"<Prefix>p/landfill/</Prefix>", "<Days>30</Days>"}},
		{[]bucket.Rule{{Prefix: "landfill/", Age: 30 * day}}, true, 1, nil},
		{[]bucket.Rule{{Prefix: "landfill/", Age: 60 * day}, {Prefix: "lake/heka/", Age: day}}, true, 2, []string{"<Days>60</Days>", "<Prefix>p/lake/heka/</Prefix>", "<Days>1</Days>"}},
		{[]bucket.Rule{{Prefix: "landfill/", Age: time.Hour}}, false, 2, nil},
		{nil, true, 3, nil},
	} {
		done, err := b.Expire(t.Context(), step.rules)
		if err != nil || done != step.done || l.puts != step.puts {
			t.Errorf("step %d: done %v, %d times set, %v", i, done, l.puts, err)
		}
		for _, want := range append(step.want, "<ID>theirs</ID>", "<Days>7</Days>") {
			if !strings.Contains(l.rules, want) {
				t.Errorf("step %d: no %s in %s", i, want, l.rules)
			}
		}
	}
	if strings.Contains(l.rules, "sandbar") {
		t.Errorf("rules of ours are left: %s", l.rules)
	}
}

// TestRetain: a server without lifecycle rules has old objects removed one by one.
func TestRetain(t *testing.T) {
	t.Parallel()
	objects := s3test.Handler()
	s, _ := recorded(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, about := r.URL.Query()["lifecycle"]; about {
			w.WriteHeader(501)
			return
		}
		objects.ServeHTTP(w, r)
	}))
	b := open(t, optionsOf(t, s))
	for _, key := range []string{"landfill/a", "landfill/b/c", "lake/columns/x"} {
		putRaw(t, b, key, "x")
	}
	rules := []bucket.Rule{{Prefix: "landfill/", Age: time.Hour}}
	if n, err := bucket.Retain(t.Context(), b, rules, time.Now()); n != 0 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if n, err := bucket.Retain(t.Context(), b, rules, time.Now().Add(2*time.Hour)); n != 2 || err != nil {
		t.Errorf("removed %d, %v", n, err)
	}
	if _, err := b.Stat(t.Context(), "lake/columns/x"); err != nil {
		t.Error(err)
	}
}
