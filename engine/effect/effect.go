// Package effect is the vocabulary of what midimon does: actions as configured,
// and the effects into which the engine turns them. It is plain data. Nothing here
// performs, schedules, logs or reads a clock.
package effect

import "time"

// Key is a key or button code of the Linux input subsystem (linux/input-event-codes.h,
// KEY_* and BTN_*). Other platforms translate it.
type Key uint16

// MaxChord is how many keys one keystroke may press.
const MaxChord = 8

// Chord is the keys pressed together, in the order in which they go down.
type Chord struct {
	codes [MaxChord]Key
	n     uint8
}

// NewChord holds the keys given. More than MaxChord is a fault of the caller and panics:
// configurations are checked when they are read.
func NewChord(keys ...Key) Chord {
	var c Chord
	for _, k := range keys {
		c.Add(k)
	}
	return c
}

// Add appends a key. It panics when the chord is full.
func (c *Chord) Add(k Key) {
	c.codes[c.n] = k
	c.n++
}

// Clear empties it. Giving it a new value does the same, but by way of a copy.
func (c *Chord) Clear() {
	c.codes = [MaxChord]Key{}
	c.n = 0
}

// Keys are the keys in the order in which they go down. The slice is c's own memory.
func (c *Chord) Keys() []Key { return c.codes[:c.n] }

// Len is the number of keys.
func (c *Chord) Len() int { return int(c.n) }

// Kind says what an effect is.
type Kind uint8

const (
	// Act starts Action. For a Keystroke it only says so: KeyDown and KeyUp do the work.
	Act Kind = iota
	// KeyDown presses Keys in order. It is done whole or refused whole. Keys that something
	// else holds down already are left out, so there may be none. For SendMidi it begins a
	// note that KeyUp ends.
	KeyDown
	// KeyUp releases Keys in order. It is never refused, and comes exactly once for each
	// KeyDown that was not refused. Cause is None when a tap ends, else why a held key does.
	KeyUp
	// ModeChanged says that Mode acts now instead of Old, or that the base mode changed
	// although another mode acts: then they are the same.
	ModeChanged
	// Refused says that Action was due and did not happen because of Cause.
	Refused
)

// Cause says why a mode changed, keys were released or an action was refused.
type Cause uint8

// The causes, with the words in which users see them.
const (
	None      Cause = iota
	ByMapping       // a ModeChange action, or the release that the user made
	ByCaller        // the bus or the command line
	ByReload        // the configuration changed
	PortLost        // the port is gone, or the kernel lost events of it
	TooLong         // held longer than max_hold_ms
	SinkLost        // what performed it is gone
	Paused          // gate: paused
	Inhibited       // gate: an application asked for quiet
	Locked          // gate: the screen is locked
	Inactive        // gate: the session is not in front
	QueueFull       // the sink did not keep up
	ByPanic         // the user asked to let go of everything
	Stopping        // the daemon stops
	TooFast         // over the action's rate
	Disabled        // the mapping is switched off
	ByFocus         // another application came to the front
	ByHold          // a mode is held, or held no longer
	Cancelled       // what it belonged to ended before
	Unmet           // a condition does not hold
)

var causes = [...]string{
	"", "mapping", "caller", "reload", "port-lost", "held-too-long", "sink-lost", "paused",
	"inhibited", "locked", "inactive", "queue-full", "panic", "stopping", "rate", "disabled",
	"focus", "hold", "cancelled", "condition",
}

func (c Cause) String() string { return causes[c] }

// Origin names the mapping that an effect comes from. It lives as long as its program.
type Origin struct {
	ID    string // the mapping's name, else its path: modes[0].mappings[3]
	Label string // its description; may be empty
}

// Hit is how hard a control was hit, as a VelocityRange grades it.
type Hit uint8

// The hits.
const (
	NoHit Hit = iota
	Soft
	Medium
	Hard
)

var hits = [...]string{"", "soft", "medium", "hard"}

// String is soft, medium or hard, or nothing.
func (h Hit) String() string { return hits[h] }

// Effect is one thing to do, or done.
type Effect struct {
	Kind    Kind
	Cause   Cause
	Step    uint16        // 1-based step of a Sequence, 0 outside one
	Steps   int16         // an encoder's, clockwise or the way asked for positive, for an action that multiplies by them; else 0
	Value   uint16        // velocity or value of the control that caused it
	Hit     Hit           // how hard, if a VelocityRange caused it
	Of      uint32        // the number of the decision that fired it, modulo 2^32; 0: there is none
	Level   float64       // the number that Action works with, if it does with one; Toggle and Conditional: 1 for On and Then
	Hold    uint32        // KeyDown, KeyUp: what the two have in common, for as long as the keys are down
	Keys    Chord         // KeyDown, KeyUp
	At      time.Duration // when it was due: monotonic
	Arrived time.Duration // arrival of the event it answers; equals At for what time alone caused
	Origin  *Origin       // nil for what no mapping caused
	Action  Action        // Act and Refused; nil otherwise
	Mode    string        // the mode that acted; ModeChanged: the new one
	Old     string        // ModeChanged only
}
