// Package s3test runs S3 servers for tests: one in the process, and a real one where it is installed.
package s3test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/johannesboyne/gofakes3"
	"github.com/johannesboyne/gofakes3/backend/s3mem"
)

// The credentials that the servers take.
const (
	AccessKey = "sandbar-test"
	SecretKey = "not-a-secret"
	Region    = "us-east-1"
)

// Server is an S3 server.
type Server struct {
	URL string
	Dir string // of the real one: a file for each object, below a folder for each bucket

	t       testing.TB
	n       atomic.Int64 // buckets
	address string
	cmd     *exec.Cmd
	out     bytes.Buffer
}

// Handler keeps objects in memory.
func Handler() http.Handler { return gofakes3.New(s3mem.New()).Server() }

// Fake serves a handler, Handler or one around it.
func Fake(t testing.TB, h http.Handler) *Server {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return &Server{URL: s.URL, t: t}
}

// Real starts versitygw, and skips the test where it is not installed.
func Real(t testing.TB) *Server {
	t.Helper()
	if _, err := exec.LookPath("versitygw"); err != nil {
		t.Skip("versitygw is not here; .ci/run installs it")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &Server{t: t, Dir: t.TempDir(), address: l.Addr().String()}
	s.URL = "http://" + s.address
	l.Close()
	s.Start()
	t.Cleanup(func() {
		s.Stop()
		if t.Failed() {
			t.Logf("versitygw: %.2000s", s.out.String())
		}
	})
	return s
}

// Start starts the real server, again after Stop, and waits until it answers.
func (s *Server) Start() {
	s.t.Helper()
	s.cmd = exec.Command("versitygw", "--access", AccessKey, "--secret", SecretKey, "--port", s.address, "--quiet", "posix", s.Dir)
	s.cmd.Stdout, s.cmd.Stderr = &s.out, &s.out
	if err := s.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	deadline := time.After(20 * time.Second)
	for {
		if r, err := http.Get(s.URL + "/"); err == nil {
			r.Body.Close()
			return
		}
		select {
		case <-tick.C:
		case <-deadline:
			s.t.Fatalf("versitygw does not answer: %.2000s", s.out.String())
		}
	}
}

// Stop ends the real server. What it has stays.
func (s *Server) Stop() {
	if s.cmd == nil {
		return
	}
	s.cmd.Process.Signal(os.Interrupt)
	s.cmd.Wait()
	s.cmd = nil
}

// NewBucket makes a bucket and returns its name.
func (s *Server) NewBucket(t testing.TB) string {
	t.Helper()
	name := fmt.Sprintf("bucket-%d", s.n.Add(1))
	client := s3.New(s3.Options{BaseEndpoint: &s.URL, UsePathStyle: true, Region: Region, Credentials: credentials.NewStaticCredentialsProvider(AccessKey, SecretKey, "")})
	if _, err := client.CreateBucket(context.Background(), &s3.CreateBucketInput{Bucket: aws.String(name)}); err != nil {
		t.Fatal(err)
	}
	return name
}
