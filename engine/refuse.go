package engine

import "github.com/amiable-dev/midimon/engine/effect"

// Refuse takes back x, a KeyDown just returned for which its sink had no place. Nothing will be
// released for it. Rest is what was returned after x and is still to be performed; it becomes what
// it would have been without x: a release of x among it loses its Hold and its keys, and keys that x
// had in common with others go down and up with those.
func (e *Engine) Refuse(x *effect.Effect, rest []effect.Effect) {
	e.forgetRefused(x)
	count := e.ledger.count // after rest, and back from there
	for i := len(rest) - 1; i >= 0; i-- {
		y := &rest[i]
		switch {
		case y.Hold == 0:
		case y.Hold == x.Hold:
			y.Hold = 0
			y.Keys.Clear()
		case y.Kind == effect.KeyUp:
			keys := keysOf(y.Action)
			y.Keys.Clear()
			for j := len(keys) - 1; j >= 0; j-- {
				if count[keys[j]]++; count[keys[j]] == 1 {
					y.Keys.Add(keys[j])
				}
			}
		case y.Kind == effect.KeyDown:
			y.Keys.Clear()
			for _, k := range keysOf(y.Action) {
				if count[k] == 1 {
					y.Keys.Add(k)
				}
				count[k] -= min(count[k], 1)
			}
		}
	}
}

// forgetRefused drops the hold of a KeyDown, if it has not ended yet.
func (e *Engine) forgetRefused(x *effect.Effect) {
	for i := range e.ledger.holds.all {
		h := &e.ledger.holds.all[i]
		if !h.used || h.id(int32(i)) != x.Hold {
			continue
		}
		for _, k := range h.chord.Keys() {
			e.ledger.count[k]--
		}
		e.resume(h.run, x.At)
		e.forget(int32(i))
		if h.latched {
			e.lapseIfEmpty(h.press)
		}
		return
	}
}

// keysOf are the keys that an action presses.
func keysOf(a effect.Action) []effect.Key {
	switch a := a.(type) {
	case *effect.Keystroke:
		return a.Chord.Keys()
	case *effect.MouseClick:
		return a.Chord.Keys()
	}
	return nil
}
