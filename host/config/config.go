// Package config is the host's config file: one struct, its defaults, and what is wrong with a given one.
//
// Each key's documentation is a tag beside its field; the sample file and the table in docs/configuration.md
// are made from these. Only cmd imports this package: it hands each room that room's own Options.
package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/pelletier/go-toml/v2"

	"sandbar/sandbox"
)

// Config is the whole file. A tag's doc is for who runs a host.
type Config struct {
	Data       string   `toml:"data" doc:"Folder for everything the host keeps: streams, bucket, catalog."`
	Listen     string   `toml:"listen" doc:"Address for the edge and the web page. Other addresses than loopback need token or insecure."`
	Hostname   string   `toml:"hostname" doc:"Name of this host in its messages. Empty takes the machine's name."`
	Token      string   `toml:"token" doc:"Secret that the web page and API ask for when the address is not loopback; at least 16 characters."`
	Insecure   bool     `toml:"insecure" doc:"Serve the web page and API without a token on any address, under any host name. Whoever reaches them can run plugins."`
	Schemas    string   `toml:"schemas" doc:"Folder of JSON Schemas, NAMESPACE/DOCTYPE/DOCTYPE.VERSION.schema.json. Empty takes those that ship. A property with \"x-personal\": true is marked on the page."`
	Namespaces []string `toml:"namespaces" doc:"Namespaces that the edge takes beside those that have schemas."`
	Plugins    string   `toml:"plugins" doc:"Folder of plugins in Hindsight's layout, decoder/, analysis/ and output/, loaded beside those of the catalog. Empty: none."`

	// Safe is a flag's alone: the host starts with submitted plugins stopped.
	Safe bool `toml:"-"`

	Edge     Edge    `toml:"edge" doc:"What comes in over HTTP."`
	TLS      TLS     `toml:"tls" doc:"HTTPS. The files are read again when they change."`
	Streams  Streams `toml:"streams" doc:"The four streams under DATA/streams."`
	Bucket   Bucket  `toml:"bucket" doc:"Where landfill and lake are. Without a name in bucket.s3 they are under DATA/bucket."`
	Landfill Roll    `toml:"landfill" doc:"The archive of what came in. A file is finished when it reaches the size or the age."`
	Lake     Roll    `toml:"lake" doc:"The Heka and Parquet files of output plugins. A file is finished when it reaches the size or the age."`
	Limits   Limits  `toml:"limits" doc:"What a plugin may use at most, by kind. A limit of 0 in a plugin's config stands for these; a plugin that asks for more is refused."`
	History  History `toml:"history" doc:"What graphs showed beyond their circular buffers, in DATA/views/history.db. A year of 1 000 graphs of 10 columns at a minute is some 9 GB."`
	Gate     Gate    `toml:"gate" doc:"What submissions have to show in a trial over the newest messages before they run. Without messages all that load run."`
	Alerts   Alerts  `toml:"alerts" doc:"How people are told of alerts, beside the page. Who is told of which is set on the page Alerts."`
	SQL      SQL     `toml:"sql" doc:"SQL over the lake, on its page. Each query is a process of DuckDB that sees the Parquet files of the lake and nothing else, with one thread and 512 MB; two run at a time."`
	Geo      Geo     `toml:"geo" doc:"MaxMind databases. A file that is replaced is opened again."`
}

// Edge bounds and trusts.
type Edge struct {
	MaxPath        Size      `toml:"max_path" doc:"Longest path with arguments; longer ones are answered with 414."`
	MaxBody        Size      `toml:"max_body" doc:"Largest body, as it was sent; larger ones are answered with 413."`
	MaxInFlight    Size      `toml:"max_in_flight" doc:"Memory for all submissions under way together, and a half of it for those of one address; more are answered with 500 and Retry-After. When there is none left, the body that is under way longest gives way."`
	MaxConnections Count     `toml:"max_connections" doc:"Connections at a time, and a quarter of them from one address that is no trusted proxy. Beyond it idle ones are closed first. It should be well below ulimit -n."`
	BodyTimeout    Duration  `toml:"body_timeout" doc:"Time for sending a body; large ones get a second more for each 32 KiB."`
	TrustedProxies []Network `toml:"trusted_proxies" doc:"Addresses or networks whose X-Forwarded-For says who the client is."`
}

