// Package gesture holds the recognisers: what a press, a release and the time between them
// mean. They know controls as things that go down and up at an instant; no note, key or
// action is named here.
package gesture

import "time"

// Kind is what was recognised.
type Kind uint8

// The gestures of one button.
const (
	None Kind = iota
	Tap
	Hold
)

// Button tells a tap from a hold on one control. Exactly one of what it may be fires for a
// press, at the first instant at which it is certain:
//
//	it may be      tap fires at     hold fires at
//	tap            the press        -
//	hold           -                press + After
//	tap or hold    the release,     press + After
//	               if before that
//
// A release at the very deadline is too late for a tap.
type Button struct {
	Tap   bool          // it may be a tap
	Hold  bool          // it may be a hold
	After time.Duration // how long a hold takes

	spent bool // it fired, or nothing can come of it any more
}

// Press begins a press and says what it is already.
func (b *Button) Press() Kind {
	b.spent = !b.Hold
	if b.Tap && !b.Hold {
		return Tap
	}
	return None
}

// Waits says whether the deadline After the press still matters.
func (b *Button) Waits() bool { return !b.spent }

// Expire is the deadline.
func (b *Button) Expire() Kind {
	if b.spent {
		return None
	}
	b.spent = true
	return Hold
}

// Release ends the press before its deadline, or after it.
func (b *Button) Release() Kind {
	if b.spent {
		return None
	}
	b.spent = true
	if b.Tap {
		return Tap
	}
	return None
}

// Cancel makes nothing come of the press any more.
func (b *Button) Cancel() { b.spent = true }
