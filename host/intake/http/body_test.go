package httpdoor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestSlowBody(t *testing.T) {
	t.Parallel()
	raw := &fakeRaw{}
	d := testDoor(t, Options{Raw: raw, BodyTimeout: 50 * time.Millisecond})
	c := dial(t, serve(t, ServerOptions{Handler: d}))
	resp, text := ask(t, c, "POST", bare("POST", generic, "Content-Length: 10")+"{}")
	if resp.StatusCode != 400 || len(raw.all()) != 0 {
		t.Errorf("status %d, %d messages: %s", resp.StatusCode, len(raw.all()), text)
	}
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection goes on: %d, %v", n, err)
	}
	if n := d.Stats().InFlight; n != 0 {
		t.Errorf("%d bytes are still held", n)
	}
}

// The deadline is the body's: a stream that takes longer than that to store it is waited for, and the
// connection goes on.
func TestSlowStream(t *testing.T) {
	t.Parallel()
	const timeout = 30 * time.Millisecond
	raw := &fakeRaw{answer: func(context.Context, [][]byte) error {
		<-time.After(2 * timeout)
		return nil
	}}
	c := dial(t, serve(t, ServerOptions{Handler: testDoor(t, Options{Raw: raw, BodyTimeout: timeout})}))
	for range 2 {
		if resp, text := ask(t, c, "POST", post(generic, "{}")); resp.StatusCode != 200 {
			t.Errorf("status %d: %s", resp.StatusCode, text)
		}
	}
}

// A refused submission whose small body never comes does not hold its connection for ever.
func TestSlowRefusedBody(t *testing.T) {
	t.Parallel()
	c := dial(t, serve(t, ServerOptions{Handler: testDoor(t, Options{BodyTimeout: 30 * time.Millisecond})}))
	resp, text := ask(t, c, "POST", bare("POST", "/submit/nobody/x", "Content-Length: 100"))
	if resp.StatusCode != 404 {
		t.Errorf("status %d: %s", resp.StatusCode, text)
	}
	if n, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection goes on: %d, %v", n, err)
	}
}

func TestSlowHeader(t *testing.T) {
	t.Parallel()
	c := dial(t, serve(t, ServerOptions{Handler: testDoor(t, Options{}), HeaderTimeout: 50 * time.Millisecond}))
	if _, err := io.WriteString(c, "POST "+generic); err != nil {
		t.Fatal(err)
	}
	if answer, err := io.ReadAll(c); err != nil || strings.Contains(string(answer), "200") {
		t.Errorf("the server answers %q, %v", answer, err)
	}
}

// A connection is kept over many submissions, and over a refused one whose body was read.
func TestKeepAlive(t *testing.T) {
	t.Parallel()
	raw := &fakeRaw{}
	c := dial(t, serve(t, ServerOptions{Handler: testDoor(t, Options{Raw: raw})}))
	for i := range 50 {
		if resp, _ := ask(t, c, "POST", post(generic, fmt.Sprint(i))); resp.StatusCode != 200 {
			t.Fatalf("submission %d: status %d", i, resp.StatusCode)
		}
		if resp, _ := ask(t, c, "POST", post("/submit/nobody/x", "small")); resp.StatusCode != 404 {
			t.Fatalf("unknown namespace: status %d", resp.StatusCode)
		}
	}
	if n := len(raw.all()); n != 50 {
		t.Errorf("%d messages", n)
	}
}

// Bodies of all sizes arrive whole while buffers are reused, from many connections at once.
func TestManyBodies(t *testing.T) {
	t.Parallel()
	raw := &fakeRaw{}
	d := testDoor(t, Options{Raw: raw, MaxBody: 1 << 20, MaxInFlight: 64 << 20})
	addr := serve(t, ServerOptions{Handler: d})
	sizes := []int{0, 1, 100, smallRoom - 300, smallRoom, firstRoom - 1, firstRoom, firstRoom + 1, poolable, 500_000, 1 << 20}
	var clients sync.WaitGroup
	for client := range 8 {
		c := dial(t, addr)
		clients.Go(func() {
			rng := rand.New(rand.NewPCG(uint64(client), 0))
			for i := range 30 {
				body := bytes.Repeat([]byte{byte('a' + client)}, sizes[rng.IntN(len(sizes))])
				if err := drip(c, rng, post(fmt.Sprintf("/submit/shop/cart/%d/%s", 100*client+i, id), string(body))); err != nil {
					t.Errorf("client %d: %v", client, err)
					return
				}
				if resp, text := answerOf(t, c, "POST"); resp.StatusCode != 200 {
					t.Errorf("client %d: status %d: %s", client, resp.StatusCode, text)
				}
			}
		})
	}
	clients.Wait()
	msgs := raw.all()
	if len(msgs) != 8*30 {
		t.Fatalf("%d messages", len(msgs))
	}
	for _, m := range msgs {
		all, content := fields(t, m)
		var version, length int
		for _, f := range all {
			if v, ok := strings.CutPrefix(f, "uri=/submit/shop/cart/"); ok {
				fmt.Sscanf(v, "%d/", &version)
			}
			if v, ok := strings.CutPrefix(f, "Content-Length="); ok {
				fmt.Sscanf(v, "%d", &length)
			}
		}
		if want := bytes.Repeat([]byte{byte('a' + version/100)}, length); !bytes.Equal(content, want) {
			t.Fatalf("the content of client %d has %d bytes that are not all its own, Content-Length %d", version/100, len(content), length)
		}
	}
	if n := d.Stats().InFlight; n != 0 {
		t.Errorf("%d bytes are still held", n)
	}
}

