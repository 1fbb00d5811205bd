package s3

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"sandbar/host/bucket"
	"sandbar/host/bucket/s3/s3test"
)

// seen is a request as a server got it.
type seen struct {
	method, path, query string
	header              http.Header
	body                []byte
}

// recorder keeps the requests to a fake.
type recorder struct {
	next http.Handler
	mu   sync.Mutex
	all  []seen
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, q *http.Request) {
	body, _ := io.ReadAll(q.Body)
	q.Body = io.NopCloser(bytes.NewReader(body))
	r.mu.Lock()
	r.all = append(r.all, seen{q.Method, q.URL.Path, q.URL.RawQuery, q.Header.Clone(), body})
	r.mu.Unlock()
	r.next.ServeHTTP(w, q)
}

// find lists the requests of a method whose query has a key.
func (r *recorder) find(method, key string) (found []seen) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.all {
		if s.method == method && strings.Contains(s.query, key) {
			found = append(found, s)
		}
	}
	return found
}

func recorded(t *testing.T, next http.Handler) (*s3test.Server, *recorder) {
	t.Helper()
	r := &recorder{next: next}
	return s3test.Fake(t, r), r
}

func put(t *testing.T, b *Bucket, key string, content []byte) bucket.Token {
	t.Helper()
	w, err := b.Create(t.Context(), owner, key)
	if err != nil {
		t.Fatal(err)
	}
	for p := content; len(p) > 0; {
		n := min(len(p), 700_001)
		if _, err := w.Write(p[:n]); err != nil {
			t.Fatal(err)
		}
		p = p[n:]
	}
	token, err := w.Seal()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// TestParts: an object is sent in parts of the configured size, each with its checksum, encrypted as configured, and given its
// key only where nothing is.
func TestParts(t *testing.T) {
	t.Parallel()
	s, r := recorded(t, s3test.Handler())
	opt := optionsOf(t, s)
	opt.PartSize, opt.Encryption, opt.KMSKey, opt.Prefix = 5<<20, "aws:kms", "key-1", "a/b"
	b := open(t, opt)
	content := bytes.Repeat([]byte("0123456789abcdef"), 12<<20/16)
	if err := b.Publish(t.Context(), put(t, b, "x/y.z", content)); err != nil {
		t.Fatal(err)
	}
	parts := r.find("PUT", "partNumber=")
	if len(parts) != 3 {
		t.Fatalf("%d parts", len(parts))
	}
	for i, p := range parts {
		if want := []int{5 << 20, 5 << 20, 2 << 20}[i]; len(p.body) != want || !strings.HasSuffix(p.path, "/a/b/x/y.z") {
			t.Errorf("part %d of %s has %d bytes, want %d", i, p.path, len(p.body), want)
		}
		sum := base64.StdEncoding.EncodeToString(binary.BigEndian.AppendUint32(nil, crc32.Checksum(p.body, crc32.MakeTable(crc32.Castagnoli))))
		if got := p.header.Get("x-amz-checksum-crc32c"); got != sum {
			t.Errorf("part %d has checksum %q, want %q", i, got, sum)
		}
	}
	for _, q := range append(r.find("POST", "uploads"), r.find("PUT", "x-id=PutObject")...) {
		if q.header.Get("x-amz-server-side-encryption") != "aws:kms" || q.header.Get("x-amz-server-side-encryption-aws-kms-key-id") != "key-1" {
			t.Errorf("%s %s is not encrypted: %v", q.method, q.path, q.header)
		}
	}
	if done := r.find("POST", "uploadId="); len(done) != 1 || done[0].header.Get("If-None-Match") != "*" {
		t.Errorf("completed with %v", done)
	}
	got, err := b.readAll(t.Context(), "x/y.z", 1<<30)
	if err != nil || !bytes.Equal(got, content) {
		t.Errorf("read back %d bytes, %v", len(got), err)
	}
}

// nowhere answers as S3 does, and keeps nothing.
func nowhere(w http.ResponseWriter, r *http.Request) {
	io.Copy(io.Discard, r.Body)
	switch {
	case r.Method == "POST" && strings.Contains(r.URL.RawQuery, "uploads"):
		fmt.Fprint(w, "<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>")
	case r.Method == "PUT":
		w.Header().Set("ETag", `"e"`)
	case r.Method == "GET":
		fmt.Fprint(w, "<ListBucketResult></ListBucketResult>")
	}
}

// TestMemory: however large an object is, writing it takes the memory of one part.
func TestMemory(t *testing.T) {
	s := httptest.NewServer(http.HandlerFunc(nowhere))
	defer s.Close()
	opt := testOptions("bucket-x", s.URL)
	opt.PartSize = 5 << 20
	b := open(t, opt)
	piece := make([]byte, 1<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range 4 {
		w, err := b.Create(t.Context(), owner, "k")
		if err != nil {
			t.Fatal(err)
		}
		for range 64 {
			if _, err := w.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := w.Seal(); err != nil {
			t.Fatal(err)
		}
	}
	runtime.ReadMemStats(&after)
	if took := after.TotalAlloc - before.TotalAlloc; took > 128<<20 {
		t.Errorf("256 MiB in four objects allocated %d MiB", took>>20)
	} else {
		t.Logf("256 MiB in four objects allocated %d MiB", took>>20)
	}
}

// TestTwoPublish: two processes that publish one token at once agree; a third object does not get the key.
func TestTwoPublish(t *testing.T) {
	t.Parallel()
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opt := optionsOf(t, start(t))
			for i := range 20 {
				key := fmt.Sprint("k", i)
				token := put(t, open(t, opt), key, []byte("one"))
				var wg sync.WaitGroup
				for range 3 {
					b := open(t, opt)
					wg.Go(func() {
						if err := b.Publish(t.Context(), token); err != nil {
							t.Error(err)
						}
					})
				}
				wg.Wait()
				b := open(t, opt)
				if err := b.Publish(t.Context(), put(t, b, key, []byte("two"))); !errors.Is(err, bucket.ErrExist) {
					t.Errorf("another object: %v", err)
				}
				if got, err := b.readAll(t.Context(), key, 10); err != nil || string(got) != "one" {
					t.Errorf("%q %v", got, err)
				}
			}
		})
	}
}

