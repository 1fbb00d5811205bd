package irc

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"sandbar/host/notify"
)

// server speaks as much of IRC as a client needs, and keeps what was said. A nick "taken" is.
type server struct {
	addr string
	mu   sync.Mutex
	said []string
}

func newServer(t *testing.T, password string, refuse string) *server {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{addr: l.Addr().String()}
	var serving sync.WaitGroup
	serving.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			serving.Go(func() { s.serve(c, password, refuse) })
		}
	})
	t.Cleanup(func() { l.Close(); serving.Wait() })
	return s
}

func (s *server) serve(c net.Conn, password, refuse string) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	in := bufio.NewScanner(c)
	nick, pass := "", ""
	for in.Scan() {
		s.mu.Lock()
		s.said = append(s.said, in.Text())
		s.mu.Unlock()
		command, args, _ := strings.Cut(in.Text(), " ")
		switch command {
		case "PASS":
			pass = strings.TrimPrefix(args, ":")
		case "NICK":
			if args == "taken" {
				fmt.Fprintf(c, ":irc.example 433 * taken :Nickname is already in use\r\n")
				continue
			}
			nick = args
			fmt.Fprintf(c, "PING :cookie\r\n")
		case "PONG":
			if pass != password {
				fmt.Fprintf(c, ":irc.example 464 %s :Password incorrect\r\n", nick)
				return
			}
			fmt.Fprintf(c, ":irc.example NOTICE * :hello\r\n:irc.example 001 %s :Welcome\r\n:irc.example 422 %[1]s :no MOTD\r\n", nick)
		case "JOIN":
			if args == refuse {
				fmt.Fprintf(c, ":irc.example 473 %s %s :Cannot join channel\r\n", nick, args)
				continue
			}
			fmt.Fprintf(c, ":%s!x@y JOIN %s\r\n:irc.example 353 %[1]s = %[2]s :%[1]s\r\n:irc.example 366 %[1]s %[2]s :End\r\n", nick, args)
		case "QUIT":
			fmt.Fprintf(c, "ERROR :bye\r\n")
			return
		}
	}
}

func (s *server) all() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return strings.Join(s.said, "\n")
}

func teller(nick string, lines ...string) *IRC {
	return New(Options{Nick: nick, Dial: (&net.Dialer{}).DialContext, Line: func(*notify.Notice) []string { return lines }})
}

// TestSend: lines arrive in the channel, whatever they hold; a nick that is taken is changed; what the server refuses is an error.
func TestSend(t *testing.T) {
	t.Parallel()
	s := newServer(t, "s3cret", "#closed")
	to := func(channel, secret string) notify.Target {
		return notify.Target{Way: "irc", Address: "irc://" + s.addr + "/" + channel, Secret: secret}
	}
	if err := teller("taken", "one", "two\r\nQUIT :injected", strings.Repeat("ü", 400)).Send(t.Context(), &notify.Notice{}, to("ops", "s3cret")); err != nil {
		t.Fatal(err)
	}
	said := s.all()
	for _, want := range []string{"NICK taken_", "JOIN #ops", "PRIVMSG #ops :one", "PRIVMSG #ops :two  QUIT :injected", "PRIVMSG #ops :" + strings.Repeat("ü", 200)} {
		if !strings.Contains(said, want+"\n") {
			t.Errorf("there is no %q in %s", want, said)
		}
	}
	if err := teller("a", "x").Send(t.Context(), &notify.Notice{}, to("ops", "wrong")); err == nil || !strings.Contains(err.Error(), "464") {
		t.Errorf("a wrong password: %v", err)
	}
	if err := teller("a", "x").Send(t.Context(), &notify.Notice{}, to("closed", "s3cret")); err == nil || !strings.Contains(err.Error(), "473") {
		t.Errorf("a closed channel: %v", err)
	}
	many := make([]string, 40)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	if err := teller("a", many...).Send(ctx, &notify.Notice{}, to("many", "s3cret")); err != nil || strings.Count(s.all(), "PRIVMSG #many") != mostLines || !strings.Contains(s.all(), "and 29 more") {
		t.Errorf("%d lines, %v", strings.Count(s.all(), "PRIVMSG #many"), err)
	}
}

// TestBad: servers that hang, talk without an end or are not there hold nobody up; addresses that are none are refused.
func TestBad(t *testing.T) {
	t.Parallel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	go func() {
		for k := 0; ; k++ {
			c, err := l.Accept()
			if err != nil {
				return
			}
			if k%2 == 1 {
				go func() {
					for err == nil {
						_, err = fmt.Fprint(c, ":x NOTICE y :z\r\n")
					}
				}()
			}
		}
	}()
	for range 2 {
		ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
		begun := time.Now()
		if err := teller("a", "x").Send(ctx, &notify.Notice{}, notify.Target{Address: "irc://" + l.Addr().String() + "/c"}); err == nil || time.Since(begun) > 5*time.Second {
			t.Errorf("after %v: %v", time.Since(begun), err)
		}
		cancel()
	}
	for _, bad := range []string{"", "https://x/y", "irc://", "irc:///c", "irc://x", "irc://x/a b", "irc://x/a,b", "irc://u:p@x/c", "irc://x/" + strings.Repeat("c", 60)} {
		if err := teller("a", "x").Send(t.Context(), &notify.Notice{}, notify.Target{Address: bad}); !errors.Is(err, notify.ErrPermanent) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	for address, want := range map[string]string{"ircs://irc.example/ops": "#ops", "irc://irc.example:7000/#ops": "#ops"} {
		if p, err := parse(address); err != nil || p.channel != want {
			t.Errorf("%s: %+v, %v", address, p, err)
		}
	}
}
