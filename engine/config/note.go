package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/amiable-dev/midimon/engine"
)

// note is a note's number, or its name with C4 = 60.
func (r *reader) note(id int32) (int64, bool) {
	if r.nodes[id].kind != textNode {
		return r.whole(id, 0, 127)
	}
	s := r.str(id)
	n, ok := noteNumber(s)
	if !ok {
		r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id, hint: `write a number, or a name as "C4" (60) or "F#2" (42)`}, "%q is no note", s)
		return 0, false
	}
	if n < 0 || n > 127 {
		r.report(fault{code: OutOfRange, off: r.nodes[id].off, node: id}, "%s is note %d, out of range 0-127 (C-1 to G9)", s, n)
		return 0, false
	}
	return int64(n), true
}

// noteNumber reads a letter, sharps or flats, and an octave.
func noteNumber(s string) (int, bool) {
	if s == "" {
		return 0, false
	}
	letter, rest := s[0]|0x20, s[1:]
	n := strings.IndexByte("c.d.ef.g.a.b", letter) // semitones above C
	if n < 0 || letter == '.' {
		return 0, false
	}
	for _, sign := range []struct {
		text string
		by   int
	}{{"#", 1}, {"♯", 1}, {"b", -1}, {"♭", -1}} {
		if after, ok := strings.CutPrefix(rest, sign.text); ok {
			n, rest = n+sign.by, after
			break
		}
	}
	octave, err := strconv.Atoi(rest)
	if err != nil || octave < -9 || octave > 99 || rest[0] == '+' {
		return 0, false
	}
	return n + 12*(octave+1), true
}

// The bounds of a chord.
const (
	minChord = 2
	maxChord = 8
)

// notes reads the notes of a chord. They are sorted: the order in which they are hit is free.
func (r *reader) notes(id int32, t *engine.Trigger) {
	if !r.is(id, arrayNode) {
		return
	}
	if n := r.nodes[id].size; n < minChord || n > maxChord {
		r.report(fault{code: OutOfRange, off: r.nodes[id].off, node: id}, "a chord has %d to %d notes, not %d", minChord, maxChord, n)
		return
	}
	t.Notes = make([]uint8, 0, r.nodes[id].size)
	for c := r.first(id); c != 0; c = r.nodes[c].next {
		n, ok := r.note(c)
		switch {
		case !ok:
		case slices.Contains(t.Notes, uint8(n)):
			r.report(fault{code: Repeated, off: r.nodes[c].off, node: c}, "note %d is in the chord already", n)
		default:
			t.Notes = append(t.Notes, uint8(n))
		}
	}
	slices.Sort(t.Notes)
}
