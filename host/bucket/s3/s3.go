// Package s3 keeps a bucket in Amazon's S3 or a server that speaks its protocol: an object's key is its name behind a prefix.
//
//	PREFIX/landfill/20261123/...       objects
//	PREFIX/.sandbar/sealed/TOKEN       JSON: the multipart upload of an object that waits to be published
//
// An object is a multipart upload. It is begun with its key, its parts are sent as they are written, and Seal writes the
// token, which names the upload and its parts. Publish completes the upload: the object appears under its key, whole, at once,
// and nothing was copied. An upload without a token is of nobody, and Sweep ends it after a day.
//
// Completing is repeatable: what has the key says in its metadata which token made it. So the key is looked at before; a server
// that honours If-None-Match refuses besides what comes in between.
//
// It must not know what the objects hold. Any number of processes may use one bucket, each under owners of its own.
package s3

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sandbar/host/bucket"
)

// Options of a Bucket. Credentials come from the usual places: environment, shared files, web identity, instance.
type Options struct {
	Name       string // of the bucket; required
	Prefix     string // before every key; without a slash at its end
	Endpoint   string // URL of the server; empty: Amazon's of the region
	Region     string // empty: as the environment says, or us-east-1 with an endpoint
	PathStyle  bool   // the bucket is in the path and not in the host name: MinIO, Ceph and others
	Encryption string // of objects at rest: "", "AES256" or "aws:kms"
	KMSKey     string // for aws:kms; empty: the account's
	NoChecksum bool   // send no CRC32C, for servers that know none

	PartSize int           // bytes of a part, and of memory for each object that is being written; 8 MiB
	Timeout  time.Duration // of a call, with everything that is tried again; 60 s
	Logger   *slog.Logger  // required

	credentials aws.CredentialsProvider // of tests
}

const (
	minPart  = 5 << 20 // S3 takes no smaller one but the last
	attempts = 8
)

// Bucket implements bucket.Bucket.
type Bucket struct {
	opt    Options
	client *s3.Client
	where  string // for errors

	parts sync.Pool // of *bytes.Buffer

	mu     sync.Mutex
	sealed map[string]seal // by ID, what this process has sealed and not published
}

var _ bucket.Bucket = (*Bucket)(nil)

// Open connects to a bucket, which must exist. One that cannot be reached now is no error: its calls are. One that refuses is.
func Open(ctx context.Context, opt Options) (*Bucket, error) {
	opt.PartSize, opt.Timeout = cmp.Or(opt.PartSize, 8<<20), cmp.Or(opt.Timeout, 60*time.Second)
	if err := opt.check(); err != nil {
		return nil, fmt.Errorf("open bucket: %w", err)
	}
	cfg, err := config.LoadDefaultConfig(ctx, opt.load()...)
	if err != nil {
		return nil, fmt.Errorf("open bucket s3://%s: %w", opt.Name, err)
	}
	if cfg.Region == "" {
		if opt.Endpoint == "" {
			return nil, fmt.Errorf("open bucket s3://%s: no region is known; set bucket.s3.region", opt.Name)
		}
		cfg.Region = "us-east-1"
	}
	b := &Bucket{opt: opt, where: "s3://" + opt.Name, sealed: map[string]seal{}}
	if opt.Prefix != "" {
		b.where += "/" + opt.Prefix
	}
	b.parts.New = func() any { return new(bytes.Buffer) }
	b.client = s3.NewFromConfig(cfg, func(o *s3.Options) {
		o.UsePathStyle = opt.PathStyle
		if opt.Endpoint != "" {
			o.BaseEndpoint = &opt.Endpoint
		}
		// Checksums are given with each part, as headers: many servers do not know those that follow a body.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenSupported
		o.DisableLogOutputChecksumValidationSkipped = true
		o.APIOptions = append(o.APIOptions, attemptTime(opt.Timeout/3))
	})
	if err := b.probe(ctx); permanent(err) {
		return nil, fmt.Errorf("open bucket %s: %w", b.where, err)
	} else if err != nil {
		opt.Logger.Error("the bucket cannot be reached; files wait until it can", "bucket", b.where, "error", err)
	}
	return b, nil
}

func (o *Options) check() error {
	switch {
	case o.Name == "":
		return errors.New("bucket.s3.name is empty")
	case o.Prefix != "" && bucket.CheckKey(o.Prefix) != nil:
		return fmt.Errorf("bucket.s3.prefix: %w", bucket.CheckKey(o.Prefix))
	case o.PartSize < minPart:
		return fmt.Errorf("bucket.s3.part_size is %d, and S3 takes no part of less than %d", o.PartSize, minPart)
	case o.Encryption != "" && o.Encryption != string(types.ServerSideEncryptionAes256) && o.Encryption != string(types.ServerSideEncryptionAwsKms):
		return fmt.Errorf("bucket.s3.encryption is %q; it may be AES256, aws:kms or empty", o.Encryption)
	case o.KMSKey != "" && o.Encryption != string(types.ServerSideEncryptionAwsKms):
		return errors.New("bucket.s3.kms_key needs encryption aws:kms")
	}
	return nil
}

func (o *Options) load() []func(*config.LoadOptions) error {
	options := []func(*config.LoadOptions) error{
		config.WithRetryer(func() aws.Retryer {
			return retry.NewStandard(func(s *retry.StandardOptions) { // waits twice as long each time, by chance a part of it
				s.MaxAttempts, s.MaxBackoff = attempts, 10*time.Second
				s.Retryables = append(s.Retryables, retry.RetryableErrorCode{Codes: passing})
			})
		}),
	}
	if o.Region != "" {
		options = append(options, config.WithRegion(o.Region))
	}
	if o.credentials != nil {
		options = append(options, config.WithCredentialsProvider(o.credentials))
	}
	return options
}

// passing are errors of servers about what others do in the same moment, beside those that every client knows.
var passing = map[string]struct{}{"OperationAborted": {}, "ConditionalRequestConflict": {}, "ExistingObjectIsDirectory": {}}

// probe asks the bucket for something small.
func (b *Bucket) probe(ctx context.Context) error {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	_, err := b.client.ListObjectsV2(ctx, &s3.ListObjectsV2Input{Bucket: &b.opt.Name, Prefix: b.key(sealedDir), MaxKeys: aws.Int32(1)})
	return explain(err)
}

// Close implements bucket.Bucket.
func (b *Bucket) Close() error { return nil }

// bound is a context for one call.
func (b *Bucket) bound(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, b.opt.Timeout)
}

const (
	private   = ".sandbar/" // no key begins so
	sealedDir = private + "sealed/"
)

// key is the name of an object in S3.
func (b *Bucket) key(key string) *string {
	if b.opt.Prefix != "" {
		key = b.opt.Prefix + "/" + key
	}
	return &key
}

func (b *Bucket) prefixLen() int {
	if b.opt.Prefix == "" {
		return 0
	}
	return len(b.opt.Prefix) + 1
}

func random() string {
	var id [12]byte
	rand.Read(id[:])
	return hex.EncodeToString(id[:])
}

// checkID refuses what Create did not make.
func checkID(id string) error {
	owner, random, _ := strings.Cut(id, "-")
	if raw, err := hex.DecodeString(random); err != nil || len(raw) != 12 || bucket.CheckOwner(owner) != nil {
		return fmt.Errorf("bucket: %.60q is no token", id)
	}
	return nil
}
