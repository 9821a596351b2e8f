package service

import (
	"context"
	"errors"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"syscall"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/reload"
	"github.com/amiable-dev/midimon/service/state"
)

// stateCheck is the row of what cannot be kept.
const stateCheck = "state"

// keeper is what is known of the state file.
type keeper struct {
	saved   state.State  // what is in it
	pending *state.State // nothing since the start could have had it; nil: none; belongs to whoever reloads
	off     bool         // nothing is written
}

// restore makes the engine stand where the last run left it, and returns what that counted. Without
// a configuration what is kept waits for one.
func (d *Daemon) restore(e *engine.Engine, configured bool) report.Stats {
	k := &d.keeper
	k.off = d.o.State == "" || d.o.DryRun != nil
	if d.o.State == "" {
		return report.Stats{}
	}
	s, err := state.Load(d.o.State, k.off)
	if !k.off {
		state.Clean(d.o.State)
	}
	if err != nil {
		d.o.Log.Warn("state not restored", "err", err)
		if _, aside := errors.AsType[*state.SetAsideError](err); !aside {
			k.off = true
			d.board.rows.Set(stateRow(err, reload.Command("mv -i ", d.o.State)+reload.Command(" ", d.o.State+".old")))
		}
	}
	k.saved = s
	if configured {
		d.fitting(e.Program(), &s).apply(e, effect.None, d.o.Clock(), nil)
	} else {
		k.pending = &s
	}
	stats, reloads := s.Counted()
	d.board.base.Reloads = reloads
	return stats
}

func modeIndex(p *engine.Program, name string) int {
	for i := range p.Modes {
		if p.Modes[i].Name == name {
			return i
		}
	}
	return -1
}

// takeUp applies what waits, once there is a configuration.
func (d *Daemon) takeUp(ctx context.Context, p *engine.Program) {
	if d.keeper.pending == nil {
		return
	}
	f := d.fitting(p, d.keeper.pending)
	d.keeper.pending = nil
	_ = d.loop.Do(ctx, func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
		return f.apply(e, effect.ByReload, now, out)
	}) // it only fails when we stop
}

// fitting is what of a state a program has a place for.
type fitting struct {
	mode    int // -1: none
	toggles map[string]bool
}

// fitting says what does not fit: it is forgotten.
func (d *Daemon) fitting(p *engine.Program, s *state.State) fitting {
	f := fitting{modeIndex(p, s.BaseMode), map[string]bool{}}
	for _, name := range slices.Sorted(maps.Keys(s.Toggles)) {
		if p.HasToggle(name) {
			f.toggles[name] = s.Toggles[name]
			continue
		}
		d.o.Log.Warn("a toggle is forgotten: the configuration has none of that name", "toggle", name, "on", s.Toggles[name])
	}
	if f.mode < 0 && s.BaseMode != "" {
		d.o.Log.Warn("the mode is not restored: the configuration has none of that name", "mode", s.BaseMode)
	}
	return f
}

// apply makes the engine stand there.
func (f fitting) apply(e *engine.Engine, cause effect.Cause, now time.Duration, out []effect.Effect) []effect.Effect {
	for name, on := range f.toggles {
		e.SetToggle(name, on)
	}
	if f.mode >= 0 {
		out = e.SetMode(f.mode, cause, now, out)
	}
	return out
}

// keepState writes the state when something of it changed, not too often.
func (d *Daemon) keepState(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-d.loop.Moved():
		}
		if toggles, err := d.Toggles(ctx); err == nil {
			if stats, err := d.loop.Stats(ctx); err == nil {
				d.save(toggles, stats, false)
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(saveEvery):
		}
	}
}

// saveLast writes the state when the loop has ended.
func (d *Daemon) saveLast() {
	toggles, stats := d.loop.Last()
	d.save(toggles, stats, true)
}

// save writes the state if it is another than was written last. What was counted alone makes
// it another only in the end.
func (d *Daemon) save(toggles map[string]bool, stats report.Stats, last bool) {
	k := &d.keeper
	if k.off {
		return
	}
	s := state.State{BaseMode: d.loop.Modes().BaseMode, Toggles: maps.Clone(toggles)}
	if d.Status().ConfigStatus == configDefaults { // there is no configuration that could have it
		s.Toggles = maps.Clone(k.saved.Toggles)
		if modeIndex(d.loop.Modes().Program, k.saved.BaseMode) < 0 && k.saved.BaseMode != "" {
			s.BaseMode = k.saved.BaseMode
		}
	}
	s.Count(stats, d.Status().Reloads)
	if s.Stands(&k.saved) && (!last || s.Counters == k.saved.Counters && s.Reloads == k.saved.Reloads) {
		return
	}
	var err error
	d.o.Beside(func() { err = state.Save(d.o.State, s) })
	if err == nil {
		k.saved = s
	} else {
		d.o.Log.Warn("state not saved", "err", err)
	}
	d.board.post(func() { d.board.rows.Set(stateRow(err, unsavedFix(err, filepath.Dir(d.o.State)))) })
}

// unsavedFix is the command that mends what kept us from writing into a directory, or shows it.
func unsavedFix(err error, dir string) string {
	switch {
	case errors.Is(err, fs.ErrPermission):
		return reload.Command("sudo chown -R $USER ", dir) + reload.Command(" && chmod -R u+rwX ", dir)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return reload.Command("df -h ", dir)
	case errors.Is(err, syscall.EROFS):
		return reload.Command("findmnt --target ", dir)
	}
	return reload.Command("ls -ld ", dir)
}

// stateRow is the row of an error of the state file.
func stateRow(err error, fix string) report.Check {
	if err == nil {
		return report.Check{Name: stateCheck, Status: report.OK}
	}
	return report.Check{
		Name: stateCheck, Status: report.Warning, Fix: fix,
		Message: "the mode and what is switched will not survive: " + err.Error(),
	}
}
