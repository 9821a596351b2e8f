// Package config turns TOML bytes into a program, or says everything that is wrong with
// them, with line, column, key and hint. It opens no file, watches nothing and logs nothing.
//
// A file is read twice over: first into a tree of values that know where they stand (the
// rules of TOML), then by the schema into the program (ours). Both go on after an error.
package config

import (
	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

// MaxSize is how large a configuration may be, in bytes.
const MaxSize = 4 << 20

// byteOrderMark is what some editors begin a file with. It takes no column.
const byteOrderMark = "\uFEFF"

// Settings is what a configuration says to the daemon and not to the engine.
type Settings struct {
	LogLevel string // "error", "warn", "info" or "debug"; empty: not given
	LogFile  string // empty: none
	Backend  string // who presses keys: "wayland", "uinput", "portal" or "xtest"; "auto" or empty: who can
}

// Open returns the text of a file that another one includes. The path is as the file says it,
// joined to the folder of that file's own path. Whoever opens decides what can be trusted, and
// does not change the text afterwards.
type Open func(path string) ([]byte, error)

// Load reads a configuration of one file. The program is nil if any diagnostic is an error.
// File is the name that diagnostics carry. Src must not be changed afterwards: what the program
// and the diagnostics quote are parts of it.
func Load(file string, src []byte) (*engine.Program, []report.Diagnostic) {
	p, _, diagnostics := LoadAll(file, src, nil)
	return p, diagnostics
}

// LoadAll is Load, and also follows what the file includes and returns what it says to the
// daemon. Without open nothing is followed, which is a warning.
func LoadAll(file string, src []byte, open Open) (*engine.Program, Settings, []report.Diagnostic) {
	return Parse(file, src, open).Compile()
}

// Parsed is a configuration that was read and not compiled yet.
type Parsed struct{ r *reader }

// Parse is the first half of LoadAll: it reads everything.
func Parse(file string, src []byte, open Open) Parsed {
	r := &reader{files: readFiles(&problems{}, file, src, open)}
	r.tree = r.files[0]
	r.program()
	return Parsed{r}
}

// Compile is the second half of LoadAll. It can be done once.
func (p Parsed) Compile() (*engine.Program, Settings, []report.Diagnostic) {
	r := p.r
	if len(r.errors) > 0 {
		return nil, Settings{}, r.diagnostics()
	}
	covered := r.prog.Compile()
	r.shadowed(covered)
	r.unreached()
	if r.gestures {
		r.latency(covered)
	}
	if len(r.errors) > 0 {
		return nil, Settings{}, r.diagnostics()
	}
	return r.prog, r.settings, r.diagnostics()
}
