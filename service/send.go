package service

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

// maxSent is how many bytes Send takes.
const maxSent = 1024

// Send sends whole MIDI messages to a configured device. Errors: report.ErrInvalid,
// ErrTooMany, ErrUnknownDevice, ErrNotSupported, ErrDeviceAbsent, ErrDeviceBusy.
func (d *Daemon) Send(ctx context.Context, id string, midi []byte) error {
	if len(midi) > maxSent {
		return fmt.Errorf("%w: %d bytes are more than %d", report.ErrTooMany, len(midi), maxSent)
	}
	if err := whole(midi); err != nil {
		return err
	}
	return d.ports.Send(ctx, id, midi)
}

// whole says what is wrong if these are not whole MIDI messages, each with its status byte
// (MIDI 1.0, tables 1 to 5).
func whole(midi []byte) error {
	bad := func(i int, what string) error { return fmt.Errorf("%w: byte %d: %s", report.ErrInvalid, i, what) }
	if len(midi) == 0 {
		return fmt.Errorf("%w: no message", report.ErrInvalid)
	}
	for i := 0; i < len(midi); {
		status := midi[i]
		n := 0
		switch {
		case status < 0x80:
			return bad(i, fmt.Sprintf("%02X is no status byte", status))
		case status == 0xF0:
			end := slices.IndexFunc(midi[i+1:], func(b byte) bool { return b >= 0x80 })
			if end < 0 || midi[i+1+end] != 0xF7 {
				return bad(i, "a system exclusive message does not end with F7")
			}
			i += end + 2
			continue
		case status == 0xF2:
			n = 2
		case status == 0xF1, status == 0xF3, status&0xE0 == 0xC0:
			n = 1
		case status == 0xF4, status == 0xF5, status == 0xF7, status == 0xF9, status == 0xFD:
			return bad(i, fmt.Sprintf("%02X begins no message", status))
		case status < 0xF0:
			n = 2
		}
		for k := range n {
			if i+1+k >= len(midi) || midi[i+1+k] >= 0x80 {
				return bad(i, fmt.Sprintf("%02X wants %d data bytes", status, n))
			}
		}
		i += 1 + n
	}
	return nil
}

// A device shows itself by its lamps.
const (
	flashes  = 3
	flashFor = 150 * time.Millisecond
)

// Identify makes the lamps of the notes that are mapped on a device go on and off. Errors:
// report.ErrUnknownDevice, ErrNotSupported, ErrDeviceAbsent, ErrDeviceBusy.
func (d *Daemon) Identify(ctx context.Context, id string) error {
	on, off := lamps(d.loop.Modes().Program, id)
	if len(on) == 0 {
		if err := d.ports.Known(ctx, id); err != nil {
			return err
		}
		return fmt.Errorf("%w: no note is mapped on %s", report.ErrNotSupported, id)
	}
	for i := range 2 * flashes {
		if i > 0 {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(flashFor):
			}
		}
		message := on
		if i%2 == 1 {
			message = off
		}
		if err := d.ports.Send(ctx, id, message); err != nil {
			return err
		}
	}
	return nil
}

// lamps are the messages that light and put out the notes mapped on a device.
func lamps(p *engine.Program, id string) (on, off []byte) {
	seen := map[[2]byte]bool{}
	for i := range p.Mappings {
		t := &p.Mappings[i].Trigger
		if t.Device != engine.Any && p.Devices[t.Device].Name != id {
			continue
		}
		channel := byte(max(t.Channel, 0))
		for _, note := range notesOf(t) {
			if !seen[[2]byte{channel, note}] {
				seen[[2]byte{channel, note}] = true
				on = append(on, 0x90|channel, note, 127)
				off = append(off, 0x80|channel, note, 0)
			}
		}
	}
	return on, off
}

// notesOf are the notes that a trigger listens to.
func notesOf(t *engine.Trigger) []byte {
	switch t.Type {
	case engine.Note, engine.VelocityRange:
		return []byte{byte(t.Number)}
	case engine.NoteRelease, engine.LongPress, engine.DoubleTap, engine.MultiTap:
		if !t.OnCC {
			return []byte{byte(t.Number)}
		}
	case engine.NoteChord:
		return t.Notes
	default:
	}
	return nil
}
