package lua

import (
	"fmt"
	"maps"
	"slices"

	"sandbar/sandbox"
	"sandbar/sandbox/lua/lib"
	"sandbar/sandbox/lua/vm"
)

// Lint implements sandbox.Linter.
func (p *plugin) Lint(source []byte) []sandbox.Finding {
	var found []sandbox.Finding
	if p.cfg.TickerInterval > 0 && p.L.Globals().Get(p.timer).Function() == nil {
		found = append(found, sandbox.Finding{Field: "config", Key: "ticker_interval", Text: fmt.Sprintf("the config has a ticker_interval of %d s and the source no function timer_event: the plugin would end at its first one", p.cfg.TickerInterval)})
	}
	main, err := vm.Compile(p.cfg.Filename, source)
	if err != nil {
		return found // it was loaded, so this is another source
	}
	return append(found, p.unset(main)...)
}

// names are what code says of globals.
type names struct {
	read map[string]int // line where each is read first
	set  map[string]bool
	text map[string]bool // that is a value, such as the argument of require
}

// unset finds globals that are read and that nobody sets: misspelt ones, and modules without a require.
func (p *plugin) unset(main *vm.Code) (found []sandbox.Finding) {
	n := names{map[string]int{}, map[string]bool{}, map[string]bool{}}
	n.gather(main)
	for _, k := range []string{"_G", "setfenv", "getfenv"} { // with these any may be set
		if _, used := n.read[k]; used {
			return nil
		}
	}
	var known []string
	for k := range p.L.Globals().All() {
		if name, ok := k.Str(); ok {
			known = append(known, name)
		}
	}
	known = append(known, slices.Sorted(maps.Keys(n.set))...)
	for _, name := range slices.Sorted(maps.Keys(n.read)) {
		if slices.Contains(known, name) || !p.L.Global(name).IsNil() {
			continue
		}
		text := fmt.Sprintf("the global %s is never set", name)
		_, module := p.modules[name]
		switch near := sandbox.Nearest(name, known); {
		case module && n.text[name]: // required where that has not run yet
			continue
		case module:
			text += fmt.Sprintf("; add require %q", name)
		case unavailable(name):
			text += "; there is no such library here"
		case near != "":
			text += fmt.Sprintf("; did you mean %s?", near)
		}
		found = append(found, sandbox.Finding{Field: "source", Line: n.read[name], Text: text})
	}
	slices.SortStableFunc(found, func(a, b sandbox.Finding) int { return a.Line - b.Line })
	return found
}

// unavailable says that Lua has a library of that name, which plugins do not have.
func unavailable(name string) bool {
	return slices.Contains([]string{"io", "debug", "package"}, name) || slices.ContainsFunc(lib.Modules(), func(m lib.Module) bool { return m.Name == name })
}

func (n *names) gather(code *vm.Code) {
	for u := range code.Uses {
		first, seen := n.read[u.Name]
		switch {
		case u.Text:
			n.text[u.Name] = true
		case u.Set:
			n.set[u.Name] = true
		case !seen || u.Line < first:
			n.read[u.Name] = u.Line
		}
	}
}
