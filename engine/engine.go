package engine

import (
	"bytes"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// Engine is the machine. New makes one.
type Engine struct {
	prog  *Program
	ports [MaxPorts]*port
	spare *port         // one that was lost
	now   time.Duration // the latest instant seen
	mode  int           // what acts
	epoch uint32        // grows when the mode or the program changes
	gates uint32        // a bit per closed gate
	off   []uint64      // a bit per mapping that is switched off; nil: none is
	world *effect.World

	modes   modes
	timers  timers
	ledger  ledger
	presses pool[press]
	waits   int // presses that may become a series of taps
	latches int // presses of which something lasts until the next one
	runs    pool[run]
	late    pool[late]
	rates   [rateClasses]rate
	next    map[int32]time.Duration // by mapping with a rate of its own: when it may act again
	toggles map[string]bool
	why     why
	also    []candidate // of the press at hand
	run     []int32     // bands of the value at hand
}

// New starts an engine in the first mode of the program.
func New(p *Program) *Engine {
	e := &Engine{world: &effect.World{}, toggles: map[string]bool{}}
	for i := range e.rates {
		e.rates[i].most = ratesPerSecond[i]
	}
	e.why.on = true
	e.modes.app = Any
	e.adopt(p)
	return e
}

func (e *Engine) adopt(p *Program) {
	e.prog = p
	e.epoch++
	e.off, e.next = nil, nil
	for i := range p.Mappings {
		m := &p.Mappings[i]
		if !m.Enabled {
			e.SetEnabled(i, false)
		}
		if m.MaxRate > 0 {
			if e.next == nil {
				e.next = map[int32]time.Duration{}
			}
			e.next[int32(i)] = 0
		}
	}
	for _, q := range e.ports {
		if q != nil {
			q.device = len(p.Devices)
		}
	}
}

// SetEnabled switches a mapping on or off until the next Swap. Presses under way go on.
func (e *Engine) SetEnabled(mapping int, on bool) {
	if e.off == nil {
		e.off = make([]uint64, (len(e.prog.Mappings)+63)/64)
	}
	if on {
		e.off[mapping/64] &^= 1 << (mapping % 64)
	} else {
		e.off[mapping/64] |= 1 << (mapping % 64)
	}
}

// Enabled says whether a mapping is switched on.
func (e *Engine) Enabled(mapping int) bool { return !e.disabled(int32(mapping)) }

func (e *Engine) disabled(mapping int32) bool {
	return e.off != nil && e.off[mapping>>6]&(1<<(mapping&63)) != 0
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
	if in.Kind == NoteOn {
		if out, took := e.tap(in, p, out); took {
			return out
		}
	}
	e.note(in, p)
	switch in.Kind {
	case NoteOn, NoteOff:
		out = e.key(in, p, out)
	case ControlChange:
		out = e.control(in, p, out)
	case PolyPressure, ChannelPressure, PitchBend:
		out = e.pressure(in, p, out)
	case ProgramChange, SysEx, Start, Continue, Stop:
		out = e.event(in, p, out)
	case PortLost:
		out = e.lose(in.Port, out)
		e.detach(in.Port)
	case Overrun:
		out = e.lose(in.Port, out)
	}
	return e.settle(e.now, out)
}

// heads are the first bands of a number: the mode's, then the global ones.
func (e *Engine) heads(device, kind int, number uint8) [2]int32 {
	h := [2]int32{e.prog.find(e.mode, device, kind, number)}
	if e.prog.table.global {
		h[1] = e.prog.find(len(e.prog.Modes), device, kind, number)
	}
	return h
}

// event takes a message that is over at once.
func (e *Engine) event(in *Input, p *port, out []effect.Effect) []effect.Effect {
	lists := [2][2]int32{}
	value := in.Value
	switch in.Kind {
	case ProgramChange:
		lists[0] = e.heads(p.device, programPage, in.Number)
		lists[1] = e.heads(p.device, otherPage, anyProgram)
		value = uint16(in.Number)
	case SysEx:
		lists[0] = e.heads(p.device, otherPage, sysexOf)
	default:
		lists[0] = e.heads(p.device, otherPage, transportOf)
		value = uint16(in.Kind)
	}
	// Of a program's own mappings and those of every program the first as written acts.
	for scope := range 2 {
		first := int32(0)
		for _, list := range lists {
			for i := list[scope]; i != 0; i = e.prog.table.bands[i].next {
				b := &e.prog.table.bands[i]
				if !e.fits(b, in.Channel, value) || in.Kind == SysEx && !bytes.HasPrefix(in.Data, e.prog.Mappings[b.mapping].Trigger.Data) {
					continue
				}
				if first == 0 || b.mapping < e.prog.table.bands[first].mapping {
					first = i
				}
				break
			}
		}
		if first != 0 {
			return e.fireFree(in, first, value, 0, out)
		}
	}
	return out
}

// fits says whether a band may act for a value on a channel, and notes it or why not.
func (e *Engine) fits(b *band, channel uint8, value uint16) bool {
	e.why.last().candidates++
	switch {
	case b.channels>>(channel&15)&1 == 0:
		e.why.miss(otherChannel)
	case value < b.lo || b.hi < value:
		e.why.miss(outOfRange)
	case e.disabled(b.mapping):
		e.why.miss(switchedOff)
	case b.flags&guardedBand != 0 && !e.prog.Mappings[b.mapping].When.Holds(e.world, e.modeName()):
		e.why.miss(conditionUnmet)
	default:
		return true
	}
	return false
}

// lose lets go of everything that a port holds; its presses are over.
func (e *Engine) lose(id Port, out []effect.Effect) []effect.Effect {
	for i := range e.presses.all {
		if p := &e.presses.all[i]; p.used && p.port == id {
			r := ref{int32(i), p.gen}
			e.cancel(p)
			out = e.letGoOf(r, p.leader, momentary, effect.PortLost, e.now, out)
			e.endRunsOf(r, p.leader, momentary)
			out = e.unlatch(r, effect.PortLost, e.now, out)
			e.drop(r)
		}
	}
	e.ports[id].down = [16][2]uint64{}
	e.leave()
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
		case lateDue:
			out = e.makeUp(index, at, out)
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
// release. The base mode is kept by name, else the first; held modes that are gone are over.
func (e *Engine) Swap(p *Program, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.settle(at, out)
	old := &e.prog.Modes[e.mode]
	e.why.detach(e.prog)
	e.modes.carry(e.prog, p)
	e.adopt(p)
	e.mode = max(p.modeIndex(old.Name), 0)
	e.modes.app = e.appMode()
	if p.Modes[e.mode].Name != old.Name || e.acting() != e.mode {
		out = e.enter(old, e.acting(), effect.ByReload, e.now, out)
	}
	return out
}

// SetWorld hands over what conditions ask of and which application has the focus. It does not
// change w, and nobody may any more.
func (e *Engine) SetWorld(w *effect.World, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.settle(at, out)
	old := e.world
	e.world = w
	if w.FocusKnown == old.FocusKnown && w.Focused == old.Focused {
		return out
	}
	e.modes.covered = false
	e.modes.app = e.appMode()
	return e.refresh(effect.ByFocus, e.now, out)
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
	out = e.letGoAll(gate, e.now, out)
	e.lapseAll()
	return e.settle(e.now, out)
}

// Release lets go of everything held and ends every sequence and held mode. Presses still down
// do nothing at their release.
func (e *Engine) Release(cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.settle(at, out)
	return e.letGoOfAll(cause, e.now, out)
}

func (e *Engine) letGoOfAll(cause effect.Cause, at time.Duration, out []effect.Effect) []effect.Effect {
	e.endRuns()
	e.endLate()
	for i := range e.presses.all {
		if p := &e.presses.all[i]; p.used {
			e.cancel(p)
		}
	}
	out = e.letGoAll(cause, at, out)
	e.lapseAll()
	if len(e.modes.held) > 0 {
		e.modes.held = e.modes.held[:0]
		e.modes.changes++
	}
	if out = e.refresh(cause, at, out); cause == effect.Stopping { // nobody will end what a mode began
		e.endRuns()
		out = e.letGoAll(cause, at, out)
	}
	return out
}

// Trigger does what a mapping does at a press that has no release.
func (e *Engine) Trigger(mapping int, at time.Duration, out []effect.Effect) []effect.Effect {
	out = e.settle(at, out)
	m := &e.prog.Mappings[mapping]
	a := act{origin: &m.Origin, mapping: m, press: none, mode: e.modeName(), value: m.Trigger.Max, lo: m.Trigger.Min, hi: m.Trigger.Max, at: e.now, arrived: e.now}
	a.of = e.noteTime(m, e.now)
	out = e.actOf(&a, m.Action, true, int32(mapping), 0, none, out)
	return e.settle(e.now, out)
}

// Program is the program that acts.
func (e *Engine) Program() *Program { return e.prog }

func (e *Engine) modeName() string { return e.prog.Modes[e.mode].Name }

func (p *Program) modeIndex(name string) int {
	for i := range p.Modes {
		if p.Modes[i].Name == name {
			return i
		}
	}
	return -1
}
