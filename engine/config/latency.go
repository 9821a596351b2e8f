package config

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// What one control may mean makes what else it means wait: the table in the documentation of
// package gesture. Here it is found who waits for whom, and how long.

// siblings are the mappings of a scope, a mode or the global ones, by control.
type siblings struct {
	first   [2 * 128]int32         // entry of a note, or of 128 and a controller; 0: none
	classes [2 * 128]classes       // what they ask for
	hold    [2 * 128]time.Duration // how long the last of their holds takes
	used    []int                  // the controls that have some
	all     []sibling              // entry 0 is none
}

type sibling struct {
	mapping int32
	next    int32
}

// maxSiblings is how many mappings of one control are looked at: more would cost more than
// the warning is worth.
const maxSiblings = 64

// controls calls f with every control of a button-like mapping.
func controls(m *engine.Mapping, f func(control int)) {
	t := &m.Trigger
	switch t.Type {
	case engine.NoteChord:
		for _, n := range t.Notes {
			f(int(n & 127))
		}
	case engine.Note, engine.VelocityRange:
		if !m.Eager && t.Button != engine.Latching {
			f(int(t.Number & 127))
		}
	case engine.LongPress, engine.DoubleTap, engine.MultiTap:
		n := int(t.Number & 127)
		if t.OnCC {
			n += 128
		}
		f(n)
	case engine.CC:
		if !t.Ranged && t.Button != engine.Latching && !effect.TakesValue(m.Action) {
			f(128 + int(t.Number&127))
		}
	default:
	}
}

func (s *siblings) add(i int32, m *engine.Mapping) {
	controls(m, func(c int) {
		if s.first[c] == 0 {
			s.used = append(s.used, c)
		}
		s.all = append(s.all, sibling{i, s.first[c]})
		s.first[c] = int32(len(s.all)) - 1
		class := classOf(m)
		if class == holdClass {
			if s.classes[c]&(1<<holdClass) != 0 && s.hold[c] != m.Trigger.Duration {
				s.classes[c] |= differ
			}
			s.hold[c] = m.Trigger.Duration
		}
		s.classes[c] |= 1 << class
	})
}

// classes are what the mappings of a control ask for, a bit for each.
type classes uint8

// differ is the bit of a control whose holds take different times.
const differ classes = 1 << (chordClass + 1)

// wait reports whether some mapping of a control may wait for another one: not if all are taps,
// or all are holds that take as long.
func (x *latencies) wait(control int) bool {
	const taps, holds classes = 1 << tapClass, 1 << holdClass
	m, g := x.modal.classes[control], x.global.classes[control]
	all := m | g
	if all == holds {
		return m&g != 0 && x.modal.hold[control] != x.global.hold[control]
	}
	return all&^taps != 0
}

// class is what a mapping of a button asks for.
type class uint8

const (
	tapClass class = iota
	holdClass
	tapsClass
	chordClass
)

func classOf(m *engine.Mapping) class {
	switch m.Trigger.Type {
	case engine.LongPress:
		return holdClass
	case engine.DoubleTap, engine.MultiTap:
		return tapsClass
	case engine.NoteChord:
		return chordClass
	default:
		return tapClass
	}
}

// wait is the mapping of a class that makes another one wait the longest, and how long.
type wait struct {
	by   int32
	long time.Duration // 0: none does
	sure bool          // by takes part in every press of the mapping
}

// waits is what a mapping waits for, by class.
type waits [chordClass + 1]wait

// latencies finds who waits.
type latencies struct {
	*reader
	all    []engine.Mapping
	modal  siblings // of one mode
	global siblings
	found  map[int32]waits
	short  map[int32]bool // holds that were found to be
}

