// Package engine turns MIDI messages into effects. It is a pure machine: its owner passes
// every message, the time and each change of the world in, and gets effects appended to a
// slice of its own. It starts no goroutine, reads no clock, takes no lock and touches no
// file, log or bus; what performs effects lives elsewhere.
//
// The owner's duties:
//
//  1. Call every method from one goroutine.
//  2. Pass time that comes from one monotonic clock. Time that runs back is taken as the
//     latest time seen.
//  3. Take the events that already wait before calling Advance with the present time.
//  4. Call Advance at or soon after Due. How late it is called changes no effect, only when
//     the effect comes out.
//  5. Perform effects in order. Call Refuse for a KeyDown that found no place, before any
//     effect after it is performed, and SinkLost when what holds the keys down is gone.
//  6. Attach a port before its first message, and again after every Swap.
package engine
