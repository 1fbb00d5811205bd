package cmd

import (
	"context"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
)

// versionOf is what the Go tools wrote into the program: its version, or the commit that it was built from.
func versionOf(info *debug.BuildInfo, ok bool) string {
	if !ok {
		return "unknown"
	}
	version := info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (version == "" || version == "(devel)") {
			version = s.Value
		}
	}
	return fmt.Sprintf("%s %s", version, info.GoVersion)
}

// completionScripts are what a shell reads. Each asks the program for the words that may come next.
func completionScripts() map[string]string {
	return map[string]string{
		"bash": `_sandbar() {
    local IFS=$'\n'
    COMPREPLY=($(sandbar complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null))
}
complete -o default -F _sandbar sandbar
`,
		"zsh": `#compdef sandbar
_sandbar() {
    local -a found
    found=("${(@f)$(sandbar complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    if [[ -n "$found" ]]; then compadd -a found; else _files; fi
}
compdef _sandbar sandbar
`,
		"fish": `complete -c sandbar -a '(sandbar complete -- (commandline -opc)[2..] (commandline -ct))'
`,
	}
}

type completionCmd struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Run prints what a shell needs to complete the commands.
func (c *completionCmd) Run(con console) error {
	_, err := fmt.Fprint(con.out, completionScripts()[c.Shell])
	return err
}

type completeCmd struct {
	Words []string `arg:"" optional:"" passthrough:"" help:"What was typed behind the program's name; the last word is being typed."`
}

// Run prints the words that may stand in place of the last one, one a line.
func (c *completeCmd) Run(ctx context.Context, k *kong.Kong, con console) error {
	words := c.Words
	if len(words) > 0 && words[0] == "--" {
		words = words[1:]
	}
	if len(words) == 0 {
		words = []string{""}
	}
	for _, w := range completions(k.Model.Node, words) {
		fmt.Fprintln(con.out, w)
	}
	return nil
}

// completions are the commands and flags that begin with the last of the words, behind the others. Where a flag wants a value, or an
// argument is wanted that the program does not know, there are none: then the shell offers files.
func completions(at *kong.Node, words []string) (found []string) {
	typed, before := words[len(words)-1], words[:len(words)-1]
	flags := slices.Clone(at.Flags)
	wanted := false // a value of the flag before
	for _, w := range before {
		if wanted {
			wanted = false
			continue
		}
		if strings.HasPrefix(w, "-") {
			i := slices.IndexFunc(flags, func(f *kong.Flag) bool { return "--"+f.Name == w || f.Short != 0 && "-"+string(f.Short) == w })
			wanted = i >= 0 && !flags[i].IsBool()
			continue
		}
		if i := slices.IndexFunc(at.Children, func(n *kong.Node) bool { return n.Name == w }); i >= 0 {
			at = at.Children[i]
			flags = append(flags, at.Flags...)
		}
	}
	if wanted {
		return nil
	}
	if strings.HasPrefix(typed, "-") {
		for _, f := range flags {
			if name := "--" + f.Name; !f.Hidden && strings.HasPrefix(name, typed) {
				found = append(found, name)
			}
		}
	} else {
		for _, n := range at.Children {
			if !n.Hidden && strings.HasPrefix(n.Name, typed) {
				found = append(found, n.Name)
			}
		}
		for _, p := range at.Positional {
			for v := range p.EnumMap() {
				if strings.HasPrefix(v, typed) {
					found = append(found, v)
				}
			}
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}
