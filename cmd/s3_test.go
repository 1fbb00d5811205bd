package cmd

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"sandbar/host/bucket/s3/s3test"
	"sandbar/host/health"
)

// s3Host is what a host needs to put its files on a server.
func s3Host(t *testing.T, s *s3test.Server) (bucket string, env []string, config string) {
	t.Helper()
	bucket = s.NewBucket(t)
	config = filepath.Join(t.TempDir(), "sandbar.toml")
	text := fmt.Sprintf(`
[bucket]
timeout = "3s"
[bucket.s3]
name = %q
prefix = "one/host"
endpoint = %q
path_style = true
[landfill]
roll_age = "1s"
retain_age = "30d"
[lake]
roll_age = "1s"
`, bucket, s.URL)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	env = []string{"AWS_ACCESS_KEY_ID=" + s3test.AccessKey, "AWS_SECRET_ACCESS_KEY=" + s3test.SecretKey, "AWS_EC2_METADATA_DISABLED=true"}
	return bucket, env, config
}

func (p *process) troubles() map[string]health.Trouble {
	p.t.Helper()
	var now struct {
		Troubles []health.Trouble `json:"troubles"`
	}
	p.get("/overview", &now)
	out := map[string]health.Trouble{}
	for _, t := range now.Troubles {
		out[t.Part] = t
	}
	return out
}

// TestS3: a host with landfill and lake on a real S3 server. It is killed, the server is away for a while, and it is away when
// the host starts: submissions are taken all the time, the page says what is wrong while it is, and in the end each of them is
// once in landfill and, as it is valid, once in the lake.
func TestS3(t *testing.T) {
	t.Parallel()
	s := s3test.Real(t)
	bucket, env, config := s3Host(t, s)
	data := t.TempDir()
	sent := map[string]int{}
	send := func(p *process, n int) {
		t.Helper()
		for range n {
			id := docID(len(sent))
			if code := p.post("/submit/sensors/reading/1/"+id, reading(id)); code != 200 {
				t.Fatalf("answered with %d", code)
			}
			sent[id] = 1
		}
	}
	files := func(ending string) (names []string) {
		filepath.WalkDir(filepath.Join(s.Dir, bucket, "one", "host"), func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() && strings.HasSuffix(path, ending) {
				names = append(names, path)
			}
			return nil
		})
		return names
	}
	p := startWith(t, env, data, "serve", "--config", config)
	send(p, 50)
	until(t, 30*time.Second, "a file of landfill and one of the lake", func() bool { return len(files(".heka.zst")) > 0 && len(files(".heka")) > 0 })
	for range 3 {
		send(p, 20)
		p.kill()
		p = startWith(t, env, data, "serve", "--config", config)
	}

	s.Stop()
	send(p, 50)
	until(t, 40*time.Second, "troubles", func() bool {
		now := p.troubles()
		return now["landfill"].Text != "" && (now["write files of output.heka"].Text != "" || now["publish files of output.heka"].Text != "")
	})
	if text := p.troubles()["landfill"].Text; !strings.Contains(text, bucket) || !strings.Contains(text, "refused") {
		t.Errorf("the page says %q", text)
	}
	troubleOnPage(t, p)
	p.settled() // decoders and analysis plugins do not wait for the bucket
	p.kill()
	p = startWith(t, env, data, "serve", "--config", config) // without it
	send(p, 20)
	if len(p.troubles()) == 0 {
		t.Error("the host started without its bucket and says nothing")
	}
	s.Start()
	until(t, 60*time.Second, "an end of the troubles", func() bool { return len(p.troubles()) == 0 })
	send(p, 10)
	p.settled()
	p.stop()

	other := command("serve", "--config", config, "--data", t.TempDir(), "--listen", "127.0.0.1:0") // other streams, one bucket
	other.Env = append(other.Env, env...)
	if out, err := other.CombinedOutput(); err == nil || !strings.Contains(string(out), "files of other streams") {
		t.Errorf("a host with other streams: %v %s", err, out)
	}

	found := map[string]int{}
	for _, v := range fileMessages(t, files(".heka.zst")...) {
		uri := strings.Split(field(&v, "uri"), "/")
		found[uri[len(uri)-1]]++
	}
	if !maps.Equal(found, sent) {
		t.Errorf("landfill has %d of %d submissions, or some not once", len(found), len(sent))
	}
	found = map[string]int{}
	for _, v := range fileMessages(t, files(".heka")...) {
		found[field(&v, "documentId")]++
	}
	if !maps.Equal(found, sent) {
		t.Errorf("the lake has %d of %d documents, or some not once", len(found), len(sent))
	}
	if left := files(".json"); len(left) == 0 {
		t.Error("the names of columns are not in the bucket")
	}
	sealed, _ := os.ReadDir(filepath.Join(s.Dir, bucket, "one", "host", ".sandbar", "sealed"))
	if len(sealed) > 0 {
		t.Errorf("%d tokens are left", len(sealed))
	}
}

// troubleOnPage looks at the bar on top of the overview, where a browser is installed.
func troubleOnPage(t *testing.T, p *process) {
	t.Helper()
	t.Run("page", func(t *testing.T) {
		ctx := browser(t)
		open(t, ctx, p.url+"/")
		eval(t, ctx, 20*time.Second, "the trouble", `/landfill, not working since/.test(document.querySelector("#troubles")?.innerText ?? "")`)
		eval(t, ctx, 20*time.Second, "the age of what landfill lacks", `/not in landfill yet/.test(document.querySelector('[data-stream="raw"]')?.innerText ?? "")`)
		picture(t, ctx, "trouble")
	})
}
