package service

import (
	"context"
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

// SetLocked says whether the screen is locked. While it is, mappings act only if they are
// meant to.
func (d *Daemon) SetLocked(ctx context.Context, locked bool) error {
	return d.shown(d.loop.Lock(ctx, locked))
}

// SetFocus says which application has the focus by its id, empty for none. Known is false
// when nobody can tell.
func (d *Daemon) SetFocus(ctx context.Context, app string, known bool) error {
	return d.shown(d.loop.World(ctx, func(w *effect.World) { w.Focused, w.FocusKnown = strings.ToLower(app), known }))
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
