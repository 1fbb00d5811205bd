package validator

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// suite is the public JSON-Schema-Test-Suite, which CI fetches.
func suite(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("SANDBAR_JSON_SCHEMA_SUITE")
	if dir == "" {
		t.Skip("the public JSON-Schema-Test-Suite runs when SANDBAR_JSON_SCHEMA_SUITE names its folder; .ci/run fetches it")
	}
	return dir
}

// remotes gives what schemas of the suite refer to.
type remotes string

func (r remotes) Load(url string) (any, error) {
	name, ok := strings.CutPrefix(url, "http://localhost:1234/")
	if !ok {
		return nil, fmt.Errorf("nothing is at %s", url)
	}
	f, err := os.Open(filepath.Join(string(r), "remotes", filepath.FromSlash(name)))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	doc, err := jsonschema.UnmarshalJSON(f)
	return bounded(doc), err
}

// TestSuite: every case of the public suite has the verdict that it wants, or, where it is optional, the oracle's.
func TestSuite(t *testing.T) {
	t.Parallel()
	dir := suite(t)
	for name, draft := range drafts() {
		for _, part := range []string{"", "optional", filepath.Join("optional", "format")} {
			t.Run(filepath.Join(name, part), func(t *testing.T) {
				t.Parallel()
				files, err := filepath.Glob(filepath.Join(dir, "tests", name, part, "*.json"))
				if err != nil || len(files) == 0 {
					t.Fatalf("no files: %v", err)
				}
				count, wrong, refused := 0, 0, 0
				for _, file := range files {
					c, w, r := suiteFile(t, dir, file, draft, part != "")
					count, wrong, refused = count+c, wrong+w, refused+r
				}
				t.Logf("%d cases, %d with another verdict than wanted, %d of schemas that are refused", count, wrong, refused)
			})
		}
	}
}

func suiteFile(t *testing.T, dir, file string, draft *jsonschema.Draft, optional bool) (count, wrong, refused int) {
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var groups []struct {
		Description string
		Schema      json.RawMessage
		Tests       []struct {
			Description string
			Data        json.RawMessage
			Valid       bool
		}
	}
	if err := json.Unmarshal(text, &groups); err != nil {
		t.Fatal(err)
	}
	for _, g := range groups {
		b, err := compile(t, string(g.Schema), draft, func(c *jsonschema.Compiler) {
			c.UseLoader(remotes(dir))
			if strings.Contains(file, "format") && optional {
				c.AssertFormat()
			}
		})
		if err != nil {
			refused += len(g.Tests)
			if !optional {
				t.Errorf("%s, %s: refused: %v", filepath.Base(file), g.Description, err)
			}
			continue
		}
		for _, c := range g.Tests {
			count++
			what := filepath.Base(file) + ", " + g.Description + ", " + c.Description
			if b.compare(t, what, string(c.Data)) == c.Valid {
				continue
			}
			wrong++
			if !optional || strings.Contains(file, "format") && !strings.Contains(file, "draft20") {
				t.Errorf("%s: valid is %v", what, !c.Valid)
			}
		}
	}
	return count, wrong, refused
}
