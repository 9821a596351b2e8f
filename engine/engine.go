package engine

import (
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// Engine is the machine. New makes one.
type Engine struct {
	prog  *Program
	ports [MaxPorts]*port
	now   time.Duration // the latest instant seen
	mode  int           // what acts
	base  int
	epoch uint32   // grows when the mode or the program changes
	gates uint32   // a bit per closed gate
	off   []uint64 // a bit per mapping that is switched off; nil: none is

	timers  timers
	ledger  ledger
	presses pool[press]
	runs    pool[run]
	shell   rate
}

// port is what is known of a port: its device in the program, and its channels once used.
type port struct {
	device   int
	channels [16]*channel
}

// New starts an engine in the first mode of the program.
func New(p *Program) *Engine {
	e := &Engine{}
	e.adopt(p)
	return e
}

func (e *Engine) adopt(p *Program) {
	e.prog = p
	e.epoch++
	e.off = nil
	for i := range p.Mappings {
		if !p.Mappings[i].Enabled {
			if e.off == nil {
				e.off = make([]uint64, (len(p.Mappings)+63)/64)
			}
			e.off[i/64] |= 1 << (i % 64)
		}
	}
	for _, q := range e.ports {
		if q != nil {
			q.device = len(p.Devices)
		}
	}
}

func (e *Engine) disabled(mapping int32) bool {
	return e.off != nil && e.off[mapping>>6]&(1<<(mapping&63)) != 0
}

// Attach says which device of the program a port belongs to; Any: none of them, so only
// mappings without a device hear it. What is known of the port's controls stays.
func (e *Engine) Attach(id Port, device int) {
	if e.ports[id] == nil {
		e.ports[id] = &port{}
	}
	if device == Any {
		device = len(e.prog.Devices)
	}
	e.ports[id].device = device
}

func (p *port) channel(n uint8) *channel {
	if c := p.channels[n&15]; c != nil {
		return c
	}
	return p.firstOf(n & 15)
}

// firstOf makes a channel at its first message.
func (p *port) firstOf(n uint8) *channel {
	c := &channel{}
	for i := range c.controls {
		c.controls[i].press = none
	}
	p.channels[n] = c
	return c
}

// Step takes one message. It settles every deadline at or before its time first. A message
// of a port that was never attached does nothing. In is not kept; it is a pointer because
// copying it would cost as much as the lookup.
func (e *Engine) Step(in *Input, out []effect.Effect) []effect.Effect {
	out = e.settle(in.At, out)
	p := e.ports[in.Port]
	if p == nil {
		return out
	}
	switch in.Kind {
	case NoteOn, NoteOff:
		out = e.note(in, p, out)
	case ControlChange:
		out = e.change(in, p.device, p.channel(in.Channel), out)
	case PortLost:
		out = e.lose(in.Port, out)
		e.ports[in.Port] = nil
	case Overrun:
		out = e.lose(in.Port, out)
	case PolyPressure, ProgramChange, ChannelPressure, PitchBend, SysEx, Start, Continue, Stop:
		return out // no trigger of ours listens to these yet
	}
	return e.settle(e.now, out)
}

// note takes a note-on or note-off.
func (e *Engine) note(in *Input, p *port, out []effect.Effect) []effect.Effect {
	down := &p.channel(in.Channel).down[in.Number>>6&1]
	bit := uint64(1) << (in.Number & 63)
	if *down&bit != 0 { // also a second press without a release
		out = e.release(e.pressOf(in), in.At, out)
		*down &^= bit
	}
	if in.Kind == NoteOff || in.Value == 0 {
		return out
	}
	var c candidates
	if head := e.prog.find(e.mode, p.device, notePage, in.Number); head != 0 {
		e.collect(&c, head, in)
	}
	if e.prog.table.global {
		if head := e.prog.find(len(e.prog.Modes), p.device, notePage, in.Number); head != 0 {
			e.collect(&c, head, in)
		}
	}
	switch {
	case c.hold|c.eager != 0 || c.tap != 0 && !c.plain:
		*down |= bit
		_, out = e.press(in, &c, out)
	case c.tap != 0: // the release will have nothing to do: no press is kept
		out = e.fireFree(in, &e.prog.table.bands[c.tap], out)
	}
	return out
}

// collect adds the first band of each kind that fits a press.
func (e *Engine) collect(c *candidates, head int32, in *Input) {
	mask := uint16(1) << (in.Channel & 15)
	bands := e.prog.table.bands
	for i := head; i != 0; i = bands[i].next {
		b := &bands[i]
		if b.channels&mask == 0 || in.Value < b.lo || b.hi < in.Value || e.disabled(b.mapping) {
			continue
		}
		switch {
		case b.kind == tapKind && c.tap == 0:
			c.tap, c.plain = i, b.plain()
		case b.kind == holdKind && c.hold == 0:
			c.hold = i
		case b.kind == eagerKind && c.eager == 0:
			c.eager = i
		}
	}
}

// lose lets go of everything that a port holds; its presses are over.
func (e *Engine) lose(id Port, out []effect.Effect) []effect.Effect {
	for i := range e.presses.all {
		if p := &e.presses.all[i]; p.used && p.port == id {
			r := ref{int32(i), p.gen}
			out = e.letGoOf(r, effect.PortLost, e.now, out)
			e.drop(r)
		}
	}
	return out
}

// Advance settles every deadline at or before now, in order.
func (e *Engine) Advance(now time.Duration, out []effect.Effect) []effect.Effect {
	return e.settle(now, out)
}

// settle brings the engine to an instant. The present never runs back, but a deadline acts
// at its own time, however late this is called.
func (e *Engine) settle(now time.Duration, out []effect.Effect) []effect.Effect {
	if len(e.timers.heap) > 0 {
		return e.settleDue(now, out)
	}
	e.now = max(now, e.now)
	return out
}

func (e *Engine) settleDue(now time.Duration, out []effect.Effect) []effect.Effect {
	now = max(now, e.now)
	for {
		t := e.timers.next()
		if t == nil || t.due > now {
			break
		}
		at, index := t.due, t.index
		e.now = max(e.now, at)
		switch t.what {
		case gestureDue:
			out = e.expire(index, at, out)
		case tapDue:
			out = e.letGo(index, effect.None, at, out)
		case heldTooLong:
			out = e.letGo(index, effect.TooLong, at, out)
		case runDue:
			r := &e.runs.all[index]
			e.timers.clear(r.timer)
			r.timer = noTimer
			out = e.steps(ref{index, r.gen}, at, out)
		}
	}
	e.now = now
	return out
}

// Due is the next deadline, if there is one.
func (e *Engine) Due() (time.Duration, bool) {
	if t := e.timers.next(); t != nil {
		return t.due, true
	}
	return 0, false
}

// Swap makes p the program. What is held stays with the mapping it began with until its own
// release. The base mode is kept by name, else the first.
func (e *Engine) Swap(p *Program, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.settle(at, out)
	old := e.modeName()
	e.adopt(p)
	mode := max(e.modeIndex(old), 0)
	e.base, e.mode = mode, mode
	if p.Modes[mode].Name != old {
		out = append(out, effect.Effect{Kind: effect.ModeChanged, Cause: effect.ByReload, At: e.now, Arrived: at, Mode: p.Modes[mode].Name, Old: old})
	}
	return out
}

// SetMode makes the mode with that index the base mode. It does nothing if there is none.
func (e *Engine) SetMode(mode int, cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.settle(at, out)
	return e.changeMode(mode, cause, e.now, out)
}

func (e *Engine) changeMode(mode int, cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	if mode < 0 || mode >= len(e.prog.Modes) || mode == e.mode && mode == e.base {
		return out
	}
	old := e.modeName()
	e.base, e.mode = mode, mode
	e.epoch++
	return append(out, effect.Effect{Kind: effect.ModeChanged, Cause: cause, At: at, Arrived: at, Mode: e.modeName(), Old: old})
}

// SetGate opens or closes a gate: Paused, Inhibited, Locked or Inactive. Closing one lets go
// of everything held; what is due while it is closed is refused and not made up for.
func (e *Engine) SetGate(gate effect.Cause, closed bool, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.settle(at, out)
	if !closed {
		e.gates &^= 1 << gate
		return out
	}
	e.gates |= 1 << gate
	return e.settle(e.now, e.letGoAll(gate, e.now, out))
}

// Release lets go of everything held and ends every sequence. Presses still down do nothing
// at their release.
func (e *Engine) Release(cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.settle(at, out)
	e.endRuns()
	for i := range e.presses.all {
		if p := &e.presses.all[i]; p.used {
			e.cancel(p)
		}
	}
	return e.letGoAll(cause, e.now, out)
}

// Program is the program that acts.
func (e *Engine) Program() *Program { return e.prog }

// Mode is the index of the mode that acts, BaseMode that of the one below any hold.
func (e *Engine) Mode() int { return e.mode }

// BaseMode is the index of the base mode.
func (e *Engine) BaseMode() int { return e.base }

func (e *Engine) modeName() string { return e.prog.Modes[e.mode].Name }

func (e *Engine) modeIndex(name string) int {
	for i := range e.prog.Modes {
		if e.prog.Modes[i].Name == name {
			return i
		}
	}
	return -1
}
