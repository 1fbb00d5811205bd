package cmd

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestComplete(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		words []string
		want  []string
	}{
		{[]string{"stat"}, []string{"status"}},
		{[]string{"plugin", "re"}, []string{"remove", "restore"}},
		{[]string{"plugin", "--to", "plugin", "re"}, []string{"remove", "restore"}}, // a flag's value is no command
		{[]string{"plugin", "--to", "re"}, nil},
		{[]string{"plugin", "deploy", "--re"}, []string{"--replace"}},
		{[]string{"plugin", "deploy", "--to"}, []string{"--to", "--token"}}, // of the command above
		{[]string{"completion", ""}, []string{"bash", "fish", "zsh"}},
		{[]string{"serve", "-v", "--saf"}, []string{"--safe"}},
		{[]string{"cat", "x"}, nil},
		{[]string{"compl"}, []string{"completion"}}, // what is hidden stays so
		{[]string{"nothing", "--vers"}, []string{"--version"}},
	} {
		out, errs, code := call(append([]string{"complete", "--"}, tt.words...)...)
		if got := strings.Fields(out); code != 0 || !slices.Equal(got, tt.want) {
			t.Errorf("%q: %d %q, want %q %s", tt.words, code, got, tt.want, errs)
		}
	}
	if out, _, _ := call("complete"); !strings.Contains(out, "serve\n") || strings.Contains(out, "compile-module") {
		t.Errorf("at the beginning: %s", out)
	}
}

// TestCompletionInShells: bash, and others that are here, load their script and complete by it.
func TestCompletionInShells(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	// A program of the name that the scripts call.
	program := "#!/bin/sh\nSANDBAR_TEST_MAIN=1 exec " + os.Args[0] + " \"$@\"\n"
	if err := os.WriteFile(filepath.Join(dir, "sandbar"), []byte(program), 0o755); err != nil {
		t.Fatal(err)
	}
	for shell, script := range map[string]string{
		"bash": `eval "$(sandbar completion bash)"; COMP_WORDS=(sandbar plugin re); COMP_CWORD=2; _sandbar; printf '%s\n' "${COMPREPLY[@]}"`,
		"fish": `sandbar completion fish | source; complete -C 'sandbar plugin re'`,
	} {
		t.Run(shell, func(t *testing.T) {
			t.Parallel()
			path, err := exec.LookPath(shell)
			if err != nil {
				t.Skipf("no %s is here", shell)
			}
			cmd := exec.Command(path, "-c", script)
			cmd.Env = append(os.Environ(), "PATH="+dir+":"+os.Getenv("PATH"))
			out, err := cmd.CombinedOutput()
			if err != nil || strings.Join(strings.Fields(string(out)), " ") != "remove restore" {
				t.Errorf("%v %s", err, out)
			}
		})
	}
}