// TLS names a key pair.
type TLS struct {
	Certificate string `toml:"certificate" doc:"File with the certificate chain, PEM. Empty: plain HTTP."`
	Key         string `toml:"key" doc:"File with its private key, PEM."`
}

// Streams are the logs.
type Streams struct {
	MaxMessage     Size     `toml:"max_message" doc:"Largest message. The edge's largest body has to fit into it."`
	SegmentSize    Size     `toml:"segment_size" doc:"A stream's file is this long; whole files are trimmed."`
	MinFree        Size     `toml:"min_free" doc:"Room that stays free on the disk; below it submissions are refused with 500."`
	CommitInterval Duration `toml:"commit_interval" doc:"How often positions, plugin states and outputs become durable."`
	Timeout        Duration `toml:"timeout" doc:"Time that a commit may take, or storing a submission. A commit is tried again after it; a submission is answered with 500."`

	Kafka Kafka `toml:"kafka" doc:"Apache Kafka, 2.8 or later, in place of files. Without brokers the streams are files under DATA/streams."`

	Raw     Retention `toml:"raw" doc:"Submissions as received. Never trimmed before landfill has them. A retention of 0 means no limit."`
	Valid   Retention `toml:"valid" doc:"Decoded and validated messages."`
	Errors  Retention `toml:"errors" doc:"What could not be decoded, with its cause."`
	Derived Retention `toml:"derived" doc:"What analysis plugins made."`
}

// Kafka is where the streams are instead of files.
type Kafka struct {
	Brokers    []string `toml:"brokers" doc:"Addresses, HOST:PORT. Empty: the streams are files."`
	Prefix     string   `toml:"prefix" doc:"Before the names of the topics: PREFIX.raw, .valid, .errors, .derived and .changelog. Topics that do not exist are created."`
	Replicas   Count    `toml:"replicas" doc:"Replicas of topics that are created."`
	Partitions Count    `toml:"partitions" doc:"Partitions of topics that are created. They are shared by all hosts with this prefix: no more hosts than partitions have work. A submission's document id says which one it is in."`

	TLS         bool   `toml:"tls" doc:"Reach the brokers over TLS."`
	CA          string `toml:"ca" doc:"File of the certificates, PEM, that brokers' are signed by. Empty: those of the machine."`
	Certificate string `toml:"certificate" doc:"File of this client's certificate chain, PEM, where brokers want one. Read again for each connection, as is the key."`
	Key         string `toml:"key" doc:"File of its private key, PEM."`
	SASL        string `toml:"sasl" doc:"PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER or empty."`
	User        string `toml:"user" doc:"User of PLAIN and SCRAM."`
	Password    string `toml:"password" doc:"Password of PLAIN and SCRAM. Empty: the environment's SANDBAR_KAFKA_PASSWORD."`
	TokenFile   string `toml:"token_file" doc:"File with the token of OAUTHBEARER. Read again for each connection."`
	Rack        string `toml:"rack" doc:"Rack of this host: what is read comes from a replica in it, where brokers have a replica selector."`
}

// Retention is how much of a stream is kept; what no reader needs any more goes when either limit is passed.
type Retention struct {
	Size Size     `toml:"retain_size" doc:"Newest bytes kept."`
	Age  Duration `toml:"retain_age" doc:"Time kept."`
}

// Roll is when a file is finished.
type Roll struct {
	Size Size     `toml:"roll_size" doc:"Size of a finished file, before compression."`
	Age  Duration `toml:"roll_age" doc:"Oldest age of an unfinished one."`
	Keep Duration `toml:"retain_age" doc:"Age at which a file is removed; 0 keeps it for ever. On S3 a lifecycle rule of the bucket does it, in whole days."`
}

