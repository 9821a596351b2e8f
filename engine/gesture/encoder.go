package gesture

import "time"

// Encoding is how an encoder says how far it turned.
type Encoding uint8

// The encodings. Those but Absolute are given for 7 bits; with 14 the same holds of 16383.
const (
	Absolute       Encoding = iota // a position 0-127; the difference counts
	TwosComplement                 // 1..63 clockwise, 127..65 counter-clockwise
	BinaryOffset                   // 65..127 clockwise, 63..0 counter-clockwise
	SignedBit                      // 1..63 clockwise, 65..127 counter-clockwise
)

// Turn is how far a message says that an encoder turned: positive is clockwise. Full is the
// highest value there is, was the value before if seen.
func Turn(enc Encoding, full, was, is uint16, seen bool) int {
	v, half := int(is), (int(full)+1)/2
	switch enc {
	case TwosComplement:
		if v >= half {
			return v - 2*half
		}
		return v
	case BinaryOffset:
		return v - half
	case SignedBit:
		if v >= half {
			return half - v
		}
		return v
	case Absolute:
	}
	switch {
	case !seen:
		return 0
	case is == was && is == full: // an endless knob at its end still turns
		return 1
	case is == was && is == 0:
		return -1
	}
	return v - int(was)
}

// quick is the time between two steps below which an encoder is turned fast. At once it is as
// fast as can be.
const quick = 60 * time.Millisecond

// Wheel gathers an encoder's steps until they make a detent.
type Wheel struct {
	at    time.Duration // of the last step
	left  int16         // steps that made no detent yet
	moved bool
}

// Turn adds steps at an instant and returns how many detents they make, in the same sense.
// Speed is how many steps one becomes when the wheel is turned as fast as can be, 0 and 1: one.
func (w *Wheel) Turn(steps int, detents, speed uint8, at time.Duration) int {
	if steps == 0 {
		return 0
	}
	steps *= w.pace(int(max(speed, 1)), at)
	if (steps > 0) != (w.left > 0) {
		w.left = 0 // it turns back: what was begun is over
	}
	all := int(w.left) + steps
	n := all / int(max(detents, 1))
	w.left = int16(all - n*int(max(detents, 1)))
	return n
}

// pace is how many steps one is worth: speed at once, one after quick, evenly between.
func (w *Wheel) pace(speed int, at time.Duration) int {
	since := at - w.at
	first := !w.moved
	w.at, w.moved = at, true
	if first || since >= quick {
		return 1
	}
	return 1 + int(time.Duration(speed-1)*(quick-since)/quick)
}