// latency warns of mappings that wait because of others, and refuses holds that are over
// before a chord would be complete.
func (r *reader) latency(covered []engine.Covered) {
	x := &latencies{reader: r, all: r.prog.Mappings, found: map[int32]waits{}}
	x.modal.all, x.global.all = make([]sibling, 1, 64), make([]sibling, 1, 64)
	n := len(r.modal.list)
	for i := n; i < len(x.all); i++ {
		x.global.add(int32(i), &x.all[i])
	}
	for i := 0; i < n; {
		first := i
		for ; i < n && x.all[i].Mode == x.all[first].Mode; i++ {
			x.modal.add(int32(i), &x.all[i])
		}
		x.scope(int32(first), int32(i))
	}
	for i := n; i < len(x.all); i++ {
		x.look(int32(i), &x.global)
	}
	for _, c := range covered {
		delete(x.found, int32(c.Mapping))
	}
	if len(x.found) == 0 {
		return
	}
	for i := range x.all {
		if w, ok := x.found[int32(i)]; ok && x.all[i].Enabled && !x.full(true) {
			x.say(int32(i), w)
		}
	}
}

// scope looks at the mappings of one mode, which are all in x.modal, and empties that.
func (x *latencies) scope(from, to int32) {
	if slices.ContainsFunc(x.modal.used, x.wait) {
		for i := from; i < to; i++ {
			x.look(i, &x.modal)
			x.look(i, &x.global)
		}
		for _, c := range x.modal.used {
			both := x.wait(c)
			for g, n := x.global.first[c], 0; both && g != 0 && n < maxSiblings; g, n = x.global.all[g].next, n+1 {
				x.pairs(x.global.all[g].mapping, &x.modal, c)
			}
		}
	}
	for _, c := range x.modal.used {
		x.modal.first[c], x.modal.classes[c] = 0, 0
	}
	x.modal.used, x.modal.all = x.modal.used[:0], x.modal.all[:1]
}

// look finds what a mapping waits for among the siblings of its controls.
func (x *latencies) look(i int32, s *siblings) {
	controls(&x.all[i], func(c int) {
		if s.first[c] != 0 && x.wait(c) {
			x.pairs(i, s, c)
		}
	})
}

// pairs finds what a mapping waits for among the siblings of one control.
func (x *latencies) pairs(i int32, s *siblings, control int) {
	m := &x.all[i]
	w := x.found[i]
	for e, n := s.first[control], 0; e != 0 && n < maxSiblings; e, n = s.all[e].next, n+1 {
		by := s.all[e].mapping
		o := &x.all[by]
		if by == i || !combine(&m.Trigger, &o.Trigger) {
			continue
		}
		if m.Mode == engine.Global && o.Mode != engine.Global && classOf(m) == tapClass && classOf(o) == tapClass && takesAll(o, m) {
			return // where that mode acts, it never does
		}
		x.pair(i, by, &w)
	}
	if w != (waits{}) {
		x.found[i] = w
	}
}

// pair adds to w what a mapping waits for because of another.
func (x *latencies) pair(i, by int32, w *waits) {
	m, o := &x.all[i], &x.all[by]
	mine, theirs := classOf(m), classOf(o)
	long := o.Trigger.Duration
	switch {
	case mine == holdClass && theirs == chordClass && m.Trigger.Duration <= long:
		x.tooShort(i, by)
		return
	case !o.Enabled:
		return
	case mine == tapClass && theirs != tapClass:
	case mine == holdClass && theirs == holdClass && m.Trigger.Duration < long:
	case mine == tapsClass && theirs == tapsClass && m.Trigger.Taps < o.Trigger.Taps:
	case mine == chordClass && theirs == chordClass && partOf(m.Trigger.Notes, o.Trigger.Notes):
	default:
		return
	}
	if theirs != holdClass {
		if long > w[theirs].long {
			w[theirs] = wait{by: by, long: long}
		}
		return
	}
	// Of several holds the shortest ends the waiting, where it is one of every press.
	sure := takesAll(o, m) && (m.Mode != engine.Global || o.Mode == engine.Global)
	switch was := w[theirs]; {
	case sure && (!was.sure || long < was.long), !sure && !was.sure && long > was.long:
		w[theirs] = wait{by, long, sure}
	}
}