// Bucket is where files go.
type Bucket struct {
	Timeout Duration `toml:"timeout" doc:"Time that a call of S3 may take, with all that is tried again. What fails is tried again later; nothing is lost by it."`
	S3      S3       `toml:"s3" doc:"A bucket of Amazon S3 or of a server that speaks its protocol. Credentials come from the environment (AWS_ACCESS_KEY_ID and others), ~/.aws, or the instance."`
}

// S3 names a bucket.
type S3 struct {
	Name       string `toml:"name" doc:"Name of the bucket, which must exist. Empty: files are under DATA/bucket."`
	Prefix     string `toml:"prefix" doc:"Before every key, without a slash at its end."`
	Endpoint   string `toml:"endpoint" doc:"URL of the server. Empty: Amazon's of the region."`
	Region     string `toml:"region" doc:"Empty: as the environment says, or us-east-1 with an endpoint."`
	PathStyle  bool   `toml:"path_style" doc:"The bucket's name is in the path and not in the host name, as MinIO, Ceph and others want it."`
	Encryption string `toml:"encryption" doc:"Encryption of objects at rest: AES256, aws:kms, or empty for what the bucket does by itself."`
	KMSKey     string `toml:"kms_key" doc:"Key for aws:kms. Empty: the account's."`
	NoChecksum bool   `toml:"no_checksum" doc:"Send no CRC32C with the parts of objects, for servers that know none."`
	PartSize   Size   `toml:"part_size" doc:"Bytes of a part, and memory of each object that is being written; at least 5MiB."`
}

// Limits are the ceilings of plugins.
type Limits struct {
	Decoder  Ceilings `toml:"decoder" doc:"Decoders."`
	Analysis Ceilings `toml:"analysis" doc:"Analysis plugins."`
	Output   Ceilings `toml:"output" doc:"Output plugins."`
}

// Ceilings are those of one kind of plugin.
type Ceilings struct {
	Instructions  Count    `toml:"instruction_limit" doc:"Fuel of one call, and of loading."`
	Memory        Size     `toml:"memory_limit" doc:"Memory of a plugin."`
	Output        Size     `toml:"output_limit" doc:"One message, payload or printed text."`
	ProcessInject Count    `toml:"process_message_inject_limit" doc:"Messages that one process_message makes."`
	TimerInject   Count    `toml:"timer_event_inject_limit" doc:"Messages that one timer_event makes."`
	InjectBytes   Size     `toml:"inject_bytes" doc:"Messages that one call makes, together."`
	Hourly        Size     `toml:"hourly_bytes" doc:"Messages that a plugin makes in an hour, a quarter of them at once; beyond it the plugin waits, so that others' messages stay on stream derived. 0 means no bound."`
	State         Size     `toml:"state_size" doc:"Preserved state."`
	Graph         Size     `toml:"graph_size" doc:"Payload of one graph."`
	LogLines      Count    `toml:"log_lines" doc:"Lines that one call prints; further ones are left out."`
	Source        Size     `toml:"source_size" doc:"Source of a Lua plugin."`
	Module        Size     `toml:"module_size" doc:"Module of a WASM plugin."`
	Ticker        Count    `toml:"ticker_interval" doc:"Shortest ticker_interval, in seconds."`
	Time          Duration `toml:"call_time" doc:"Time of one call, and of loading. A decoder goes on with the next message, and this one is put on stream errors."`
}

// ceilings are the defaults of one kind.
func ceilings(kind sandbox.Kind) Ceilings {
	c := sandbox.DefaultCeilings(kind)
	return Ceilings{Instructions: Count(c.Instructions), Memory: Size(c.Memory), Output: Size(c.Output), ProcessInject: Count(c.ProcessInject),
		TimerInject: Count(c.TimerInject), InjectBytes: Size(c.InjectBytes), Hourly: Size(c.Hourly), State: Size(c.State), Graph: Size(c.Graph), LogLines: Count(c.LogLines),
		Source: Size(c.Source), Module: Size(c.Module), Ticker: Count(c.Ticker), Time: Duration(c.Time)}
}

