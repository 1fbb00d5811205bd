package s3

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"sandbar/host/bucket"
	"sandbar/host/bucket/s3/s3test"
	"sandbar/host/lake"
	"sandbar/host/landfill"
	"sandbar/host/stream"
	"sandbar/host/stream/disk"
	"sandbar/sandbox/message"
)

// proxy is between client and server, and does what networks and servers do.
type proxy struct {
	next http.Handler
	one  atomic.Int64 // of so many requests one goes wrong; 0: none

	mu   sync.Mutex
	rnd  *rand.Rand
	done map[string]int // faults, by kind
}

func (p *proxy) pick() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	one := int(p.one.Load())
	if one == 0 || p.rnd.IntN(one) > 0 {
		return ""
	}
	kinds := []string{"slow down", "silence", "reset before", "reset after", "half an answer", "half a request", "error"}
	kind := kinds[p.rnd.IntN(len(kinds))]
	p.done[kind]++
	return kind
}

func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fault := func(status int, code string) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, "<Error><Code>%s</Code><Message>as told</Message></Error>", code)
	}
	switch p.pick() {
	case "":
		p.next.ServeHTTP(w, r)
	case "slow down":
		fault(503, "SlowDown")
	case "error":
		fault(500, "InternalError")
	case "silence":
		io.Copy(io.Discard, r.Body) // or the end of the client is not seen
		<-r.Context().Done()
	case "reset before":
		panic(http.ErrAbortHandler)
	case "reset after": // it is done, and nobody hears of it
		p.next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	case "half an answer":
		rec := httptest.NewRecorder()
		p.next.ServeHTTP(rec, r)
		for k, v := range rec.Header() {
			w.Header()[k] = v
		}
		w.Header().Set("Content-Length", fmt.Sprint(rec.Body.Len()))
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes()[:rec.Body.Len()/2])
		if rec.Body.Len() > 0 {
			panic(http.ErrAbortHandler)
		}
	case "half a request":
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body[:len(body)/2]))
		p.next.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	}
}

func faultyServer(t *testing.T, seed uint64) (*s3test.Server, *proxy) {
	t.Helper()
	p := &proxy{next: s3test.Handler(), rnd: rand.New(rand.NewPCG(seed, 7)), done: map[string]int{}}
	return s3test.Fake(t, p), p
}

// numbered is a message whose payload is its number.
func numbered(n int) []byte {
	var b message.Builder
	b.SetTimestamp(int64(n))
	b.SetHeader(message.Payload, fmt.Sprint(n))
	return b.AppendTo(nil)
}

// count counts the messages of all objects below a prefix, by payload.
func count(t *testing.T, b *Bucket, prefix string) map[string]int {
	t.Helper()
	found := map[string]int{}
	for info, err := range b.List(t.Context(), prefix) {
		if err != nil {
			t.Fatal(err)
		}
		r, err := b.Open(t.Context(), info.Key)
		if err != nil {
			t.Fatal(err)
		}
		var in io.Reader = r
		if strings.HasSuffix(info.Key, ".zst") {
			z, err := zstd.NewReader(r)
			if err != nil {
				t.Fatal(err)
			}
			defer z.Close()
			in = z
		}
		msgs := message.NewReader(in, message.MaxSize)
		for {
			m, err := msgs.Next()
			if err == io.EOF {
				break
			}
			var v message.View
			if err != nil || v.Parse(m) != nil {
				t.Fatal(info.Key, err)
			}
			payload, _ := v.Header(message.Payload)
			found[string(payload)]++
		}
		r.Close()
	}
	return found
}

func wantOnce(t *testing.T, what string, got map[string]int, n int) {
	t.Helper()
	for i := range n {
		if got[fmt.Sprint(i)] != 1 {
			t.Errorf("%s: message %d is there %d times", what, i, got[fmt.Sprint(i)])
		}
	}
	if len(got) != n {
		t.Errorf("%s: %d messages, want %d", what, len(got), n)
	}
}

