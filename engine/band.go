package engine

import "github.com/amiable-dev/midimon/engine/effect"

// band is what it takes to choose a mapping: a quarter of a cache line, since of a large program
// hardly any is near when its note comes. The action, by which nothing is decided, stands apart
// under the same index, so that the processor can fetch both at once.
type band struct {
	lo, hi   uint16
	channels uint16 // a bit per channel
	kind     bandKind
	flags    uint8
	mapping  int32
	next     int32 // in the chain; 0 ends it
}

const (
	plainBand   = 1 << iota // nothing that its action does lasts until the release
	instantBand             // its action is one effect that depends on nothing else

	wayShift      = 2 // of an encoder: its direction; of a button: how it is understood
	encodingShift = 4

	gradedBand  = 1 << 4 // of a tap: it passes on how hard the hit was
	tapsBand    = 1 << 5 // on the first of a note's chain: whichever of it fits first is all that a press means
	fineBand    = 1 << 6 // 14 bits
	guardedBand = 1 << 7 // its mapping has a condition or a rate
)

func (b *band) plain() bool        { return b.flags&plainBand != 0 }
func (b *band) way() Direction     { return Direction(b.flags >> wayShift & 3) }
func (b *band) button() Button     { return Button(b.flags >> wayShift & 3) }
func (b *band) encoding() Encoding { return Encoding(b.flags >> encodingShift & 3) }
func (b *band) fine() bool         { return b.flags&fineBand != 0 }

// bandKind is the gesture that a band asks for; the first of each kind that fits acts.
type bandKind uint8

const (
	tapKind     bandKind = iota
	eagerKind            // at the press, outside the gestures
	releaseKind          // at the release, outside the gestures
	holdKind             // of each duration the first
	tapsKind             // of each count the first
	chordKind
	buttonKind // a value as a button: away from rest presses
	rangeKind  // a value entering a range
	followKind // a value changing within a range
	turnKind   // a controller as an encoder
	eventKind  // program, transport, system exclusive
)

// bandOf is a mapping's band, and the page and number where it stands. A chord stands at each
// of its notes, the first of which is given.
func bandOf(m *Mapping) (kind int, number uint8, b band) {
	t := &m.Trigger
	b = band{lo: t.Min, hi: t.Max, channels: 0xffff, flags: uint8(t.Direction)<<wayShift | uint8(t.Encoding)<<encodingShift}
	if !lasts(m.Action) {
		b.flags |= plainBand
	}
	if m.When != nil || m.MaxRate > 0 {
		b.flags |= guardedBand
	}
	if t.Channel != Any {
		b.channels = 1 << t.Channel
	}
	number = uint8(t.Number & 127)
	kind = notePage
	if t.OnCC {
		kind = controlPage
	}
	switch t.Type {
	case Note, VelocityRange:
		b.kind = tapKind
		b.flags |= uint8(t.Button) << wayShift
		if t.Type == VelocityRange {
			b.flags |= gradedBand
		}
		if m.Eager && t.Button != Latching { // what latches by itself acts at the press anyway
			b.kind = eagerKind
		}
		if t.Button != Momentary {
			b.flags &^= plainBand
		}
		if instant(m.Action) && b.flags&(plainBand|gradedBand|guardedBand) == plainBand {
			b.flags |= instantBand
		}
	case NoteRelease:
		b.kind = releaseKind
	case LongPress:
		b.kind = holdKind
	case DoubleTap, MultiTap:
		b.kind = tapsKind
	case NoteChord:
		b.kind, number = chordKind, t.Notes[0]&127
	case EncoderTurn:
		kind, b.kind = controlPage, turnKind
		if t.Fine {
			b.flags |= fineBand
		}
	case ProgramChanged:
		kind, b.kind, b.lo, b.hi = programPage, eventKind, 0, 127
		if t.Number == Any {
			kind, number = otherPage, anyProgram
		}
	case Transport:
		kind, b.kind, number = otherPage, eventKind, transportOf
		b.lo, b.hi = uint16(t.Message), uint16(t.Message)
	case SysExclusive:
		kind, b.kind, number, b.lo, b.hi = otherPage, eventKind, sysexOf, 0, 0xffff
	case CC, CC14, NRPN, RPN, Aftertouch, Bend:
		kind, number = valuePage(t)
		b.flags |= uint8(t.Button) << wayShift
		if t.Type != CC && t.Type != Aftertouch {
			b.flags |= fineBand
		}
		switch {
		case effect.TakesValue(m.Action):
			b.kind = followKind
		case t.Ranged:
			b.kind = rangeKind
		default:
			b.kind = buttonKind
		}
		if !t.Ranged {
			b.lo, b.hi = 0, t.Type.MaxValue()
		}
	}
	return kind, number, b
}

func valuePage(t *Trigger) (kind int, number uint8) {
	number = uint8(t.Number & 127)
	switch t.Type {
	case NRPN, RPN:
		return parameterPage, number
	case Bend:
		return otherPage, bendOf
	case Aftertouch:
		if t.Number == Any {
			return otherPage, anyPoly // pressureOf has it too, see Compile
		}
		return polyPage, number
	default:
		return controlPage, number
	}
}

// lasts says whether something of an action may go on until the control's release.
func lasts(a effect.Action) bool {
	return !effect.Within(a, func(a effect.Action) bool {
		switch a := a.(type) {
		case *effect.Keystroke:
			return !a.Hold
		case *effect.MouseClick:
			return !a.Hold
		case *effect.SendMidi:
			return !a.Hold
		case *effect.ModeChange:
			return !a.Hold
		case *effect.Sequence:
			return a.Cancel != effect.CancelRelease
		case *effect.Repeat:
			return a.Cancel != effect.CancelRelease
		}
		return true
	})
}

// instant says whether all that an action takes is to tell that it is due.
func instant(a effect.Action) bool {
	switch a.(type) {
	case *effect.Media, *effect.Text, *effect.Open:
		return true
	}
	return false
}