// Of returns the ceilings of a kind as plugins know them.
func (l *Limits) Of(kind sandbox.Kind) sandbox.Ceilings {
	c := map[sandbox.Kind]Ceilings{sandbox.Decoder: l.Decoder, sandbox.Analysis: l.Analysis, sandbox.Output: l.Output}[kind]
	return sandbox.Ceilings{Ticker: int(c.Ticker), Module: int(c.Module), Limits: sandbox.Limits{
		Instructions: int64(c.Instructions), Memory: int64(c.Memory), Output: int64(c.Output), ProcessInject: int(c.ProcessInject), TimerInject: int(c.TimerInject),
		InjectBytes: int64(c.InjectBytes), Hourly: int64(c.Hourly), State: int64(c.State), Graph: int64(c.Graph), LogLines: int(c.LogLines), Source: int(c.Source), Time: time.Duration(c.Time)}}
}

// History is how long what graphs showed is kept.
type History struct {
	Keep Duration `toml:"retain_age" doc:"Time kept; 0 keeps it for ever."`
}

// Alerts is how notices leave the host.
type Alerts struct {
	URL      string    `toml:"url" doc:"Address of the web page as people reach it, for links in notices, such as https://sandbar.example.com. Empty: that of the listener."`
	Budget   Count     `toml:"budget" doc:"Incidents of a plugin in an hour of which people are told as they come. Above it news of the plugin are told once an hour, and its owner is told so. 0: any number."`
	Networks []Network `toml:"webhook_networks" doc:"Of this host's own and of private networks: where webhooks may be, as addresses or CIDR. All public addresses are allowed."`
	Mail     Mail      `toml:"mail" doc:"The mail server. Alerts with email.recipients, as Hindsight's plugins send them, are mailed to these without a route."`
}

// Mail is how mail is sent.
type Mail struct {
	Server   string   `toml:"server" doc:"HOST:PORT of an SMTP server. Empty: no mail."`
	From     string   `toml:"from" doc:"The sender, such as Sandbar <sandbar@example.com>."`
	User     string   `toml:"user" doc:"Name to log in with. Empty: without."`
	Password string   `toml:"password" doc:"Empty: the environment's SANDBAR_MAIL_PASSWORD."`
	TLS      string   `toml:"tls" doc:"starttls (required), tls (from the beginning) or none."`
	Domains  []string `toml:"domains" doc:"Domains of mailboxes that may be written to. Empty: any."`
}

// SQL is how queries over the lake run.
type SQL struct {
	DuckDB string   `toml:"duckdb" doc:"DuckDB's command line program, 1.2 or newer: a name that is looked up in PATH, or a path. Empty, or where there is none: no SQL. The bucket has to be a folder."`
	Time   Duration `toml:"time" doc:"Time that a query may take."`
}

// Gate is what a trial has to show.
type Gate struct {
	Messages Count    `toml:"messages" doc:"Newest messages that a submission wants, over which it is tried before it runs. 0: no gate."`
	Alerts   Count    `toml:"alerts" doc:"Alerts that it may raise in the trial. -1: any number."`
	Use      Count    `toml:"use" doc:"Percent of its own instruction_limit and memory_limit that it may use. 0: no rule but the limits."`
	Cost     Count    `toml:"cost" doc:"Percent of a core that it may take at the rate of the messages. 0: no rule."`
	Time     Duration `toml:"time" doc:"Time that the trial may take; one that takes longer does not pass."`
	Second   bool     `toml:"second" doc:"What does not pass waits until a second person approves it. false: it is refused. Who is who is told by the names that people give themselves, and their addresses."`
}

