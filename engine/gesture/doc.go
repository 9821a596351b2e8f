// Package gesture holds the recognisers: what presses, releases, turns and values mean. They
// know controls as things that go down and up, or stand somewhere, at an instant; no mapping
// and no action is named here.
//
// # Buttons
//
// Of what one control may mean, exactly one thing comes of a press, at the first instant at
// which it is certain. T is how long a hold takes, W the time from one tap to the next, C the
// time in which a chord must be complete. Any is one of the two before it, or both.
//
//	it may be               tap at                            hold     taps       chord       the tap waits
//	tap                     press                             -        -          -           0
//	hold, taps, any         -                                 press+T  nth press  -           -
//	tap, hold               release before T                  press+T  -          -           its length, < T
//	tap, taps               press+W, held or not              -        nth press  -           W
//	tap, hold, taps         release in [W,T), else press+W    press+T  nth press  -           max(W, its length)
//	chord                   -                                 -        -          last press  -
//	chord, hold, taps, any  -                                 press+T  nth press  last press  -
//	chord, tap              press+C, or release if earlier    -        -          last press  min(C, its length)
//	chord, tap, hold        release before T                  press+T  -          last press  its length, < T
//	chord, tap, taps        press+W                           -        nth press  last press  W
//	chord, tap, hold, taps  as tap, hold, taps                press+T  nth press  last press  max(W, its length)
//	chords AB and ABC       -                                 -        -          ABC: last press; AB: first of its oldest press+C and a release
//
// The rules:
//
//	R1 Windows are half open and run from the press: [0,W), [0,C), [0,T). At the boundary the
//	   deadline wins.
//	R2 Before an edge every deadline up to it is settled in order, ties in press order.
//	R3 Each press has its own chord deadline. A chord fires when all its controls are down,
//	   unspent and in time: at the last press.
//	R4 A press is spent by what comes of it and stays so until its release.
//	R5 A press elsewhere on the device ends the wait for another tap: what the taps so far mean
//	   happens at once, before the new press does anything.
//	R6 What acts at the press whatever comes (eager) and what acts at the release is no gesture
//	   and is not seen by any of this.
//
// And where these leave something open:
//
//   - A second press of a control that was not released releases it first.
//   - Every count of taps has a window of its own, which every tap of it keeps to. A series is
//     over as soon as no further tap could mean anything, at the latest at the longest window
//     that still counts. Then it is parted from its beginning into the largest counts that mean
//     something, and the rest are taps: with double and quadruple, three are a double and a tap.
//   - What the taps of a series mean that is over does not wait for what becomes of a last press
//     that is still down, alone, and may be a hold or part of a chord.
//   - Of several holds a shorter one fires at the release between its time and the next one's,
//     the longest at its deadline. With T at or below W the hold wins at T.
//   - What taps hold is its last press's: a press after those that it counts does not hold it.
//   - A chord that waits for a larger one gives its presses to that alone, and acts with a press of
//     every note or not at all. Chords are each device's own.
//   - A press that would complete both a series of taps and a chord completes the chord, and the
//     taps before it are taps.
package gesture
