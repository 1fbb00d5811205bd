package lake

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

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
