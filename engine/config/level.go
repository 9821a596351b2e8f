package config

import (
	"encoding/hex"
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

// level is a number that an action works with while it is read, and the bounds of its unit.
type level struct {
	*effect.Value
	lo, hi float64
	hits   int // how many are given
}

// anything is the bounds of numbers that have no unit of ours: beyond them whole numbers are
// not told apart any more.
const anything = 1 << 53

// defaultBend is how far a curve is bent that does not say it.
const defaultBend = 0.5

// The table does not know the bounds: they are those of the unit of each action.
var levelTable = tableOf(
	field[level]{name: "min", doc: "What the control's lowest becomes.", shape: &shape{kind: "number"}, read: func(r *reader, id int32, l *level) {
		if n, ok := r.decimal(id, l.lo, l.hi); ok {
			l.Min = n
		}
	}},
	field[level]{name: "max", doc: "What its highest becomes.", shape: &shape{kind: "number"}, read: func(r *reader, id int32, l *level) {
		if n, ok := r.decimal(id, l.lo, l.hi); ok {
			l.Max = n
		}
	}},
	decimal("scale", 0.001, 1000, func(l *level, n float64) { l.Scale = n }).says("A factor on what the control gives. 1."),
	flag("invert", func(l *level, b bool) { l.Invert = b }).says("true: the lowest becomes the highest. false."),
	choice("curve", effect.Curves, func(l *level, i int) { l.Curve = effect.Curve(i) }).says("How it goes from one to the other. linear."),
	decimal("bend", 0, 1, func(l *level, n float64) { l.Bend = n }).says("How far the curve departs from a line. 0.5."),
	levelOf(effect.Soft), levelOf(effect.Medium), levelOf(effect.Hard),
)

// levelOf reads the number for a hit.
func levelOf(hit effect.Hit) field[level] {
	return field[level]{
		name: hit.String(), doc: "Of a VelocityRange: the number for a " + hit.String() + " hit. All three or none.", shape: &shape{kind: "number"},
		read: func(r *reader, id int32, l *level) {
			l.hits++
			if n, ok := r.decimal(id, l.lo, l.hi); ok {
				l.Graded, l.Hits[hit] = true, n
			}
		},
	}
}

// levelShape is a number of lo to hi, or how the control's becomes one.
func levelShape(lo, hi float64) *shape { return either(numberOf(lo, hi), named("value")) }

// level reads a number, or a table that says how the control's becomes one. What v is before
// holds where the table says nothing.
func (r *reader) level(id int32, v *effect.Value, lo, hi float64) {
	if k := r.nodes[id].kind; k != tableNode {
		if k != integerNode && k != floatNode && k != brokenNode {
			r.report(fault{code: WrongType, off: r.nodes[id].off, node: id}, "must be a number or a table, not %s", kindNames[k])
			return
		}
		v.Fixed, v.Given = r.decimal(id, lo, hi)
		return
	}
	l := level{Value: v, lo: lo, hi: hi}
	readTable(r, id, levelTable, &l)
	if l.hits > 0 {
		for _, hit := range []effect.Hit{effect.Soft, effect.Medium, effect.Hard} {
			if r.find(id, hit.String()) == 0 {
				r.missing(id, hit.String())
			}
		}
	}
	bend := r.find(id, "bend")
	switch {
	case v.Min > v.Max:
		r.report(fault{code: EmptyRange, off: r.nodes[id].off, node: id, hint: "invert = true turns it round"}, "nothing is from %v to %v", v.Min, v.Max)
	case v.Curve == effect.Linear && bend != 0:
		r.noEffect(bend, "a line is not bent")
	case v.Curve != effect.Linear && bend == 0:
		v.Bend = defaultBend
	}
}

// sysex reads a system exclusive message, or the beginning of one: "F0 7E 7F" or an array.
func (r *reader) sysex(id int32) []byte {
	var data []byte
	if r.nodes[id].kind == textNode {
		var err error
		if data, err = hex.DecodeString(strings.Join(strings.Fields(r.str(id)), "")); err != nil {
			r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id, hint: `write bytes as "F0 7E 7F"`}, "%q are no bytes", r.str(id))
			return nil
		}
	} else {
		if !r.is(id, arrayNode) {
			return nil
		}
		for c := r.first(id); c != 0; c = r.nodes[c].next {
			b, ok := r.whole(c, 0, 255)
			if !ok {
				return nil
			}
			data = append(data, byte(b))
		}
	}
	switch {
	case len(data) == 0:
		r.report(fault{code: Empty, off: r.nodes[id].off, node: id}, "must not be empty")
	case len(data) > maxSysex:
		r.report(fault{code: TooMany, off: r.nodes[id].off, node: id}, "%d bytes are more than %d", len(data), maxSysex)
	case data[0] != sysexBegin:
		r.badSysex(id, "must begin with F0")
	default:
		for i, b := range data[1:] {
			if b >= 0x80 && (b != sysexEnd || i+2 != len(data)) {
				r.badSysex(id, "only the first byte and the last one may be above 7F")
				break
			}
		}
	}
	return data
}

func (r *reader) badSysex(id int32, problem string) {
	r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id}, "%s", problem)
}

// The bounds of a system exclusive message.
const (
	sysexBegin = 0xf0
	sysexEnd   = 0xf7
	maxSysex   = 4096
)
