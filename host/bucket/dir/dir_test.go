package dir_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"sandbar/host/bucket"
	"sandbar/host/bucket/buckettest"
	"sandbar/host/bucket/dir"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func open(t *testing.T, name string) *dir.Bucket {
	t.Helper()
	b, err := dir.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestSuite(t *testing.T) {
	t.Parallel()
	buckettest.Run(t, func(t *testing.T) func() bucket.Bucket {
		name := filepath.Join(t.TempDir(), "some", "bucket")
		return func() bucket.Bucket { return open(t, name) }
	})
}

// An object is a plain file under its key, and nothing of the making stays behind.
func TestFiles(t *testing.T) {
	t.Parallel()
	name := t.TempDir()
	b := open(t, name)
	defer b.Close()
	if err := bucket.Put(t.Context(), b, "test", "lake/x=1/part.heka", strings.NewReader("content")); err != nil {
		t.Fatal(err)
	}
	var files []string
	err := filepath.WalkDir(name, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(name, path)
			files = append(files, filepath.ToSlash(rel))
		}
		return err
	})
	if err != nil || len(files) != 1 || files[0] != "lake/x=1/part.heka" {
		t.Fatalf("files are %q, %v", files, err)
	}
}

// Whatever somebody else puts into the directory, no key leads out of it.
func TestSymbolicLinkLeadsNowhere(t *testing.T) {
	t.Parallel()
	outside, name := t.TempDir(), t.TempDir()
	b := open(t, name)
	defer b.Close()
	secret := filepath.Join(outside, "secret")
	if err := os.WriteFile(secret, []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(outside, filepath.Join(name, "link")); err != nil {
		t.Skipf("this system makes no symbolic links: %v", err)
	}
	if _, err := b.Open(t.Context(), "link/secret"); err == nil {
		t.Error("a file outside was read")
	}
	if err := bucket.Put(t.Context(), b, "test", "link/made", strings.NewReader("x")); err == nil {
		t.Error("a file outside was made")
	}
	if err := b.Remove(t.Context(), "link/secret"); err == nil {
		t.Error("a file outside was removed")
	}
	if _, err := os.Stat(secret); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(outside, "made")); !errors.Is(err, fs.ErrNotExist) {
		t.Error("a file outside was made")
	}
}

func TestOpenSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(name, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := dir.Open(name); err == nil || !strings.Contains(err.Error(), name) {
		t.Errorf("error is %v; it should name %s", err, name)
	}
}
