package midi

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// sendWithin is how long it may take to find a port and send to it. What receives never
// makes us wait; other ports that come and go may.
const sendWithin = time.Second

// Send sends whole messages to the port of that name.
type Send func(ctx context.Context, port string, midi []byte) error

// Backend performs SendMidi.
type Backend struct {
	send  Send
	find  Find
	ports map[string]*port // where anything was sent
	held  map[uint32]held  // by Effect.Hold
	bytes []byte
}

// port is what was sent to one.
type port struct {
	used  uint16        // channels
	notes map[note]bool // begun and not ended
}

type note struct{ channel, number byte }

type held struct {
	port string
	note note
}

// New makes a backend. Find is for Detect, and may be nil where nobody asks for that.
func New(send Send, find Find) *Backend {
	return &Backend{send: send, find: find, ports: map[string]*port{}, held: map[uint32]held{}}
}

// Name is the check that speaks for it.
func (*Backend) Name() string { return "midi" }

// Performs says that it performs SendMidi, and does something about Panic.
func (*Backend) Performs(a effect.Action) bool {
	switch a.(type) {
	case *effect.SendMidi, *effect.Panic:
		return true
	}
	return false
}

// Open makes it ready; it cannot fail. Ports are opened when something is sent to them.
func (*Backend) Open(context.Context) error { return nil }

// Await has nothing to wait for.
func (*Backend) Await(ctx context.Context) error { return ctx.Err() }

// Do sends the message of an Act or a KeyDown, ends the note of a KeyUp, and silences
// everything at a Panic. Errors name the port.
func (b *Backend) Do(x *effect.Effect) error {
	switch a := x.Action.(type) {
	case *effect.SendMidi:
		if x.Kind == effect.KeyUp {
			return b.release(x.Hold)
		}
		return b.perform(a, x)
	case *effect.Panic:
		return b.silence()
	}
	return nil
}

func (b *Backend) perform(a *effect.SendMidi, x *effect.Effect) error {
	b.bytes = message(b.bytes[:0], a, x.Level)
	err := b.out(a.Port, b.bytes)
	if err != nil {
		return err
	}
	p := b.ports[a.Port]
	if p == nil {
		p = &port{notes: map[note]bool{}}
		b.ports[a.Port] = p
	}
	n := note{a.Channel & 0x0f, a.Number & 0x7f}
	switch a.Message {
	case effect.SendNoteOn, effect.SendNoteOff:
		if p.used |= 1 << n.channel; a.Message == effect.SendNoteOn && b.bytes[2] > 0 {
			p.notes[n] = true
		} else {
			delete(p.notes, n)
		}
	case effect.SendCC, effect.SendProgramChange, effect.SendPitchBend, effect.SendAftertouch, effect.SendPolyAftertouch:
		p.used |= 1 << n.channel
	case effect.SendSysEx, effect.SendStart, effect.SendContinue, effect.SendStop:
	}
	if x.Kind == effect.KeyDown {
		b.held[x.Hold] = held{a.Port, n}
	}
	return nil
}

func (b *Backend) out(port string, midi []byte) error {
	ctx, cancel := context.WithTimeout(context.Background(), sendWithin)
	defer cancel()
	return b.send(ctx, port, midi)
}

// release ends the note that a KeyDown began. Where that was is gone, it has ended.
func (b *Backend) release(hold uint32) error {
	h, ok := b.held[hold]
	if !ok {
		return nil // it was never begun
	}
	delete(b.held, hold)
	for _, other := range b.held {
		if other == h {
			return nil // another pad holds it
		}
	}
	delete(b.ports[h.port].notes, h.note)
	err := b.out(h.port, []byte{noteOff | h.note.channel, h.note.number, releaseVelocity})
	if errors.Is(err, report.ErrDeviceAbsent) {
		return nil
	}
	return err
}

// silence ends every sound wherever anything was sent. Notes still held have no end to come.
func (b *Backend) silence() error {
	clear(b.held)
	var failed []error
	for name, p := range b.ports {
		if midi := silence(nil, p); len(midi) > 0 {
			if err := b.out(name, midi); err != nil && !errors.Is(err, report.ErrDeviceAbsent) {
				failed = append(failed, err)
			}
		}
		clear(p.notes)
	}
	if err := errors.Join(failed...); err != nil {
		return fmt.Errorf("not all is silent: %w", err)
	}
	return nil
}

// Close ends the notes that are still held: their ends come before it, unless midimon stops
// in haste.
func (b *Backend) Close() error {
	var failed []error
	for hold := range b.held {
		failed = append(failed, b.release(hold))
	}
	return errors.Join(failed...)
}
