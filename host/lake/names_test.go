package lake

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"pgregory.net/rapid"

	"sandbar/host/bucket"
	"sandbar/host/bucket/dir"
	"sandbar/schemas"
)

func columnsOf(paths ...string) []schemas.Column {
	var out []schemas.Column
	for _, p := range paths {
		path := strings.Split(p, ".")
		out = append(out, schemas.Column{Path: path, Name: snake(strings.Join(path, "_"))})
	}
	return out
}

// TestColumnsKeepTheirMeaning: each step is a version of a schema; what a column meant it means for good.
func TestColumnsKeepTheirMeaning(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		steps [][]string
		want  map[string]string // column by path, after all; "_#" stands for one with a hash
	}{
		{[][]string{{"a_b"}, {"a_b", "aB"}}, map[string]string{"a_b": "a_b", "aB": "a_b_#"}},
		{[][]string{{"aB"}, {"a_b", "aB"}}, map[string]string{"aB": "a_b", "a_b": "a_b_#"}},
		{[][]string{{"aB", "a_b", "a-b"}}, map[string]string{"a_b": "a_b", "aB": "a_b_#", "a-b": "a_b_#"}},
		{[][]string{{"a-b"}, {"aB", "a-b"}, {"a_b", "aB", "a-b"}}, map[string]string{"a-b": "a_b", "aB": "a_b_#", "a_b": "a_b_#"}},
		{[][]string{{"a.b", "a_b"}}, map[string]string{"a_b": "a_b", "a.b": "a_b_#"}},
		{[][]string{{"x.aB"}, {"x.aB", "x.a_b"}, {"x.a_b"}}, map[string]string{"x.aB": "x_a_b", "x.a_b": "x_a_b_#"}},
		{[][]string{{"a", "b"}, {"b"}, {"b", "c"}}, map[string]string{"a": "a", "b": "b", "c": "c"}},
	} {
		given := map[string]string{}
		for _, step := range c.steps {
			give(given, columnsOf(step...))
		}
		used := map[string]bool{}
		for path, want := range c.want {
			got := given[pathKey(strings.Split(path, "."))]
			prefix, hashed := strings.CutSuffix(want, "#")
			if !hashed && got != want || hashed && (!strings.HasPrefix(got, prefix) || got == prefix) || used[got] {
				t.Errorf("%v: %s is %s, want %s", c.steps, path, got, want)
			}
			used[got] = true
		}
	}
}

// TestNamesAreForGood: whatever properties come in whatever order, no two have one column, and none changes it.
func TestNamesAreForGood(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		part := rapid.SampledFrom([]string{"a", "aB", "a_b", "a-b", "A", "b", "ab", "a_B", "a_b_2", ""})
		given, before := map[string]string{}, map[string]string{}
		for range rapid.IntRange(1, 6).Draw(t, "versions") {
			var cols []schemas.Column
			for _, path := range rapid.SliceOfNDistinct(rapid.SliceOfN(part, 1, 3), 0, 8, func(p []string) string { return pathKey(p) }).Draw(t, "properties") {
				cols = append(cols, schemas.Column{Path: path, Name: strings.Join(path, "_")})
			}
			give(given, cols)
			var names []string
			for path, name := range given {
				if old := before[path]; old != "" && old != name {
					t.Fatalf("%s was %s and is %s", path, old, name)
				}
				before[path] = name
				names = append(names, name)
			}
			slices.Sort(names)
			if len(slices.Compact(names)) != len(given) {
				t.Fatalf("two properties have one column: %v", given)
			}
		}
	})
}

// TestHostsAgree: hosts that share a bucket give names at the same time. A property has one column for all of them, and no column has
// two properties.
func TestHostsAgree(t *testing.T) {
	t.Parallel()
	b, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	parts := []string{"a.b", "aB", "a_b", "a-b", "A_b", "b", "ab", "a_B"}
	got := make([]map[string]string, 4)
	var hosts sync.WaitGroup
	for i := range got {
		got[i] = map[string]string{}
		hosts.Go(func() {
			n := &names{bucket: b, owner: fmt.Sprint("lake", i)}
			for j := range parts { // each in another order
				n.declared = declared(columnsOf(parts[(i*3+j)%len(parts)], parts[(i*5+j+1)%len(parts)]))
				cols, err := n.columns(t.Context(), "ns", "doc", "1")
				if err != nil {
					t.Error(err)
				}
				for _, c := range cols {
					key := pathKey(c.Path)
					if old := got[i][key]; old != "" && old != c.Name {
						t.Errorf("%s was %s and is %s", key, old, c.Name)
					}
					got[i][key] = c.Name
				}
			}
		})
	}
	hosts.Wait()
	of := map[string]string{}
	for i := range got {
		if !maps.Equal(got[i], got[0]) {
			t.Errorf("host %d has %v, host 0 %v", i, got[i], got[0])
		}
	}
	for path, name := range got[0] {
		if other, taken := of[name]; taken {
			t.Errorf("%s and %s have column %s", path, other, name)
		}
		of[name] = path
	}
	for i := range got {
		if left, err := b.Tokens(t.Context(), fmt.Sprint("lake", i)); err != nil || len(left) > 0 {
			t.Errorf("host %d leaves %v, %v", i, left, err)
		}
	}
}

// TestNamesFromBefore: names that were given when there were no numbers stay.
func TestNamesFromBefore(t *testing.T) {
	t.Parallel()
	b, err := dir.Open(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if err := bucket.Put(t.Context(), b, "lake", "lake/columns/ns/doc.json", strings.NewReader(`{"[\"aB\"]": "a_b"}`)); err != nil {
		t.Fatal(err)
	}
	n := &names{bucket: b, owner: "lake", declared: declared(columnsOf("a_b", "aB"))}
	for range 2 {
		cols, err := n.columns(t.Context(), "ns", "doc", "1")
		if err != nil || cols[1].Name != "a_b" || cols[0].Name == "a_b" {
			t.Errorf("%+v %v", cols, err)
		}
		n = &names{bucket: b, owner: "lake", declared: n.declared}
	}
}

// declared are the columns of every document type.
type declared []schemas.Column

func (d declared) Columns(string, string, string) []schemas.Column { return d }
