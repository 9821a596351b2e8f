package service

import (
	"cmp"
	"context"
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// SetLocked says whether the screen is locked. While it is, mappings act only if they are
// meant to.
func (d *Daemon) SetLocked(ctx context.Context, locked bool) error {
	return d.shown(d.loop.Lock(ctx, locked))
}

// focus is who says which application is in front: a source of our own, else a caller.
type focus struct {
	app      string
	known    bool   // a source of our own works
	why      string // why none does, where that is known
	fix      string // the command that mends that, where there is one
	reported string // what the caller said
	caller   string // empty: none
}

func (f *focus) show(w *effect.World) {
	w.Focused, w.FocusKnown = f.app, f.known
	if !f.known && f.caller != "" {
		w.Focused, w.FocusKnown = f.reported, true
	}
}

// SetFocus says which application has the focus by its id, empty for none. Known is false
// when nobody can tell.
func (d *Daemon) SetFocus(ctx context.Context, app string, known bool) error {
	return d.setFocus(ctx, func(f *focus) { f.app, f.known, f.why, f.fix = strings.ToLower(app), known, "", "" })
}

// SetFocusUnknown says that nobody can tell which application has the focus, why, and which command
// mends that; empty: none.
func (d *Daemon) SetFocusUnknown(ctx context.Context, why, fix string) error {
	return d.setFocus(ctx, func(f *focus) { f.app, f.known, f.why, f.fix = "", false, why, fix })
}

// setFocus changes who says what of the focus, and shows what follows.
func (d *Daemon) setFocus(ctx context.Context, change func(f *focus)) error {
	why, fix := "", ""
	err := d.loop.World(ctx, func(w *effect.World) {
		change(&d.focus)
		d.focus.show(w)
		if !w.FocusKnown {
			why, fix = d.focus.why, d.focus.fix
		}
	})
	if err == nil {
		d.board.post(func() {
			d.board.unfocused = report.Check{Name: focusCheck, Message: why, Fix: cmp.Or(fix, report.ReportFocus)}
		})
	}
	return err
}

// ReportFocus is a caller's word for which application has the focus. It counts while nobody
// else can tell, until another caller's or until the caller is Gone.
func (d *Daemon) ReportFocus(ctx context.Context, caller, app string) error {
	return d.setFocus(ctx, func(f *focus) { f.reported, f.caller = strings.ToLower(app), caller })
}

// forgetFocus forgets what that caller reported.
func (d *Daemon) forgetFocus(ctx context.Context, caller string) error {
	return d.setFocus(ctx, func(f *focus) {
		if f.caller == caller {
			f.reported, f.caller = "", ""
		}
	})
}

// SetRunning says which programs run, by name.
func (d *Daemon) SetRunning(ctx context.Context, programs []string) error {
	running := make(map[string]bool, len(programs))
	for _, name := range programs {
		running[strings.ToLower(name)] = true
	}
	return d.shown(d.loop.World(ctx, func(w *effect.World) { w.Running = running }))
}

// shown returns when Status shows what came of a change.
func (d *Daemon) shown(err error) error {
	if err == nil {
		d.board.post(func() {})
	}
	return err
}
