package engine

import (
	"maps"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// whySize is how many decisions are remembered.
const whySize = 256

// why remembers what was decided about the newest events, and why. It is written in place on
// the way of a note and read when somebody asks. Entries are small: a ring as large as the
// nearest cache would push everything else out of it.
type why struct {
	ring    [whySize]decision
	n       uint64 // decisions so far
	stamped uint64
	on      bool
	before  *[whySize]names   // of decisions whose program was replaced; nil: none was
	since   uint64            // so many decisions are of replaced programs
	failed  map[uint64]string // why what was fired came to nothing
}

// names are what a decision says of its program.
type names struct {
	mapping, mode, device string
	trigger               TriggerType
}

// decision is what came of one event or deadline.
type decision struct {
	at         time.Duration
	mapping    *Mapping // that fired or was refused, or waits; nil: none
	until      uint32   // microseconds after at; so are the next two
	taken      uint32
	handed     uint32
	mode       uint16
	port       Port
	device     int16 // index in the program's; -1: none of them
	value      uint16
	candidates uint16
	kind       Kind
	channel    uint8
	number     uint8
	outcome    outcome
	reason     reason
	cause      effect.Cause
	waits      uint8 // a bit per thing waited for
	deadline   bool  // it was time that acted, or a caller
	hit        effect.Hit
}

type outcome uint8

const (
	noMapping outcome = iota
	noMatch
	waits
	fired
	refused
	failed
)

var outcomes = [...]string{"no-mapping", "no-match", "waits", "fired", "refused", "failed"}

// reason is why the last candidate that did not act did not.
type reason uint8

const (
	noReason reason = iota
	otherChannel
	outOfRange
	switchedOff
	conditionUnmet
	notLeft   // it stands in the range and has not left it
	unchanged // the same value again
	noStep    // the encoder did not turn, or not yet far enough
	otherWay
)

var reasons = [...]string{"", "channel", "range", "disabled", "condition", "still-in-range", "unchanged", "no-step", "direction"}

const (
	waitsHold = 1 << iota
	waitsTaps
	waitsChord
)

var awaited = [...]string{"hold", "taps", "chord"}

var kindNames = [...]string{
	"note-off", "note-on", "poly-pressure", "control-change", "program-change", "pressure", "pitch-bend", "sysex", "start", "continue", "stop", "port-lost", "overrun",
}

// last is the decision under way.
func (w *why) last() *decision { return &w.ring[(w.n-1)%whySize] }

// number is the decision's under way, as effects carry it.
func (w *why) number() uint32 {
	if !w.on {
		return 0
	}
	return uint32(w.n)
}

// note begins the decision about a message of a port, which may be nil.
func (e *Engine) note(in *Input, q *port) *decision {
	w := &e.why
	if w.on {
		w.n++
	}
	d := w.last()
	d.at, d.mapping, d.until, d.taken, d.handed = in.At, nil, 0, 0, 0
	d.mode, d.port, d.value, d.candidates = uint16(e.mode), in.Port, in.Value, 0
	d.kind, d.channel, d.number = in.Kind, in.Channel, in.Number
	d.device = -1
	if q != nil && q.device < len(e.prog.Devices) {
		d.device = int16(q.device)
	}
	d.outcome, d.reason, d.cause, d.waits, d.deadline, d.hit = noMapping, noReason, effect.None, 0, false, effect.NoHit
	return d
}

// noteDeadline begins the decision about a press whose time has come.
func (e *Engine) noteDeadline(p *press, at time.Duration) {
	d := e.note(&Input{At: at, Port: p.port, Message: Message{Kind: NoteOn, Channel: p.channel, Number: p.number, Value: p.value}}, e.ports[p.port])
	d.deadline = true
	if !p.note {
		d.kind = ControlChange
	}
}

// noteTime begins a decision of time alone. It returns its number.
func (e *Engine) noteTime(m *Mapping, at time.Duration) uint32 {
	e.note(&Input{At: at, Message: Message{Kind: PortLost}}, nil).deadline = true
	return e.why.fired(m)
}

func (w *why) miss(r reason) {
	d := w.last()
	if d.outcome == noMapping {
		d.outcome, d.reason = noMatch, r
	}
}

// fired returns the decision's number.
func (w *why) fired(m *Mapping) uint32 {
	if d := w.last(); d.outcome < fired {
		d.outcome, d.mapping, d.reason = fired, m, noReason
	}
	return w.number()
}

func (w *why) refused(cause effect.Cause) {
	if d := w.last(); d.cause == effect.None {
		d.outcome, d.cause = refused, cause
	}
}

func (w *why) waiting(p *press, due time.Duration) {
	d := w.last()
	if d.outcome >= waits {
		return
	}
	d.outcome, d.reason, d.until = waits, noReason, micros(due-d.at)
	if len(p.holds) > 0 {
		d.waits |= waitsHold
	}
	if p.button.Taps != 0 {
		d.waits |= waitsTaps
	}
	if p.button.Open() {
		d.waits |= waitsChord
	}
}

// micros are microseconds that fit; a hold is never as long as those that do not.
func micros(d time.Duration) uint32 { return uint32(max(0, min(d/time.Microsecond, 1<<32-1))) }

// detach keeps no more of a program that is replaced than the names in it. Those of modes and devices have
// their own memory.
func (w *why) detach(p *Program) {
	if w.before == nil {
		w.before = new([whySize]names)
	}
	var last string // many decisions in a row are of one mapping
	for i := max(w.since, w.n-min(w.n, whySize)); i < w.n; i++ {
		d, n := &w.ring[i%whySize], &w.before[i%whySize]
		*n = d.names(p)
		if n.mapping != last {
			last = strings.Clone(n.mapping)
		}
		n.mapping, d.mapping = last, nil
	}
	w.since = w.n
}

func (d *decision) names(p *Program) names {
	n := names{mode: p.Modes[d.mode].Name}
	if d.mapping != nil {
		n.mapping, n.trigger = d.mapping.ID, d.mapping.Trigger.Type
	}
	if d.device >= 0 {
		n.device = p.Devices[d.device].Name
	}
	return n
}

// names are those of a decision that is remembered, while p acts.
func (w *why) names(i uint64, p *Program) names {
	if i < w.since {
		return w.before[i%whySize]
	}
	return w.ring[i%whySize].names(p)
}

// SetWhy switches the memory of decisions, which is on.
func (e *Engine) SetWhy(on bool) { e.why.on = on }

// Stamp says when the loop took what the decisions made since the last Stamp are about, and
// when it had handed on what came of them.
func (e *Engine) Stamp(taken, handed time.Duration) {
	w := &e.why
	for w.stamped = max(w.stamped, w.n-min(w.n, whySize)); w.stamped < w.n; w.stamped++ {
		d := &w.ring[w.stamped%whySize]
		d.taken, d.handed = micros(taken-d.at), micros(handed-d.at)
	}
}

// Failed says that what a decision fired came to nothing, and why. If it is still remembered, it tells.
func (e *Engine) Failed(x *effect.Effect, reason string) {
	w := &e.why
	ago := uint32(w.n) - x.Of // how many came after
	if x.Of == 0 || x.Origin == nil || uint64(ago) >= min(w.n, whySize) {
		return
	}
	i := w.n - uint64(ago) - 1
	d := &w.ring[i%whySize]
	if d.outcome != fired || w.names(i, e.prog).mapping != x.Origin.ID { // another mapping that the same press fired
		return
	}
	if w.failed == nil {
		w.failed = map[uint64]string{}
	}
	maps.DeleteFunc(w.failed, func(i uint64, _ string) bool { return i+whySize < w.n })
	d.outcome, w.failed[i] = failed, reason
}

// Why is the newest decisions, at most n and at most 256, the newest last.
func (e *Engine) Why(n int) []report.Decision {
	w := &e.why
	first := w.n - min(w.n, uint64(max(0, min(n, whySize))))
	out := make([]report.Decision, 0, w.n-first)
	for i := first; i < w.n; i++ {
		d := &w.ring[i%whySize]
		x := d.report(i+1, w.names(i, e.prog))
		if d.outcome == failed {
			x.Reason = w.failed[i]
		}
		out = append(out, x)
	}
	return out
}

func (d *decision) report(seq uint64, n names) report.Decision {
	x := report.Decision{
		Seq: seq, At: d.at, Kind: kindNames[d.kind], Port: int(d.port), Device: n.device, Channel: int(d.channel), Number: int(d.number), Value: int(d.value),
		Timed: d.deadline, Mode: n.mode, Candidates: int(d.candidates), Outcome: outcomes[d.outcome], Mapping: n.mapping,
		Hit: d.hit.String(), Reason: reasons[d.reason], Taken: time.Duration(d.taken) * time.Microsecond, Handed: time.Duration(d.handed) * time.Microsecond,
	}
	if n.mapping != "" {
		x.Trigger = n.trigger.String()
	}
	if d.deadline && d.kind == PortLost { // it is about no control
		x.Kind, x.Device = "", ""
	}
	if d.outcome == refused {
		x.Reason = d.cause.String()
	}
	for i, word := range awaited {
		if d.waits>>i&1 != 0 {
			x.WaitsFor = append(x.WaitsFor, word)
		}
	}
	if d.outcome == waits {
		x.Until = d.at + time.Duration(d.until)*time.Microsecond
	}
	return x
}
