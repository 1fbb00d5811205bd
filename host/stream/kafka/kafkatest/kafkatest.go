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
	"strconv"
	"strings"
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
	Via  []*Proxy // further ways to it, as RealVia has asked for
	SASL string   // address that wants SASL's OAUTHBEARER, with a token that nobody has signed

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
	return RealVia(t, 0)
}

// RealInner starts a broker that reaches itself over a proxy: with that one cut it cannot end transactions.
func RealInner(t testing.TB) *Broker {
	t.Helper()
	return startReal(t, 1, "VIA0")
}

// RealVia starts a broker that can also be reached over so many proxies.
func RealVia(t testing.TB, proxies int) *Broker {
	t.Helper()
	return startReal(t, proxies, "PLAINTEXT")
}

func startReal(t testing.TB, proxies int, inner string) *Broker {
	t.Helper()
	libs := os.Getenv("SANDBAR_KAFKA")
	if libs == "" {
		t.Skip("SANDBAR_KAFKA does not say where Kafka's jars are; .ci/kafka/get DIR fetches them")
	}
	if _, err := exec.LookPath("java"); err != nil {
		t.Skip("java is not here; .ci/run installs it")
	}
	free := addresses(t, 3+proxies)
	b := &Broker{Addr: free[0], control: free[1], SASL: free[2], t: t, libs: libs, dir: t.TempDir()}
	for i := range proxies {
		b.Via = append(b.Via, newProxy(t, free[3+i]))
	}
	b.format(inner)
	b.Start()
	t.Cleanup(func() {
		b.Kill()
		if t.Failed() {
			t.Logf("kafka: %.4000s", b.out.String())
		}
	})
	return b
}

// addresses are n that are free, and different: one that was let go of may come again.
func addresses(t testing.TB, n int) (all []string) {
	t.Helper()
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
		all = append(all, l.Addr().String())
	}
	return all
}

func (b *Broker) properties() string { return filepath.Join(b.dir, "server.properties") }

func (b *Broker) java(args ...string) *exec.Cmd {
	cmd := exec.Command("java", append([]string{"-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", b.libs + "/*"}, args...)...)
	cmd.Stdout, cmd.Stderr = &b.out, &b.out
	return cmd
}

func (b *Broker) format(inner string) {
	b.t.Helper()
	listeners, advertised := "PLAINTEXT://"+b.Addr+",OAUTH://"+b.SASL, "PLAINTEXT://"+b.Addr+",OAUTH://"+b.SASL
	protocols := "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,OAUTH:SASL_PLAINTEXT"
	for i, p := range b.Via {
		listeners += fmt.Sprintf(",VIA%d://%s", i, p.to)
		advertised += fmt.Sprintf(",VIA%d://%s", i, p.Addr)
		protocols += fmt.Sprintf(",VIA%d:PLAINTEXT", i)
	}
	text := fmt.Sprintf(`process.roles=broker,controller
node.id=1
listeners=%[1]s,CONTROLLER://%[2]s
advertised.listeners=%[4]s
listener.security.protocol.map=%[5]s
inter.broker.listener.name=%[6]s
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
listener.name.oauth.sasl.enabled.mechanisms=OAUTHBEARER
listener.name.oauth.oauthbearer.sasl.jaas.config=org.apache.kafka.common.security.oauthbearer.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";
`, listeners, b.control, filepath.Join(b.dir, "data"), advertised, protocols, inner)
	if err := os.WriteFile(b.properties(), []byte(text), 0o600); err != nil {
		b.t.Fatal(err)
	}
	var id [16]byte
	rand.Read(id[:])
	if err := b.java("kafka.tools.StorageTool", "format", "--cluster-id="+base64.RawURLEncoding.EncodeToString(id[:]), "-c", b.properties()).Run(); err != nil {
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

// Consume reads a topic with Kafka's own command-line consumer, of which it knows nothing but what its manual says.
func (b *Broker) Consume(topic string, messages int) [][]byte {
	b.t.Helper()
	const end = "\n--end of a record--\n"
	cmd := b.java("org.apache.kafka.tools.consumer.ConsoleConsumer", "--bootstrap-server", b.Addr, "--topic", topic, "--from-beginning", "--isolation-level", "read_committed",
		"--max-messages", strconv.Itoa(messages), "--timeout-ms", "30000", "--formatter-property", "line.separator="+end)
	var out, said bytes.Buffer // not the broker's, which writes to that
	cmd.Stdout, cmd.Stderr = &out, &said
	if err := cmd.Run(); err != nil {
		b.t.Fatalf("read topic %s on the command line: %v\n%.2000s", topic, err, said.String())
	}
	records := bytes.Split(out.Bytes(), []byte(end))
	return records[:len(records)-1]
}

// Pid is that of the broker's process.
func (b *Broker) Pid() int { return b.cmd.Process.Pid }

// CPU is the time that a process has used, as far as /proc tells.
func CPU(t testing.TB, pid int) time.Duration {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		t.Skipf("CPU time is not told here: %v", err)
	}
	fields := strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])) // from the state on, which is the third
	var ticks time.Duration
	for _, f := range fields[11:13] { // user and system
		n, err := strconv.Atoi(f)
		if err != nil {
			t.Fatal(err)
		}
		ticks += time.Duration(n)
	}
	return ticks * time.Second / 100
}

// Kill ends the broker as a power cut does. What it has stays.
func (b *Broker) Kill() {
	if b.cmd == nil {
		return
	}
	b.cmd.Process.Signal(syscall.SIGKILL)
	b.cmd.Wait()
	b.cmd = nil
}