// TestFaults: landfill and lake on a server of which every fifth request goes wrong, with processes that die: nothing is
// lost, nothing is there twice.
func TestFaults(t *testing.T) {
	t.Parallel()
	kinds := map[string]int{}
	var mu sync.Mutex
	t.Run("runs", func(t *testing.T) {
		for seed := range uint64(4) {
			t.Run(fmt.Sprint(seed), func(t *testing.T) {
				t.Parallel()
				s, p := faultyServer(t, seed)
				opt := optionsOf(t, s)
				opt.Timeout = 1500 * time.Millisecond
				p.one.Store(5)
				w := &world{t: t, opt: opt, p: p, dir: t.TempDir(), rnd: rand.New(rand.NewPCG(seed, 1))}
				for range 5 {
					w.live()
				}
				p.one.Store(0)
				w.live()
				b := open(t, opt)
				wantOnce(t, "landfill", count(t, b, "landfill/"), w.raw)
				wantOnce(t, "lake", count(t, b, "lake/"), w.position)
				if n := w.position; n < 20 {
					t.Errorf("the lake has got %d messages only", n)
				}
				mu.Lock()
				defer mu.Unlock()
				for k, n := range p.done {
					kinds[k] += n
				}
			})
		}
	})
	t.Log("faults:", kinds)
	if len(kinds) != 7 {
		t.Errorf("not every fault was there: %v", kinds)
	}
}

// world is a host over its processes: what is on disk, in the bucket, and committed.
type world struct {
	t   *testing.T
	opt Options
	p   *proxy
	dir string
	rnd *rand.Rand

	raw      int // messages appended
	position int // of the lake's plugin
	manifest []byte
}

// live is one process.
func (w *world) live() {
	w.t.Helper()
	quiet := slog.New(slog.DiscardHandler)
	b := open(w.t, w.opt)
	store, err := disk.Open(w.dir, disk.Options{MinFree: -1, Logger: quiet})
	if err != nil {
		w.t.Fatal(err)
	}
	defer store.Close()
	fill, err := landfill.Open(w.t.Context(), landfill.Options{Store: store, Bucket: b, Now: time.Now, Logger: quiet, Size: 300})
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(w.t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() { ended <- fill.Run(ctx) }()
	w.lake(store, b)
	if w.p.one.Load() == 0 { // the last one ends as it should
		cancel()
		if err := <-ended; err != nil {
			w.t.Error(err)
		}
		return
	}
	cancel()
	<-ended
}

// lake writes messages, also to raw, and files of them.
func (w *world) lake(store *disk.Store, b *Bucket) {
	l := lake.New(b, lake.Options{Logger: slog.New(slog.DiscardHandler), ID: store.ID()})
	if err := l.Load(map[string][]byte{"output.x": w.manifest}); err != nil {
		w.t.Fatal(err)
	}
	out := l.Writer("output.x")
	read := w.position
	for range 10 {
		for range 3 {
			if _, err := store.Log(stream.Raw).Append(w.t.Context(), numbered(w.raw)); err != nil {
				w.t.Fatal(err)
			}
			w.raw++
		}
		for range 2 {
			if err := out.Heka("x", numbered(read)); err != nil {
				w.t.Fatal(err)
			}
			read++
		}
		m, err := out.Flush(w.t.Context(), []stream.Range{{Stream: stream.Valid, From: stream.Position{Offset: int64(w.position)}, To: stream.Position{Offset: int64(read)}}})
		if err != nil {
			continue // what was written waits for the next
		}
		if w.rnd.IntN(8) == 0 && w.p.one.Load() > 0 {
			return // dies before the commit
		}
		w.position, w.manifest = read, m
		out.Committed()
		if w.rnd.IntN(8) == 0 && w.p.one.Load() > 0 {
			return // and here after it
		}
		out.Publish(w.t.Context()) // what fails is published later
	}
	for w.p.one.Load() == 0 {
		err := out.Publish(w.t.Context())
		if err == nil {
			return
		}
		w.t.Error(err)
	}
}

// TestNoAnswer: a server that has gone silent ends each call within its time, and says so.
func TestNoAnswer(t *testing.T) {
	t.Parallel()
	s := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body) // or the end of the client is not seen
		<-r.Context().Done()
	}))
	defer s.Close()
	opt := testOptions("bucket-x", s.URL)
	opt.Timeout = 600 * time.Millisecond
	b := open(t, opt) // this is no error
	for name, call := range map[string]func() error{
		"create":  func() error { _, err := b.Create(context.Background(), owner, "k"); return err },
		"publish": func() error { return b.Publish(context.Background(), aToken()) },
		"discard": func() error { return b.Discard(context.Background(), aToken().ID) },
		"tokens":  func() error { _, err := b.Tokens(context.Background(), owner); return err },
		"open":    func() error { _, err := b.Open(context.Background(), "k"); return err },
		"stat":    func() error { _, err := b.Stat(context.Background(), "k"); return err },
		"remove":  func() error { return b.Remove(context.Background(), "k") },
		"list": func() error {
			for _, err := range b.List(context.Background(), "") {
				return err
			}
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			if err := call(); err == nil || errors.Is(err, bucket.ErrNotExist) || !strings.Contains(err.Error(), "no answer within") && !strings.Contains(err.Error(), "deadline") {
				t.Errorf("the error is %v", err)
			}
			if took := time.Since(began); took > 5*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
}

func aToken() bucket.Token {
	return bucket.Token{ID: owner + "-000102030405060708090a0b", Key: "k"}
}

// TestRefusing: what waiting does not help against is an error at once, and says what to do.
func TestRefusing(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		code, want string
	}{
		{404, "NoSuchBucket", "create it"},
		{403, "AccessDenied", "may not do this"},
		{403, "InvalidAccessKeyId", "access key"},
		{403, "SignatureDoesNotMatch", "secret"},
		{400, "ExpiredToken", "renew them"},
		{403, "RequestTimeTooSkewed", "clock"},
		{301, "PermanentRedirect", "bucket.s3.region"},
	} {
		t.Run(c.code, func(t *testing.T) {
			t.Parallel()
			var n atomic.Int64
			s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				n.Add(1)
				w.WriteHeader(c.status)
				fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no</Message></Error>", c.code)
			}))
			defer s.Close()
			_, err := Open(t.Context(), testOptions("bucket-x", s.URL))
			if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "bucket-x") {
				t.Errorf("the error is %v", err)
			}
			if n.Load() > 2 {
				t.Errorf("it was tried %d times", n.Load())
			}
		})
	}
	t.Run("options", func(t *testing.T) {
		t.Parallel()
		for want, change := range map[string]func(*Options){
			"name is empty": func(o *Options) { o.Name = "" },
			"prefix":        func(o *Options) { o.Prefix = "a//b" },
			"part_size":     func(o *Options) { o.PartSize = 1 << 20 },
			"encryption":    func(o *Options) { o.Encryption = "rot13" },
			"kms_key":       func(o *Options) { o.KMSKey = "k" },
		} {
			opt := testOptions("bucket-x", "http://127.0.0.1:1")
			change(&opt)
			if _, err := Open(t.Context(), opt); err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v", want, err)
			}
		}
	})
}

