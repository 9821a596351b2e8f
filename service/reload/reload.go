package reload

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

// Outcome is what came of reading the file.
type Outcome struct {
	Program     *engine.Program // nil if Err is not
	Settings    config.Settings
	Diagnostics []report.Diagnostic
	Phases      report.Phases // of reading
	Sum         [32]byte      // checksum of what was read
	Missing     bool          // there is no file
	Err         error         // wraps report.ErrConfigUnreadable or report.ErrConfigInvalid
}

// Read reads and compiles the file at path.
func Read(path string) Outcome {
	var o Outcome
	began := time.Now()
	lap := func(d *time.Duration) {
		now := time.Now()
		*d, began = now.Sub(began), now
	}
	text, warnings, err := read(path)
	lap(&o.Phases.Read)
	if err != nil {
		o.Err, o.Missing = err, errors.Is(err, errMissing)
		return o
	}
	o.Sum = sha256.Sum256(text)
	parsed := config.Parse(path, text)
	lap(&o.Phases.Parse)
	p, settings, diagnostics := parsed.Compile()
	lap(&o.Phases.Compile)
	o.Program, o.Settings, o.Diagnostics = p, settings, slices.Concat(warnings, diagnostics)
	if p == nil {
		o.Err = invalid(o.Diagnostics)
	}
	return o
}

// invalid is the error of a file with errors: the first of them.
func invalid(diagnostics []report.Diagnostic) error {
	i := slices.IndexFunc(diagnostics, func(d report.Diagnostic) bool { return d.Severity == report.Error })
	if i < 0 {
		return report.ErrConfigInvalid
	}
	d := diagnostics[i]
	return fmt.Errorf("%w: %s:%d:%d: %s", report.ErrConfigInvalid, d.File, d.Line, d.Column, d.Message)
}

// Defaults is the program of no file at all: no mappings, every controller heard, none missed.
func Defaults() *engine.Program {
	p, _ := config.Load("", nil)
	for i := range p.Devices {
		p.Devices[i].Optional = true
	}
	return p
}