// combine says whether one press may belong to both.
func combine(t, u *engine.Trigger) bool {
	return (t.Device == u.Device || t.Device == engine.Any || u.Device == engine.Any) &&
		(t.Channel == u.Channel || t.Channel == engine.Any || u.Channel == engine.Any) &&
		t.Min <= u.Max && u.Min <= t.Max
}

// takesAll says whether o always acts when m could.
func takesAll(o, m *engine.Mapping) bool {
	t, u := &o.Trigger, &m.Trigger
	return o.Enabled && o.When == nil && (t.Device == u.Device || t.Device == engine.Any) &&
		(t.Channel == u.Channel || t.Channel == engine.Any) && t.Min <= u.Min && u.Max <= t.Max
}

// partOf says whether all has some and more.
func partOf(some, all []uint8) bool {
	for _, n := range some {
		if !slices.Contains(all, n) {
			return false
		}
	}
	return len(some) < len(all)
}

func (x *latencies) tooShort(i, by int32) {
	if x.short[i] {
		return
	}
	if x.short == nil {
		x.short = map[int32]bool{}
	}
	x.short[i] = true
	at := x.at(int(i))
	id := at.find(at.node, "trigger")
	for _, key := range []string{"duration_ms", "min_duration_ms"} {
		if c := at.find(id, key); c != 0 {
			id = c
		}
	}
	m, o := &x.all[i], &x.all[by]
	at.report(fault{code: HoldTooShort, off: at.nodes[id].off, node: id}, "%d ms are over before the chord %s is: it takes up to %d ms",
		m.Trigger.Duration.Milliseconds(), o.ID, o.Trigger.Duration.Milliseconds())
}

// say warns of one mapping that waits.
func (x *latencies) say(i int32, w waits) {
	hold, taps, chord := w[holdClass], w[tapsClass], w[chordClass]
	var when string
	because := []wait{taps, hold}
	switch mine := classOf(&x.all[i]); {
	case mine == tapClass && taps.long > 0 && hold.long > 0:
		when = fmt.Sprintf("acts %d ms after the press, or at a later release within %d ms", taps.long.Milliseconds(), hold.long.Milliseconds())
	case mine == tapClass && taps.long > 0:
		when = fmt.Sprintf("acts %d ms after the press", taps.long.Milliseconds())
	case mine == tapsClass:
		when = fmt.Sprintf("acts %d ms after its last press", taps.long.Milliseconds())
		because = []wait{taps}
	case hold.long > 0:
		when = fmt.Sprintf("acts at the release, up to %d ms after the press", hold.long.Milliseconds())
	case mine == tapClass:
		when = fmt.Sprintf("acts %d ms after the press, or at an earlier release", chord.long.Milliseconds())
		because = []wait{chord}
	default:
		when = fmt.Sprintf("acts up to %d ms after its first press, or at an earlier release", chord.long.Milliseconds())
		because = []wait{chord}
	}
	var names []string
	for _, b := range because {
		if b.long == 0 {
			continue
		}
		name := x.all[b.by].ID
		if x.all[b.by].Mode != x.all[i].Mode { // the two are one control's wherever they stand
			name += ", which combines with it,"
		}
		names = append(names, name)
	}
	hint := ""
	if t := x.all[i].Trigger.Type; t == engine.Note || t == engine.VelocityRange {
		hint = "with eager = true it acts at the press, whatever else comes of it"
	}
	longest := time.Duration(0)
	for _, b := range because {
		longest = max(longest, b.long)
	}
	at := x.at(int(i))
	at.report(fault{code: AddedLatency, off: at.nodes[at.node].off, node: at.node, warn: true, hint: hint, waits: longest},
		"%s, because of %s", when, strings.TrimSuffix(strings.Join(names, " and "), ","))
}
