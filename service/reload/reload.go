package reload

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

// Outcome is what came of reading the file.
type Outcome struct {
	Program     *engine.Program // nil if Err is not
	Settings    config.Settings
	Diagnostics []report.Diagnostic
	Missing     bool  // there is no file
	Err         error // wraps report.ErrConfigUnreadable or report.ErrConfigInvalid
}

// Read reads and compiles the file at path.
func Read(path string) Outcome {
	text, warnings, err := read(path)
	if err != nil {
		return Outcome{Err: err, Missing: errors.Is(err, errMissing)}
	}
	p, settings, diagnostics := config.LoadAll(path, text)
	o := Outcome{Program: p, Settings: settings, Diagnostics: slices.Concat(warnings, diagnostics)}
	if p != nil {
		return o
	}
	o.Err = report.ErrConfigInvalid
	if i := slices.IndexFunc(o.Diagnostics, func(d report.Diagnostic) bool { return d.Severity == report.Error }); i >= 0 {
		d := o.Diagnostics[i]
		where := d.Message
		if d.Path != "" {
			where = d.Path + ": " + d.Message
		}
		o.Err = fmt.Errorf("%w: %s:%d:%d: %s", report.ErrConfigInvalid, d.File, d.Line, d.Column, where)
	}
	return o
}

// Defaults is the program of no file at all: no mappings, every controller heard, none missed.
func Defaults() *engine.Program {
	p, _ := config.Load("", nil)
	for i := range p.Devices {
		p.Devices[i].Optional = true
	}
	return p
}

// A Reloader does one reload at a time. Those who ask while one is under way share the next.
type Reloader struct {
	do       func(ctx context.Context, trigger string) (report.Reload, error)
	requests chan request
	done     chan struct{}
}

type request struct {
	trigger string
	reply   chan answer
}

type answer struct {
	reload report.Reload
	err    error
}

// New makes a Reloader that reloads by do.
func New(do func(ctx context.Context, trigger string) (report.Reload, error)) *Reloader {
	return &Reloader{do: do, requests: make(chan request, 64), done: make(chan struct{})}
}

// Run reloads when asked until ctx is done.
func (r *Reloader) Run(ctx context.Context) {
	defer close(r.done)
	for {
		select {
		case <-ctx.Done():
			return
		case first := <-r.requests:
			batch := []request{first}
			for range len(r.requests) {
				batch = append(batch, <-r.requests)
			}
			out, err := r.do(ctx, first.trigger)
			for _, q := range batch {
				q.reply <- answer{out, err}
			}
		}
	}
}

// Reload returns when a reading that began after the call is done. Errors: that of the
// reload, ctx's, and report.ErrStopping.
func (r *Reloader) Reload(ctx context.Context, trigger string) (report.Reload, error) {
	q := request{trigger, make(chan answer, 1)}
	select {
	case r.requests <- q:
	case <-ctx.Done():
		return report.Reload{}, ctx.Err()
	case <-r.done:
		return report.Reload{}, report.ErrStopping
	}
	select {
	case a := <-q.reply:
		return a.reload, a.err
	case <-ctx.Done():
		return report.Reload{}, ctx.Err()
	case <-r.done:
		return report.Reload{}, report.ErrStopping
	}
}