// Geo names databases.
type Geo struct {
	City string `toml:"city" doc:"File of a City database (.mmdb). Empty: no places."`
	ISP  string `toml:"isp" doc:"File of an ISP database (.mmdb). Empty: no providers."`
}

// Default is the config of an empty file.
func Default() Config {
	const day = Duration(24 * time.Hour)
	return Config{
		Data:   "sandbar-data",
		Listen: "127.0.0.1:8080",
		Edge:   Edge{MaxPath: 4 * KiB, MaxBody: 10 * MiB, MaxInFlight: 256 * MiB, MaxConnections: 4096, BodyTimeout: Duration(30 * time.Second)},
		Streams: Streams{
			MaxMessage: 16 * MiB, SegmentSize: 64 * MiB, MinFree: 256 * MiB, CommitInterval: Duration(200 * time.Millisecond), Timeout: Duration(30 * time.Second),
			Kafka: Kafka{Prefix: "sandbar", Replicas: 3, Partitions: 4},
			Raw:   Retention{10 * GiB, 3 * day}, Valid: Retention{10 * GiB, 3 * day},
			Errors: Retention{2 * GiB, 7 * day}, Derived: Retention{2 * GiB, 7 * day},
		},
		Bucket:   Bucket{Timeout: Duration(60 * time.Second), S3: S3{PartSize: 8 * MiB}},
		Landfill: Roll{Size: 128 * MiB, Age: Duration(10 * time.Minute)},
		Lake:     Roll{Size: 128 * MiB, Age: Duration(5 * time.Minute)},
		History:  History{Keep: 400 * day},
		Alerts:   Alerts{Budget: 60, Mail: Mail{TLS: "starttls"}},
		SQL:      SQL{DuckDB: "duckdb", Time: Duration(30 * time.Second)},
		Gate:     Gate{Alerts: 20, Use: 80, Cost: 25, Time: Duration(30 * time.Second)},
		Limits:   Limits{ceilings(sandbox.Decoder), ceilings(sandbox.Analysis), ceilings(sandbox.Output)},
	}
}

// maxFile bounds what is read of a config file.
const maxFile = 1 << 20

// Load reads a file. Like Parse it leaves Validate to the caller. Relative paths stay as they are: they start
// from the folder that the host is started in, as those of flags do.
func Load(name string) (Config, error) {
	f, err := os.Open(name)
	if err != nil {
		return Config{}, fmt.Errorf("opening the config file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return Config{}, fmt.Errorf("reading config file %s: %w", name, err)
	}
	if len(data) > maxFile {
		return Config{}, fmt.Errorf("config file %s is larger than %d bytes; it does not look like one", name, maxFile)
	}
	c, err := Parse(data)
	if err != nil {
		return Config{}, fmt.Errorf("config file %s: %w", name, err)
	}
	return c, nil
}

// Parse reads a file's contents over the defaults. It does not check that values make sense together: flags
// may still change them before Validate.
func Parse(data []byte) (Config, error) {
	c := Default()
	d := toml.NewDecoder(bytes.NewReader(data)).DisallowUnknownFields()
	if err := d.Decode(&c); err != nil {
		return Config{}, located(err)
	}
	return c, nil
}

// located says where in the file an error is.
func located(err error) error {
	var unknown *toml.StrictMissingError
	if errors.As(err, &unknown) {
		var all []error
		for _, e := range unknown.Errors {
			line, _ := e.Position()
			all = append(all, fmt.Errorf("line %d: there is no key %s; docs/configuration.md lists them all", line, strings.Join(e.Key(), ".")))
		}
		return errors.Join(all...)
	}
	var wrong *toml.DecodeError
	if errors.As(err, &wrong) {
		line, column := wrong.Position()
		text := strings.TrimPrefix(wrong.Error(), "toml: ")
		if key := strings.Join(wrong.Key(), "."); key != "" {
			text = key + ": " + text
		}
		return fmt.Errorf("line %d, column %d: %s", line, column, text)
	}
	return err
}
