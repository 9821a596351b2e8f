package gesture

import "time"

// Kind is what was recognised.
type Kind uint8

// The gestures of one button.
const (
	None Kind = iota
	Tap       // N: which press of the series, from 0
	Hold      // N: which of the holds, from 0
	Taps      // N: how many
)

// Outcome is what came of a button.
type Outcome struct {
	Kind Kind
	N    uint8
}

// MaxTaps is the longest series.
const MaxTaps = 8

// Never is the deadline of what waits for nothing.
const Never = time.Duration(1<<63 - 1)

// Button tells taps, holds and series of taps of one control apart, and leaves room for a
// chord; see the package's table. Its exported fields say what it may be and are set before
// its first press. What comes of it is taken with Next after every call.
type Button struct {
	Tap    bool            // a tap means something
	Taps   uint16          // bit n: n taps in a row do (2 to MaxTaps)
	Window time.Duration   // from one tap to the next
	Holds  []time.Duration // ascending
	Chord  time.Duration   // how long a press may become part of a chord; 0: not at all

	at    time.Duration // of the newest press
	count uint8         // presses of the series that nothing came of yet
	down  bool
	spent bool // the newest press is
	open  bool // the newest press may become part of a chord
	alone bool // the series cannot grow any more

	out   [MaxTaps + 1]Outcome
	first uint8
	last  uint8
}

// Next is what came of it, oldest first, and then None.
func (b *Button) Next() Outcome {
	if b.first == b.last {
		b.first, b.last = 0, 0
		return Outcome{}
	}
	b.first++
	return b.out[b.first-1]
}

func (b *Button) fire(k Kind, n uint8) {
	b.out[b.last] = Outcome{k, n}
	b.last++
}

// Open says whether the press may still become part of a chord.
func (b *Button) Open() bool { return b.open }

// At is the instant of the newest press.
func (b *Button) At() time.Duration { return b.at }

// Count is how many presses nothing came of yet.
func (b *Button) Count() int { return int(b.count) }

// Idle says that it is up and nothing waits.
func (b *Button) Idle() bool { return !b.down && b.count == 0 }

// grows says whether another tap would mean something.
func (b *Button) grows() bool { return !b.alone && b.Taps>>(b.count+1) != 0 }

// Press is the control going down at an instant by which every deadline is settled. It
// decides nothing: first somebody has to look whether a chord is complete.
func (b *Button) Press(at time.Duration) {
	if b.count == 0 {
		b.alone = false
	}
	b.count++
	b.at, b.down, b.spent, b.open = at, true, false, b.Chord > 0
}

// Decide fires what is certain at an instant.
func (b *Button) Decide(at time.Duration) {
	switch {
	case b.count == 0 || b.spent && b.down:
	case b.count > 1 && b.Taps>>b.count == 1 && b.down:
		b.fire(Taps, b.count)
		b.close()
	case b.open, b.down && len(b.Holds) > 0:
	case b.grows() && at < b.at+b.Window:
	default:
		b.flush(b.count)
		b.close()
	}
}

// close ends the series; a press that is down is spent.
func (b *Button) close() {
	b.count, b.spent, b.open = 0, true, false
}

// flush fires what the first n presses of the series mean.
func (b *Button) flush(n uint8) {
	for i := uint8(0); i < n; {
		m := n - i
		for m > 1 && b.Taps>>m&1 == 0 {
			m--
		}
		switch {
		case m > 1:
			b.fire(Taps, m)
		case b.Tap:
			b.fire(Tap, i)
		}
		i += m
	}
}

// Release is the control going up.
func (b *Button) Release(at time.Duration) {
	if !b.down {
		return
	}
	b.down, b.open = false, false
	if b.spent || b.count == 0 {
		return
	}
	for i := len(b.Holds) - 1; i >= 0; i-- {
		if at >= b.at+b.Holds[i] {
			b.hold(uint8(i))
			return
		}
	}
	b.Decide(at)
}

// hold fires a hold of the newest press, after what came before it.
func (b *Button) hold(n uint8) {
	b.flush(b.count - 1)
	b.fire(Hold, n)
	b.close()
}

// Elsewhere is a press of another control of the device.
func (b *Button) Elsewhere(at time.Duration) {
	if b.count > 0 && !b.alone {
		b.alone = true
		b.Decide(at)
	}
}

// Expire is the deadline that Due said.
func (b *Button) Expire(at time.Duration) {
	if n := len(b.Holds); b.down && !b.spent && n > 0 && at >= b.at+b.Holds[n-1] {
		b.hold(uint8(n - 1))
		return
	}
	if b.open && at >= b.at+b.Chord {
		b.open = false
	}
	b.Decide(at)
}

// Spend says that the press became part of a chord. The taps before it fire.
func (b *Button) Spend() {
	if b.count > 0 {
		b.flush(b.count - 1)
	}
	b.close()
}

// Cancel makes nothing come of what was pressed so far.
func (b *Button) Cancel() { b.close() }

// Due is the next deadline, or Never.
func (b *Button) Due() time.Duration {
	due := Never
	if b.count == 0 || b.down && b.spent {
		return due
	}
	if b.down && len(b.Holds) > 0 {
		due = b.at + b.Holds[len(b.Holds)-1]
	}
	switch {
	case b.open:
		return min(due, b.at+b.Chord)
	case b.down && len(b.Holds) > 0:
		return due
	case b.grows():
		return b.at + b.Window
	}
	return due
}
