package feed

import (
	"context"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// SenderOptions say where files go and how hard to try.
type SenderOptions struct {
	URL      string                          // the edge, http://127.0.0.1:8080. Required
	Workers  int                             // requests under way at once; default 8
	Tries    int                             // for one file, when the edge answers 5xx or not at all; default 5
	Backoff  time.Duration                   // the first pause between tries; it doubles; default 200 ms
	Progress func(done, total int, r Result) // told after each file, by one goroutine at a time; may be nil
	Client   *http.Client                    // nil makes one
}

// Sender posts ping files to an edge.
type Sender struct {
	opts   SenderOptions
	poster *poster
}

// Result is how one file went.
type Result struct {
	Path   string
	URI    string
	Status int    // the edge's last answer; 0 when there was none
	Text   string // of that answer
	Err    error  // why there is no answer
	Tries  int
}

// Summary is how a tree went.
type Summary struct {
	Files   int         // ping files found
	Status  map[int]int // by the edge's last answer
	Failed  []Result    // files that were not taken (not 200), in the order they ended
	Retries int
	Unknown []string // .json files whose name and place do not say what they are; not sent
}

// maxFile bounds what is read of one file. Edges take less; theirs to say so.
const maxFile = 64 << 20

// NewSender checks the options.
func NewSender(o SenderOptions) (*Sender, error) {
	if o.Workers <= 0 {
		o.Workers = 8
	}
	if o.Tries <= 0 {
		o.Tries = 5
	}
	if o.Backoff <= 0 {
		o.Backoff = 200 * time.Millisecond
	}
	p, err := newPoster(o.URL, o.Client, o.Workers)
	if err != nil {
		return nil, err
	}
	return &Sender{opts: o, poster: p}, nil
}

// Send posts the ping files below dir. A file that the edge refuses is no error of Send: the summary tells.
func (s *Sender) Send(ctx context.Context, dir string) (Summary, error) {
	defer s.poster.close()
	abs, err := filepath.Abs(dir)
	if err != nil {
		return Summary{}, fmt.Errorf("finding %s: %w", dir, err)
	}
	tree := os.DirFS(dir)
	pings, unknown, err := scan(tree, filepath.Base(abs))
	if err != nil {
		return Summary{}, fmt.Errorf("sending %s: %w", dir, err)
	}
	sum := Summary{Files: len(pings), Status: map[int]int{}, Unknown: unknown}
	if len(pings) == 0 {
		return sum, fmt.Errorf("sending %s: no ping files there; they are named <namespace>/<docType>.<version>.<name>.<pass|fail>.json or <namespace>/<docType>/<version>/<name>.json", dir)
	}
	err = s.sendAll(ctx, tree, pings, &sum)
	return sum, err
}

// job is a file ready to be posted, or the reason why it could not be read.
type job struct {
	path string
	sub  *Submission
	err  error
}

func (s *Sender) sendAll(ctx context.Context, tree fs.FS, pings []ping, sum *Summary) error {
	jobs, results := make(chan job), make(chan Result)
	var workers sync.WaitGroup
	workers.Go(func() {
		defer close(jobs)
		read(ctx, tree, pings, jobs)
	})
	for range s.opts.Workers {
		workers.Go(func() {
			for j := range jobs {
				results <- s.try(ctx, j)
			}
		})
	}
	go func() { workers.Wait(); close(results) }() // ends before the loop below does
	done := 0
	for r := range results {
		done++
		sum.add(r)
		if s.opts.Progress != nil {
			s.opts.Progress(done, len(pings), r)
		}
	}
	return ctx.Err()
}

func (sum *Summary) add(r Result) {
	sum.Retries += max(r.Tries-1, 0)
	if r.Err == nil {
		sum.Status[r.Status]++
	}
	if r.Status != http.StatusOK {
		sum.Failed = append(sum.Failed, r)
	}
}

// read reads the files one after the other, so that the same tree gives the same URIs each time.
func read(ctx context.Context, tree fs.FS, pings []ping, jobs chan<- job) {
	to := addressee{used: map[string]bool{}}
	for _, p := range pings {
		j := job{path: p.path}
		body, err := readFile(tree, p.path)
		if err != nil {
			j.err = err
		} else {
			j.sub = &Submission{
				Kind: p.docType + "." + p.version, URI: to.uri(p, body), Body: body,
				Header: http.Header{"Content-Type": {"application/json; charset=UTF-8"}, "User-Agent": {"sandbar-send"}},
			}
		}
		select {
		case jobs <- j:
		case <-ctx.Done():
			return
		}
	}
}

func readFile(tree fs.FS, name string) ([]byte, error) {
	f, err := tree.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading a ping file: %w", err)
	}
	defer f.Close()
	body, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, fmt.Errorf("reading ping file %s: %w", name, err)
	}
	if len(body) > maxFile {
		return nil, fmt.Errorf("ping file %s is larger than %d MiB, which no edge takes", name, maxFile>>20)
	}
	return body, nil
}

// try posts one file until the edge says something final.
func (s *Sender) try(ctx context.Context, j job) Result {
	r := Result{Path: j.path, Err: j.err}
	if j.err != nil {
		return r
	}
	r.URI = j.sub.URI
	var wait time.Duration
	for {
		if err := ctx.Err(); err != nil {
			r.Err = err
			return r
		}
		var wished time.Duration
		r.Status, r.Text, wished, r.Err = s.poster.post(ctx, j.sub)
		r.Tries++
		final := r.Err == nil && r.Status < 500
		if final || r.Tries == s.opts.Tries {
			return r
		}
		wait = nextPause(wait, s.opts.Backoff, wished)
		_ = pause(ctx, wait) // when it ends early, the next round says so
	}
}