// TestLost: an upload that somebody else has ended is an error that says so. For a ledger, and for who recovers, it is one once.
func TestLost(t *testing.T) {
	t.Parallel()
	opt := optionsOf(t, fake(t))
	b := open(t, opt)
	token := put(t, b, "k", []byte("x"))
	if err := b.abort(t.Context(), b.sealed[token.ID]); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := open(t, opt).Publish(t.Context(), token); !errors.Is(err, errLost) || !errors.Is(err, bucket.ErrNotExist) {
			t.Errorf("the error is %v", err)
		}
	}
	committed := []bucket.Entry{{Token: token, Rows: 7}, {Token: put(t, b, "l", []byte("y"))}}
	visible, err := bucket.Recover(t.Context(), open(t, opt), committed, owner)
	if len(visible) != 1 || !errors.Is(err, errLost) || !strings.Contains(err.Error(), "k with 7 messages is lost") {
		t.Errorf("recovered %v, %v", visible, err)
	}
	if visible, err := bucket.Recover(t.Context(), open(t, opt), committed, owner); len(visible) != 0 || err != nil {
		t.Errorf("recovered again %v, %v", visible, err)
	}
}

// TestSweep: uploads that processes left are ended after a day; those with a token are not.
func TestSweep(t *testing.T) {
	t.Parallel()
	opt := optionsOf(t, fake(t))
	opt.Prefix = "p"
	b := open(t, opt)
	left, err := b.Create(t.Context(), owner, "left")
	if err != nil {
		t.Fatal(err)
	}
	token := put(t, b, "sealed", []byte("x"))
	if n, err := open(t, opt).Sweep(t.Context(), time.Now().Add(23*time.Hour)); n != 0 || err != nil {
		t.Errorf("ended %d, %v", n, err)
	}
	if n, err := open(t, opt).Sweep(t.Context(), time.Now().Add(25*time.Hour)); n != 1 || err != nil {
		t.Errorf("ended %d, %v", n, err)
	}
	left.Write([]byte("x"))
	if _, err := left.Seal(); err == nil {
		t.Error("an upload that was ended can be sealed")
	}
	if err := b.Publish(t.Context(), token); err != nil {
		t.Error(err)
	}
}

// TestDamagedToken: what a token's object holds is not trusted.
func TestDamagedToken(t *testing.T) {
	t.Parallel()
	opt := optionsOf(t, fake(t))
	b := open(t, opt)
	token := put(t, b, "k", []byte("x"))
	other := bucket.Token{ID: token.ID, Key: "other"}
	if err := b.Publish(t.Context(), other); err == nil || !strings.Contains(err.Error(), "is of k") {
		t.Errorf("published under another key: %v", err)
	}
	for _, text := range []string{"", "{", `{"key":"../x","upload":"u","parts":[{}]}`, `{"key":"k","upload":"u"}`, `{"key":"k","parts":[{}]}`} {
		putRaw(t, b, sealedDir+token.ID, text)
		err := open(t, opt).Publish(t.Context(), token)
		if err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v", text, err)
		}
	}
}

func FuzzSeal(f *testing.F) {
	f.Add([]byte(`{"key":"a/b","upload":"u","parts":[{"etag":"e","crc32c":"AAAA"}]}`))
	f.Add([]byte(`{"key":"a"}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := decodeSeal(text)
		if err != nil {
			return
		}
		if bucket.CheckKey(s.Key) != nil || len(s.Parts) > maxParts || len(s.completed().Parts) != len(s.Parts) {
			t.Errorf("taken: %q", text)
		}
	})
}

// TestClaim: a bucket is of one cluster, whoever comes first, below each prefix.
func TestClaim(t *testing.T) {
	t.Parallel()
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opt := optionsOf(t, start(t))
			first := open(t, opt)
			var wg sync.WaitGroup
			claimed := make([]error, 8)
			for i := range claimed {
				wg.Go(func() { claimed[i] = open(t, opt).Claim(t.Context(), fmt.Sprint("cluster", i%2)) })
			}
			wg.Wait()
			won := slices.Index(claimed, nil)
			if won < 0 {
				t.Fatalf("nobody has it: %v", claimed)
			}
			winner := fmt.Sprint("cluster", won%2)
			for i, err := range claimed {
				if mine := i%2 == won%2; mine && err != nil || !mine && !errors.Is(err, ErrClaimed) {
					t.Errorf("cluster%d beside %s: %v", i%2, winner, err)
				}
			}
			if err := first.Claim(t.Context(), winner); err != nil {
				t.Errorf("again: %v", err)
			}
			err := first.Claim(t.Context(), "another")
			if !errors.Is(err, ErrClaimed) || !strings.Contains(err.Error(), "choose another") {
				t.Errorf("another: %v", err)
			}
			if err := first.Reclaim(t.Context(), "another"); err != nil {
				t.Error(err)
			}
			if err := first.Claim(t.Context(), "another"); err != nil {
				t.Errorf("moved: %v", err)
			}
			for info, err := range first.List(t.Context(), "") {
				t.Errorf("a claim is listed as an object: %v %v", info, err)
			}
			opt.Prefix = "other/place"
			if err := open(t, opt).Claim(t.Context(), "third"); err != nil {
				t.Errorf("below another prefix: %v", err)
			}
		})
	}
}
