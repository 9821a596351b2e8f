package gesture

import "time"

// Kind is what was recognised.
type Kind uint8

// The gestures of one button.
const (
	None Kind = iota
	Tap       // one press
	Taps      // N presses
	Hold      // N: which of the holds, from 0
)

// Outcome is what came of a button.
type Outcome struct {
	Kind  Kind
	N     uint8
	First uint8 // Tap, Taps: the first of its presses in the series, from 0
}

// MaxTaps is the longest series.
const MaxTaps = 8

// Never is the deadline of what waits for nothing.
const Never = time.Duration(1<<63 - 1)

// Button tells taps, holds and series of taps of one control apart, and leaves room for a
// chord; see the package's table. Its exported fields say what it may be and are set before
// its first press. What comes of it is taken with Next after every call.
type Button struct {
	Taps    uint16                     // bit n: n taps in a row do (2 to MaxTaps)
	Windows [MaxTaps + 1]time.Duration // for each of Taps: from one tap to the next
	Holds   []time.Duration            // ascending
	Chord   time.Duration              // how long a press may become part of a chord; 0: not at all

	at    time.Duration // of the newest press
	near  [MaxTaps]uint16
	past  uint8 // presses of the series that something came of
	count uint8 // and of those after them, of which nothing did yet
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

func (b *Button) fire(k Kind, first, n uint8) {
	b.out[b.last] = Outcome{k, n, first}
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

// may is the counts of taps that the series so far is the beginning of, or one of.
func (b *Button) may() uint16 {
	n := b.Taps
	for i := uint8(1); i < b.count; i++ {
		n &= b.near[i]
	}
	return n
}

// wait is how long after the newest press another one would still mean something; 0: none
// ever would.
func (b *Button) wait() time.Duration {
	if b.alone {
		return 0
	}
	long := time.Duration(0)
	for n, may := b.count+1, b.may()>>(b.count+1); may != 0; n, may = n+1, may>>1 {
		if may&1 != 0 {
			long = max(long, b.Windows[n])
		}
	}
	return long
}

// Press is the control going down at an instant by which every deadline is settled. It
// decides nothing: first somebody has to look whether a chord is complete.
func (b *Button) Press(at time.Duration) {
	if b.count == 0 {
		b.alone, b.past = false, 0
	} else {
		near := uint16(0)
		for n, w := range b.Windows {
			if at < b.at+w {
				near |= 1 << n
			}
		}
		b.near[b.count] = near
	}
	b.count++
	b.at, b.down, b.spent, b.open = at, true, false, b.Chord > 0
}

// Decide fires what is certain at an instant.
func (b *Button) Decide(at time.Duration) {
	if b.count > 0 && (!b.spent || !b.down) && at >= b.at+b.wait() {
		b.end()
	}
}

// end fires what the presses of a series mean that cannot grow any more. The newest stays open
// while it is down if it is alone and may become a hold or part of a chord.
func (b *Button) end() {
	for i := uint8(0); i < b.count; {
		m := b.group(i, b.count)
		if m == 1 && i == b.count-1 && b.down && (b.open || len(b.Holds) > 0) {
			b.past, b.count, b.alone = b.past+i, 1, true
			return
		}
		b.mean(i, m)
		i += m
	}
	b.close()
}

// close ends the series; a press that is down is spent.
func (b *Button) close() {
	b.count, b.spent, b.open = 0, true, false
}

// group is how many presses from the i-th on, of n in all, belong together: as many as make a
// count of taps that means something, or one.
func (b *Button) group(i, n uint8) uint8 {
	best, may := uint8(1), b.Taps
	for m := uint8(2); m <= n-i; m++ {
		if may &= b.near[i+m-1]; may>>m&1 != 0 {
			best = m
		}
	}
	return best
}

// mean fires what m presses from the i-th on mean together.
func (b *Button) mean(i, m uint8) {
	kind := Tap
	if m > 1 {
		kind = Taps
	}
	b.fire(kind, b.past+i, m)
}

// flush fires what the first n presses mean.
func (b *Button) flush(n uint8) {
	for i := uint8(0); i < n; {
		m := b.group(i, n)
		b.mean(i, m)
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
	b.fire(Hold, 0, n)
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
	if b.open {
		due = min(due, b.at+b.Chord)
	}
	if b.count == 1 && due != Never { // that another press cannot come any more changes nothing yet
		return due
	}
	if w := b.wait(); w > 0 {
		due = min(due, b.at+w)
	}
	return due
}
