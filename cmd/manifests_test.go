package cmd

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"gopkg.in/yaml.v3"

	"sandbar/host/config"
)

// TestManifests holds that the configs in docker-compose.yml and in the Kubernetes manifests are configs.
func TestManifests(t *testing.T) {
	t.Parallel()
	for file, find := range map[string]func(doc map[string]any) any{
		"docker-compose.yml": func(doc map[string]any) any { return in(doc, "configs", "sandbar", "content") },
		"docs/kubernetes/sandbar.yaml": func(doc map[string]any) any {
			if doc["kind"] != "ConfigMap" {
				return nil
			}
			return in(doc, "data", "sandbar.toml")
		},
	} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			f, err := os.Open(filepath.Join("..", file))
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			found := 0
			for docs := yaml.NewDecoder(f); ; {
				var doc map[string]any
				if err := docs.Decode(&doc); errors.Is(err, io.EOF) {
					break
				} else if err != nil {
					t.Fatal(err)
				}
				text, ok := find(doc).(string)
				if !ok {
					continue
				}
				found++
				name := filepath.Join(t.TempDir(), "sandbar.toml")
				if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				cfg, err := config.Load(name)
				if err != nil || cfg.Streams.Kafka.Partitions < 2 || cfg.Bucket.S3.Name == "" {
					t.Errorf("%v: %+v", err, cfg)
				}
				cfg.Streams.Kafka.Password = "as the environment has it"
				cfg.Token = "sixteen letters and more"
				if err := cfg.Validate(); err != nil {
					t.Error(err)
				}
			}
			if found != 1 {
				t.Errorf("%d configs", found)
			}
		})
	}
}

// in goes down by keys.
func in(doc any, keys ...string) any {
	for _, k := range keys {
		m, _ := doc.(map[string]any)
		doc = m[k]
	}
	return doc
}
