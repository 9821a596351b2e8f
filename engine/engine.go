package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// Engine is the machine. New makes one.
type Engine struct {
	prog *Program
}

// New starts an engine in the first mode of the program.
func New(p *Program) *Engine { return &Engine{prog: p} }

// Attach says which device of the program a port belongs to; Any: none of them, so only
// mappings without a device hear it.
func (e *Engine) Attach(port Port, device int) {}

// Step takes one message. It settles every deadline at or before its time first.
func (e *Engine) Step(in Input, out []effect.Effect) []effect.Effect { return out }

// Advance settles every deadline at or before now, in order.
func (e *Engine) Advance(now time.Duration, out []effect.Effect) []effect.Effect { return out }

// Due is the next deadline, if there is one.
func (e *Engine) Due() (time.Duration, bool) { return 0, false }

// Swap makes p the program. What is held stays with the mapping it began with until its own
// release. The base mode is kept by name, else the first.
func (e *Engine) Swap(p *Program, at time.Duration, out []effect.Effect) []effect.Effect {
	e.prog = p
	return out
}

// SetMode makes the mode with that index the base mode.
func (e *Engine) SetMode(mode int, cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	return out
}

// SetGate opens or closes a gate: Paused, Inhibited, Locked or Inactive. Closing one releases
// everything held and ends what runs.
func (e *Engine) SetGate(gate effect.Cause, closed bool, at time.Duration, out []effect.Effect) []effect.Effect {
	return out
}

// Release lets go of everything held and ends every sequence. Presses still down do nothing
// at their release.
func (e *Engine) Release(cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	return out
}

// Refuse takes back a KeyDown just returned, for which its sink had no place.
func (e *Engine) Refuse(x *effect.Effect) {}

// SinkLost forgets what is held: what held it is gone, and with it the keys.
func (e *Engine) SinkLost(at time.Duration, out []effect.Effect) []effect.Effect { return out }

// Program is the program that acts.
func (e *Engine) Program() *Program { return e.prog }

// Mode is the index of the mode that acts, BaseMode that of the one below any hold.
func (e *Engine) Mode() int { return 0 }

// BaseMode is the index of the base mode.
func (e *Engine) BaseMode() int { return 0 }

// Held is how many keys are down.
func (e *Engine) Held() int { return 0 }
