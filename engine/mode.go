package engine

import (
	"path"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// modes is why a mode acts: the newest that is held, else the focused application's, else
// the base mode.
type modes struct {
	base    int
	app     int        // the focused application's, or Any
	covered bool       // it was chosen over since the focus came
	held    []heldMode // oldest first
	id      uint32     // of the newest
	changes uint32     // of held
	passing bool       // what a mode does at its beginning or end is being done
}

type heldMode struct {
	mode int
	id   uint32
}

// carry moves to another program: by name.
func (m *modes) carry(from, to *Program) {
	m.base = max(to.modeIndex(from.Modes[m.base].Name), 0)
	kept := m.held[:0]
	for _, h := range m.held {
		if h.mode = to.modeIndex(from.Modes[h.mode].Name); h.mode >= 0 {
			kept = append(kept, h)
		}
	}
	if len(kept) < len(m.held) {
		m.changes++
	}
	m.held = kept
}

func (e *Engine) acting() int {
	m := &e.modes
	switch {
	case len(m.held) > 0:
		return m.held[len(m.held)-1].mode
	case m.app != Any && !m.covered:
		return m.app
	}
	return m.base
}

// appMode is the first mode that follows the focused application.
func (e *Engine) appMode() int {
	if !e.world.FocusKnown || e.world.Focused == "" {
		return Any
	}
	for i := range e.prog.Modes {
		for _, pattern := range e.prog.Modes[i].Apps {
			if ok, _ := path.Match(strings.ToLower(pattern), e.world.Focused); ok {
				return i
			}
		}
	}
	return Any
}

// refresh makes that mode act which should.
func (e *Engine) refresh(cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	if next := e.acting(); next != e.mode {
		return e.enter(&e.prog.Modes[e.mode], next, cause, at, out)
	}
	return out
}

// enter goes from a mode, which may be of the program before, to another: what the old one
// does at its end, the change, what the new one does at its beginning.
func (e *Engine) enter(old *Mode, next int, cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.passage(old.Exit, old.Name, at, out)
	e.mode = next
	e.epoch++
	e.endRunsForMode()
	is := &e.prog.Modes[next]
	out = append(out, effect.Effect{Kind: effect.ModeChanged, Cause: cause, At: at, Arrived: at, Mode: is.Name, Old: old.Name})
	return e.passage(is.Enter, is.Name, at, out)
}

// passage performs what a mode does at its beginning or end.
func (e *Engine) passage(m *Mapping, mode string, at time.Duration, out []effect.Effect) []effect.Effect {
	if m == nil || e.modes.passing { // a mode that changes the mode again does not go round for ever
		return out
	}
	e.modes.passing = true
	defer func() { e.modes.passing = false }()
	a := act{origin: &m.Origin, mapping: m, press: none, mode: mode, at: at, arrived: at}
	return e.perform(&a, m.Action, none, out)
}

// setBase makes a mode the base mode and what acts, unless one is held.
func (e *Engine) setBase(mode int, cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	if mode < 0 || mode >= len(e.prog.Modes) {
		return out
	}
	was := e.modes.base
	e.modes.base, e.modes.covered = mode, true
	n := len(out)
	if out = e.refresh(cause, at, out); len(out) == n && was != mode {
		name := e.modeName()
		out = append(out, effect.Effect{Kind: effect.ModeChanged, Cause: cause, At: at, Arrived: at, Mode: name, Old: name})
	}
	return out
}

// SetMode makes the mode with that index the base mode. It does nothing if there is none.
func (e *Engine) SetMode(mode int, cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.settle(at, out)
	return e.settle(e.now, e.setBase(mode, cause, e.now, out))
}

// CycleMode makes the mode step places after the acting one the base mode, round and round.
func (e *Engine) CycleMode(step int, cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.settle(at, out) // what is due before may change the mode that acts
	return e.SetMode(e.after(step), cause, at, out)
}

func (e *Engine) after(step int) int {
	n := len(e.prog.Modes)
	return ((e.mode+step)%n + n) % n
}

// HoldMode makes a mode act until ReleaseMode with the id, or until a newer one is held. It
// returns 0 if there is no such mode.
func (e *Engine) HoldMode(mode int, at time.Duration, out []effect.Effect) (uint32, []effect.Effect) {
	out = e.settle(at, out)
	if mode < 0 || mode >= len(e.prog.Modes) {
		return 0, out
	}
	id, out := e.holdMode(mode, e.now, out)
	return id, e.settle(e.now, out)
}

func (e *Engine) holdMode(mode int, at time.Duration, out []effect.Effect) (uint32, []effect.Effect) {
	m := &e.modes
	if m.id++; m.id == 0 {
		m.id = 1
	}
	id := m.id // what the change does may hold another
	m.held = append(m.held, heldMode{mode, id})
	m.changes++
	return id, e.refresh(effect.ByHold, at, out)
}

// ReleaseMode ends what HoldMode began. It says whether that was still so.
func (e *Engine) ReleaseMode(id uint32, at time.Duration, out []effect.Effect) (bool, []effect.Effect) {
	out = e.settle(at, out)
	ok, out := e.releaseMode(id, effect.ByHold, e.now, out)
	return ok, e.settle(e.now, out)
}

func (e *Engine) releaseMode(id uint32, cause effect.Cause, at time.Duration, out []effect.Effect) (bool, []effect.Effect) {
	m := &e.modes
	for i := range m.held {
		if m.held[i].id == id {
			m.held = append(m.held[:i], m.held[i+1:]...)
			m.changes++
			return true, e.refresh(cause, at, out)
		}
	}
	return false, out
}

// Mode is the index of the mode that acts, BaseMode that of the one below any other.
func (e *Engine) Mode() int { return e.mode }

// BaseMode is the index of the base mode.
func (e *Engine) BaseMode() int { return e.modes.base }
