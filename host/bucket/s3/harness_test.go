package s3

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/credentials"

	"sandbar/host/bucket"
	"sandbar/host/bucket/buckettest"
	"sandbar/host/bucket/s3/s3test"
)

func testOptions(name, url string) Options {
	return Options{Name: name, Endpoint: url, PathStyle: true, Region: s3test.Region, Timeout: 20 * time.Second, Logger: slog.New(slog.DiscardHandler),
		credentials: credentials.NewStaticCredentialsProvider(s3test.AccessKey, s3test.SecretKey, "")}
}

// owner is who seals in these tests.
const owner = "test"

// optionsOf are those of a new bucket.
func optionsOf(t testing.TB, s *s3test.Server) Options {
	t.Helper()
	return testOptions(s.NewBucket(t), s.URL)
}

func fake(t testing.TB) *s3test.Server { return s3test.Fake(t, s3test.Handler()) }

// servers are both kinds.
func servers() map[string]func(testing.TB) *s3test.Server {
	return map[string]func(testing.TB) *s3test.Server{"fake": fake, "real": s3test.Real}
}

func open(t testing.TB, opt Options) *Bucket {
	t.Helper()
	b, err := Open(t.Context(), opt)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSuite(t *testing.T) {
	t.Parallel()
	for name, start := range servers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			for _, prefix := range []string{"", "some/where"} {
				t.Run(strings.ReplaceAll("prefix "+prefix, "/", " "), func(t *testing.T) {
					buckettest.Run(t, func(t *testing.T) func() bucket.Bucket {
						opt := optionsOf(t, s)
						opt.Prefix = prefix
						return func() bucket.Bucket { return open(t, opt) }
					})
				})
			}
		})
	}
}
