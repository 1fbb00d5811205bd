package bucket_test

import (
	"path/filepath"
	"strings"
	"testing"

	"sandbar/host/bucket"
)

// FuzzCheckKey holds that no key that is taken leads anywhere but down, and that its parts can be listed.
func FuzzCheckKey(f *testing.F) {
	for _, key := range []string{"a", "a/b=1/c.x", "../a", "a//b", "/a", "a/", ".a", "a\x00", "a\\..\\b", "é"} {
		f.Add(key)
	}
	f.Fuzz(func(t *testing.T, key string) {
		if bucket.CheckKey(key) != nil {
			return
		}
		if !filepath.IsLocal(key) || filepath.ToSlash(filepath.Clean(key)) != key {
			t.Errorf("%q is taken and leads to %q", key, filepath.Clean(key))
		}
		if strings.ContainsAny(key, "\\: \n\x00") || len(key) > 1024 {
			t.Errorf("%q is taken", key)
		}
		if i := strings.LastIndexByte(key, '/'); i >= 0 && bucket.CheckPrefix(key[:i+1]) != nil {
			t.Errorf("%q is taken, and its directory is no prefix", key)
		}
	})
}
