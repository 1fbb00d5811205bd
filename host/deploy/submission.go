package deploy

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"
	"unicode/utf8"

	"sandbar/plugins"
	"sandbar/sandbox"
)

// Submission is a plugin that somebody wants to run.
type Submission struct {
	Kind    sandbox.Kind
	Name    string // without the kind
	Config  string
	Source  []byte // Lua, or a WASM module where the config's filename says so
	Replace bool   // a plugin of this name may be replaced

	// Only one version of a plugin is to be replaced: the one that was submitted at Expected, the one with the number Version. Zero
	// does not say which.
	Expected time.Time
	Version  int

	By   Actor
	Note string // why, in the author's words

	// Shadow says that it is to run beside the plugin of its name, and publish nothing.
	Shadow bool
	// WithState says that a shadow begins with the state that the plugin has now.
	WithState bool

	approved  bool   // by a second person
	stateFrom string // plugin whose present state it begins with; "" for its own
	stateOf   int    // version whose state at its end it begins with; 0: the one that there is
}

// Fault is what is wrong with a submission, and where.
type Fault struct {
	Field string // "kind", "name", "config", "source" or "note"
	Err   error
}

func (f *Fault) Error() string { return f.Err.Error() }
func (f *Fault) Unwrap() error { return f.Err }

// MaxNote is how long a note may be, in bytes.
const MaxNote = 1000

// Validate says what is wrong with a submission that can be seen without loading it, as a *Fault.
func Validate(parse ParseConfig, s Submission) (*sandbox.Config, error) {
	switch s.Kind {
	case sandbox.Decoder, sandbox.Analysis, sandbox.Output:
	default:
		return nil, &Fault{"kind", errors.New("kind must be decoder, analysis or output")}
	}
	switch err := plugins.CheckName(s.Name); {
	case err != nil:
		return nil, &Fault{"name", err}
	case len(s.Config) > plugins.MaxConfig:
		return nil, &Fault{"config", fmt.Errorf("the config has %d bytes; it may have %d KiB", len(s.Config), plugins.MaxConfig>>10)}
	case len(s.Note) > MaxNote:
		return nil, &Fault{"note", fmt.Errorf("the note has %d bytes; it may have %d", len(s.Note), MaxNote)}
	}
	name := s.Name
	if s.Shadow {
		if name = sandbox.ShadowOf(name); s.Kind != sandbox.Analysis {
			return nil, &Fault{"kind", errors.New("only an analysis plugin runs as a shadow; a trial shows what a decoder or an output would do")}
		}
	}
	cfg, err := parse(s.Kind, name, []byte(s.Config))
	if err != nil {
		return nil, &Fault{"config", err}
	}
	switch most := plugins.MaxSource(cfg.Filename); {
	case len(s.Source) > most:
		return nil, &Fault{"source", fmt.Errorf("the source has %d bytes; it may have %d KiB", len(s.Source), most>>10)}
	case len(bytes.TrimSpace(s.Source)) == 0:
		return nil, &Fault{"source", errors.New("the source is empty")}
	case !cfg.IsModule() && !utf8.Valid(s.Source):
		return nil, &Fault{"source", errors.New("the source is not UTF-8; the config of a WASM module says filename = \"NAME.wasm\"")}
	}
	return cfg, nil
}

// Check loads a plugin as Deploy would, and closes it again. Errors are *Fault or *sandbox.Error where the submission is at fault.
func (m *Manager) Check(ctx context.Context, s Submission) ([]sandbox.Finding, error) {
	cfg, err := Validate(m.parse, s)
	if err != nil {
		return nil, err
	}
	found, err := m.runner.Check(ctx, cfg, s.Source)
	sandbox.Locate(found, s.Config)
	return found, err
}