// TestFull: a bucket that is full says so at whatever step it is found, shows nothing of what did not fit, and takes it when there is room.
func TestFull(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		status     int
		code, want string
	}{
		{403, "QuotaExceeded", "the bucket is full"},
		{507, "XMinioStorageFull", "the server's disk is full"},
	} {
		for _, size := range []int{100, 12 << 20} {
			t.Run(fmt.Sprint(c.code, size), func(t *testing.T) {
				t.Parallel()
				var full atomic.Bool
				real := s3test.Handler()
				s := s3test.Fake(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
					if full.Load() && (r.Method == http.MethodPut || r.Method == http.MethodPost) {
						io.Copy(io.Discard, r.Body)
						w.WriteHeader(c.status)
						fmt.Fprintf(w, "<Error><Code>%s</Code><Message>no room</Message></Error>", c.code)
						return
					}
					real.ServeHTTP(w, r)
				}))
				opt := optionsOf(t, s)
				opt.PartSize, opt.Timeout = 5<<20, 5*time.Second
				b := open(t, opt)
				content := bytes.Repeat([]byte("0123456789"), size/10)
				write := func() (bucket.Token, error) {
					w, err := b.Create(t.Context(), owner, "a/b")
					if err != nil {
						return bucket.Token{}, err
					}
					if _, err := w.Write(content); err != nil {
						return bucket.Token{}, errors.Join(err, w.Abort())
					}
					return w.Seal()
				}
				full.Store(true)
				if _, err := write(); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("written to a full bucket: %v", err)
				}
				full.Store(false)
				token, err := write()
				if err != nil {
					t.Fatal(err)
				}
				full.Store(true) // between sealing and publishing
				if err := b.Publish(t.Context(), token); err == nil || !strings.Contains(err.Error(), c.want) {
					t.Errorf("published to a full bucket: %v", err)
				}
				if _, err := b.Open(t.Context(), "a/b"); !errors.Is(err, fs.ErrNotExist) {
					t.Errorf("before it is published there is %v", err)
				}
				full.Store(false)
				if err := b.Publish(t.Context(), token); err != nil {
					t.Fatal(err)
				}
				if got, err := b.readAll(t.Context(), "a/b", 1<<30); err != nil || !bytes.Equal(got, content) {
					t.Errorf("then there are %d bytes, %v", len(got), err)
				}
			})
		}
	}
}