// drip sends a request in a few pieces of odd sizes.
func drip(c net.Conn, rng *rand.Rand, request string) error {
	for request != "" {
		n := min(1+rng.IntN(200_000), len(request))
		if _, err := io.WriteString(c, request[:n]); err != nil {
			return err
		}
		request = request[n:]
	}
	return nil
}

// What is under way is bounded: who comes when the memory is taken is told to come back, and one who only
// announces a large body takes little.
func TestMemoryInFlight(t *testing.T) {
	t.Parallel()
	hold, holding := make(chan struct{}), make(chan struct{}, 10)
	raw := &fakeRaw{answer: func(context.Context, [][]byte) error {
		holding <- struct{}{}
		<-hold
		return nil
	}}
	const maxBody = 1 << 20
	d := testDoor(t, Options{Raw: raw, MaxBody: maxBody, MaxInFlight: maxBody + 256<<10})
	addr := serve(t, ServerOptions{Handler: d})
	large := post(generic, strings.Repeat("x", maxBody))

	first := dial(t, addr)
	if _, err := io.WriteString(first, large); err != nil {
		t.Fatal(err)
	}
	<-holding
	if n := d.Stats().InFlight; n < maxBody || n > maxBody+128<<10 {
		t.Errorf("%d bytes are held for a body of %d", n, maxBody)
	}
	second := dial(t, addr)
	go io.WriteString(second, large) // the server may stop reading it
	resp, text := answerOf(t, second, "POST")
	if resp.StatusCode != 500 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("status %d: %s", resp.StatusCode, text)
	}
	third := dial(t, addr)
	if _, err := io.WriteString(third, post(generic, "small")); err != nil {
		t.Fatal(err)
	}
	<-holding // there is room for a small one
	close(hold)
	for _, c := range []net.Conn{first, third} {
		if resp, text := answerOf(t, c, "POST"); resp.StatusCode != 200 {
			t.Errorf("status %d: %s", resp.StatusCode, text)
		}
	}
	if n := d.Stats().InFlight; n != 0 {
		t.Errorf("%d bytes are still held", n)
	}
}

func TestAnnouncedBodiesTakeLittle(t *testing.T) {
	t.Parallel()
	const clients, maxBody = 20, 10 << 20
	raw := &fakeRaw{}
	d := testDoor(t, Options{Raw: raw, MaxBody: maxBody, MaxInFlight: 16 << 20})
	addr := serve(t, ServerOptions{Handler: d})
	for range clients { // 200 MB announced, of which nothing comes
		c := dial(t, addr)
		if _, err := io.WriteString(c, bare("POST", generic, fmt.Sprint("Content-Length: ", maxBody), "Expect: 100-continue")); err != nil {
			t.Fatal(err)
		}
		if resp, _ := answerOf(t, c, "POST"); resp.StatusCode != 100 {
			t.Fatalf("status %d", resp.StatusCode)
		}
	}
	if n := d.Stats().InFlight; n > clients*(firstRoom+smallRoom) {
		t.Errorf("%d clients that sent nothing hold %d bytes", clients, n)
	}
	if resp, text := ask(t, dial(t, addr), "POST", post(generic, strings.Repeat("x", 5<<20))); resp.StatusCode != 200 {
		t.Errorf("status %d: %s", resp.StatusCode, text)
	}
}

// After an append that failed half-way the stream may go on reading the message: nobody else writes there.
func TestBufferOfFailedAppendIsLeftAlone(t *testing.T) {
	t.Parallel()
	kept := make(chan []byte, 100)
	raw := &fakeRaw{answer: func(_ context.Context, msgs [][]byte) error {
		kept <- msgs[0]
		return errors.New("the append is still under way")
	}}
	c := dial(t, serve(t, ServerOptions{Handler: testDoor(t, Options{Raw: raw})}))
	for i := range 20 {
		ask(t, c, "POST", post(generic, fmt.Sprintf("body %02d", i)))
	}
	for i := range 20 {
		if _, content := fields(t, <-kept); string(content) != fmt.Sprintf("body %02d", i) {
			t.Fatalf("submission %d now reads %q", i, content)
		}
	}
}

// A sender who hangs up after the body does not stop the append.
func TestSenderHangsUp(t *testing.T) {
	t.Parallel()
	gone, ended := make(chan struct{}), make(chan error, 1)
	raw := &fakeRaw{answer: func(ctx context.Context, _ [][]byte) error {
		<-gone
		ended <- ctx.Err()
		return nil
	}}
	c := dial(t, serve(t, ServerOptions{Handler: testDoor(t, Options{Raw: raw})}))
	if _, err := io.WriteString(c, post(generic, "{}")); err != nil {
		t.Fatal(err)
	}
	c.Close()
	close(gone)
	if err := <-ended; err != nil {
		t.Errorf("the append is told to stop: %v", err)
	}
}
