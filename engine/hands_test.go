package engine_test

import (
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// hands are whoever plays: they remember every press and find what may not come of it. They know
// presses by what is passed on of them: of one control no two near each other are equally hard.
type hands struct {
	fail   func(format string, args ...any)
	newest [2][128][ports << 4]*struck // by number, port and channel
	hits   [2][128]int                 // presses so far, of each controller and each note
	known  [2][128][128]*struck        // by number and how hard
	of     map[*effect.Origin]*engine.Mapping
	holds  map[uint32]lasting
}

// spot is a control.
type spot struct {
	port    engine.Port
	channel uint8
	number  uint8
	note    bool
}

// last is the newest press of a control.
func (h *hands) last(where spot) **struck {
	return &h.newest[bit(where.note)][where.number][int(where.port)<<4|int(where.channel)]
}

// struck is a press.
type struck struct {
	spot
	at, up time.Duration // up: until then it is down
	spent  [uses]string  // the mapping that it did, by use
	next   *struck       // of the same control
	prev   *struck       // and before, no further back than one
}

// down is when a press ends that is still down.
const down = 1<<63 - 1

// A press can be of one use of each kind.
const (
	gestureUse = iota // exactly one of what excludes each other
	eagerUse
	latchingUse
	releaseUse
	uses
)

// lasting is a hold that has not ended.
type lasting struct {
	since   time.Duration
	press   *struck // whose end ends it; nil: not known
	known   bool    // whether there is such a press
	latched bool
	note    bool // of SendMidi, without keys
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// tells says whether the next press of that number can be told from all that something may still
// come of.
func (h *hands) tells(at time.Duration, where spot) bool {
	n := h.hits[bit(where.note)][where.number] + 1
	s := h.known[bit(where.note)][where.number][n%127+1]
	return s == nil || at-s.at > 5*time.Second
}

// strike is a press that begins, and how hard it is.
func (h *hands) strike(at time.Duration, where spot) uint8 {
	n := &h.hits[bit(where.note)][where.number]
	*n++
	value := uint8(*n%127 + 1)
	h.lift(at, where)
	s := &struck{spot: where, at: at, up: down}
	newest := h.last(where)
	if last := *newest; last != nil {
		last.next, last.prev, s.prev = s, nil, last
	}
	*newest = s
	h.known[bit(where.note)][where.number][value] = s
	return value
}

// lift is the end of the control's press, if it is down.
func (h *hands) lift(at time.Duration, where spot) {
	if s := *h.last(where); s != nil && s.up == down {
		s.up = at
	}
}

// liftAll ends the presses of a port.
func (h *hands) liftAll(at time.Duration, port engine.Port) {
	for note := range h.newest {
		for number := range h.newest[note] {
			for channel := range uint8(16) {
				h.lift(at, spot{port, channel, uint8(number), note == 1})
			}
		}
	}
}

// isDown says whether a control is.
func (h *hands) isDown(where spot) bool { s := *h.last(where); return s != nil && s.up == down }

// take looks at an effect. Called: no press is at its beginning.
func (h *hands) take(x *effect.Effect, called bool) {
	switch x.Kind {
	case effect.Act, effect.Refused:
		// What takes a value may come late, when it came too fast, whoever asked for it.
		if m := h.of[x.Origin]; m != nil && !called && x.Step == 0 && x.Action == m.Action && !effect.TakesValue(x.Action) {
			h.did(x, m)
		}
	case effect.KeyDown:
		_, note := x.Action.(*effect.SendMidi)
		h.holds[x.Hold] = h.until(x, note, called)
	case effect.KeyUp:
		delete(h.holds, x.Hold)
	case effect.ModeChanged:
	}
}

// press is the one that a mapping answers, of how many; none for what is no press.
func (h *hands) press(x *effect.Effect, m *engine.Mapping) (s *struck, taps, use int) {
	t := &m.Trigger
	note := !t.OnCC
	taps = 1
	switch t.Type {
	case engine.Note, engine.VelocityRange:
		switch {
		case t.Button == engine.Latching:
			use = latchingUse
		case m.Eager:
			use = eagerUse
		}
	case engine.LongPress:
	case engine.DoubleTap, engine.MultiTap:
		taps = int(t.Taps)
	case engine.NoteRelease:
		use = releaseUse
	case engine.CC:
		if note = false; t.Ranged || effect.TakesValue(m.Action) || t.Number < firstButton {
			return nil, 0, 0
		}
		if t.Button == engine.Latching {
			use = latchingUse
		}
	default:
		return nil, 0, 0
	}
	if x.Value == 0 {
		return nil, 0, 0 // the way back of what latches by itself
	}
	return h.known[bit(note)][t.Number][x.Value&127], taps, use
}

// did notes what came of a press, which may not have had a use of the kind before.
func (h *hands) did(x *effect.Effect, m *engine.Mapping) {
	if m.Trigger.Type == engine.NoteChord {
		h.chord(x, m)
		return
	}
	s, taps, use := h.press(x, m)
	if taps == 0 {
		return
	}
	for n := range taps {
		if s == nil || s.at > x.At {
			h.fail("%v: %s (%s) acts at its press %d of %d, which nobody made", x.At, m.ID, m.Trigger.Type, n+1, taps)
			return
		}
		if s.spent[use] != "" {
			h.fail("%v: %s (%s) acts, and the press of %+v at %v did %s before", x.At, m.ID, m.Trigger.Type, s.spot, s.at, s.spent[use])
		}
		s.spent[use] = m.ID
		if m.Trigger.OnCC || m.Trigger.Type == engine.CC {
			return // a controller away from its rest may have been so before
		}
		s = s.next
	}
}

// chord finds the presses of a chord: of every note one that is down, free and in time. Where there
// is just one it is spent.
func (h *hands) chord(x *effect.Effect, m *engine.Mapping) {
	for _, note := range m.Trigger.Notes {
		var free []*struck
		for _, s := range h.newest[1][note] {
			for ; s != nil; s = s.prev {
				if s.at <= x.At && x.At <= s.up && s.spent[gestureUse] == "" {
					free = append(free, s)
				}
			}
		}
		switch len(free) {
		case 0:
			h.fail("%v: the chord %s of %v acts, and no press of %d is free", x.At, m.ID, m.Trigger.Notes, note)
		case 1:
			free[0].spent[gestureUse] = m.ID
		}
	}
}

// until says what ends a hold.
func (h *hands) until(x *effect.Effect, note, called bool) lasting {
	l := lasting{since: x.At, note: note}
	m := h.of[x.Origin]
	switch {
	case called || m == nil:
		l.known = true
		return l
	case m.Trigger.Type == engine.NoteChord: // of its newest press
		same := 0
		for _, n := range m.Trigger.Notes {
			if s := h.known[1][n][x.Value&127]; s != nil && s.at <= x.At && x.At < s.up {
				l.press = s
				same++
			}
		}
		if same > 1 {
			l.press = nil
		}
	default:
		var taps int
		l.press, taps, _ = h.press(x, m)
		for ; taps > 1 && l.press != nil; taps-- {
			if l.press = l.press.next; m.Trigger.OnCC {
				l.press = nil // see did
			}
		}
	}
	l.latched = m.Trigger.Button == engine.Latch
	l.known = l.press != nil
	return l
}

// look finds holds that should have ended by now: of a press that is over, other than taps; and any
// that is older than a hold may be. What latches stays.
func (h *hands) look(now, most time.Duration) {
	for id, l := range h.holds {
		over := l.known && (l.press == nil || l.press.up <= now) && now-l.since >= 20*time.Millisecond
		if !l.latched && (over || now-l.since >= most) {
			h.fail("%v: hold %x, since %v, of %+v has not ended", now, id, l.since, l.press)
		}
	}
}

// lose forgets the keys that are held, for what held them is gone.
func (h *hands) lose() {
	for id, l := range h.holds {
		if !l.note {
			delete(h.holds, id)
		}
	}
}

// learn knows the mappings of programs.
func (h *hands) learn(programs ...*engine.Program) {
	for _, p := range programs {
		for i := range p.Mappings {
			h.of[&p.Mappings[i].Origin] = &p.Mappings[i]
		}
	}
}

func newHands(fail func(format string, args ...any), programs ...*engine.Program) *hands {
	h := &hands{fail: fail, of: map[*effect.Origin]*engine.Mapping{}, holds: map[uint32]lasting{}}
	h.learn(programs...)
	return h
}
