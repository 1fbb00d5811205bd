// Package kafkatest runs Kafka for tests: one in the process, and Apache's where it is installed.
package kafkatest

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

// Fake is a cluster in the process.
func Fake(t testing.TB, opts ...kfake.Opt) *kfake.Cluster {
	t.Helper()
	c, err := kfake.NewCluster(append(opts, kfake.NumBrokers(1))...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// Broker is Apache Kafka with one node.
type Broker struct {
	Addr string

	t       testing.TB
	libs    string
	dir     string
	cmd     *exec.Cmd
	out     bytes.Buffer
	control string // address of the controller
}

// Real starts a broker, and skips the test where Java or Kafka are missing.
func Real(t testing.TB) *Broker {
	t.Helper()
	libs := os.Getenv("SANDBAR_KAFKA")
	if libs == "" {
		t.Skip("SANDBAR_KAFKA does not say where Kafka's jars are; .ci/kafka/get DIR fetches them")
	}
	if _, err := exec.LookPath("java"); err != nil {
		t.Skip("java is not here; .ci/run installs it")
	}
	b := &Broker{Addr: address(t), control: address(t), t: t, libs: libs, dir: t.TempDir()}
	b.format()
	b.Start()
	t.Cleanup(func() {
		b.Kill()
		if t.Failed() {
			t.Logf("kafka: %.4000s", b.out.String())
		}
	})
	return b
}

func address(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

func (b *Broker) properties() string { return filepath.Join(b.dir, "server.properties") }

func (b *Broker) java(args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", b.libs + "/*"}, args...)...)
	cmd.Stdout, cmd.Stderr = &b.out, &b.out
	return cmd
}

func (b *Broker) format() {
	b.t.Helper()
	text := fmt.Sprintf(`process.roles=broker,controller
node.id=1
listeners=PLAINTEXT://%[1]s,CONTROLLER://%[2]s
advertised.listeners=PLAINTEXT://%[1]s
controller.listener.names=CONTROLLER
controller.quorum.voters=1@%[2]s
log.dirs=%[3]s
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
group.initial.rebalance.delay.ms=0
auto.create.topics.enable=false
log.cleaner.dedupe.buffer.size=16777216
`, b.Addr, b.control, filepath.Join(b.dir, "data"))
	if err := os.WriteFile(b.properties(), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	var id [16]byte
	rand.Read(id[:])
	if err := b.java("kafka.tools.StorageTool", "format", "-t", base64.RawURLEncoding.EncodeToString(id[:]), "-c", b.properties()).Run(); err != nil {
		b.t.Fatalf("format the broker's folder: %v\n%.2000s", err, b.out.String())
	}
}

// Start starts the broker, again after Kill, and waits until it answers.
func (b *Broker) Start() {
	b.t.Helper()
	b.cmd = b.java("kafka.Kafka", b.properties())
	if err := b.cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(b.Addr), kgo.DialTimeout(time.Second))
	if err != nil {
		b.t.Fatal(err)
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for client.Ping(ctx) != nil {
		select {
		case <-tick.C:
		case <-ctx.Done():
			b.t.Fatalf("kafka does not answer\n%.4000s", b.out.String())
		}
	}
}

// Pid is that of the broker's process.
func (b *Broker) Pid() int { return b.cmd.Process.Pid }

// Kill ends the broker as a power cut does. What it has stays.
func (b *Broker) Kill() {
	if b.cmd == nil {
		return
	}
	b.cmd.Process.Signal(syscall.SIGKILL)
	b.cmd.Wait()
	b.cmd = nil
}
