package midi_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/midi"
)

// wire is ports that remember what was sent.
type wire struct {
	sent []string
	err  error
}

func (w *wire) send(_ context.Context, port string, b []byte) error {
	if w.err != nil {
		return fmt.Errorf("cannot send to %q: %w", port, w.err)
	}
	w.sent = append(w.sent, fmt.Sprintf("%s % X", port, b))
	return nil
}

func (w *wire) take() string {
	slices.Sort(w.sent) // ports have no order
	s := strings.Join(w.sent, "; ")
	w.sent = nil
	return s
}

func TestMessages(t *testing.T) {
	for _, c := range []struct {
		a     effect.SendMidi
		level float64
		want  string
	}{
		{effect.SendMidi{Message: effect.SendNoteOn, Channel: 9, Number: 60}, 90, "p 99 3C 5A"},
		{effect.SendMidi{Message: effect.SendNoteOn, Number: 127}, 300, "p 90 7F 7F"},
		{effect.SendMidi{Message: effect.SendNoteOff, Channel: 15, Number: 60}, 64, "p 8F 3C 40"},
		{effect.SendMidi{Message: effect.SendCC, Number: 7}, 64.4, "p B0 07 40"},
		{effect.SendMidi{Message: effect.SendCC, Number: 7}, 64.5, "p B0 07 41"},
		{effect.SendMidi{Message: effect.SendCC, Number: 7}, -3, "p B0 07 00"},
		{effect.SendMidi{Message: effect.SendProgramChange, Channel: 1, Number: 12}, 0, "p C1 0C"},
		{effect.SendMidi{Message: effect.SendPitchBend}, -8192, "p E0 00 00"},
		{effect.SendMidi{Message: effect.SendPitchBend}, 0, "p E0 00 40"},
		{effect.SendMidi{Message: effect.SendPitchBend, Channel: 2}, 8191, "p E2 7F 7F"},
		{effect.SendMidi{Message: effect.SendPitchBend}, 99999, "p E0 7F 7F"},
		{effect.SendMidi{Message: effect.SendAftertouch}, 33, "p D0 21"},
		{effect.SendMidi{Message: effect.SendPolyAftertouch, Number: 61}, 34, "p A0 3D 22"},
		{effect.SendMidi{Message: effect.SendSysEx, Data: []byte{0xF0, 0x7E, 0xF7}}, 0, "p F0 7E F7"},
		{effect.SendMidi{Message: effect.SendStart}, 0, "p FA"},
		{effect.SendMidi{Message: effect.SendContinue}, 0, "p FB"},
		{effect.SendMidi{Message: effect.SendStop}, 0, "p FC"},
	} {
		w := &wire{}
		c.a.Port = "p"
		b := midi.New(w.send, nil)
		if err := b.Do(&effect.Effect{Action: &c.a, Level: c.level}); err != nil {
			t.Error(err)
		}
		if got := w.take(); got != c.want {
			t.Errorf("%s at %v is %s, want %s", effect.MidiKinds[c.a.Message], c.level, got, c.want)
		}
	}
}

// hold begins and ends notes.
func hold(t *testing.T, b *midi.Backend, kind effect.Kind, id uint32, note uint8) {
	t.Helper()
	a := &effect.SendMidi{Port: "p", Message: effect.SendNoteOn, Number: note, Hold: true}
	if err := b.Do(&effect.Effect{Kind: kind, Action: a, Level: 100, Hold: id}); err != nil {
		t.Error(err)
	}
}

func TestHeldNotesEnd(t *testing.T) {
	w := &wire{}
	b := midi.New(w.send, nil)
	is := func(want string) {
		t.Helper()
		if got := w.take(); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	hold(t, b, effect.KeyDown, 1, 60)
	hold(t, b, effect.KeyDown, 2, 61)
	is("p 90 3C 64; p 90 3D 64")
	hold(t, b, effect.KeyUp, 1, 60)
	is("p 80 3C 40")
	hold(t, b, effect.KeyUp, 1, 60)
	is("")
	// Two pads hold one note: it ends with the second.
	hold(t, b, effect.KeyDown, 3, 61)
	hold(t, b, effect.KeyUp, 2, 61)
	is("p 90 3D 64")
	hold(t, b, effect.KeyUp, 3, 61)
	is("p 80 3D 40")
	// What could not begin need not end.
	w.err = report.ErrDeviceAbsent
	a := &effect.SendMidi{Port: "p", Message: effect.SendNoteOn, Number: 60, Hold: true}
	err := b.Do(&effect.Effect{Kind: effect.KeyDown, Action: a, Level: 100, Hold: 4})
	if !errors.Is(err, report.ErrDeviceAbsent) || !strings.Contains(err.Error(), `"p"`) {
		t.Errorf("%v", err)
	}
	w.err = nil
	hold(t, b, effect.KeyUp, 4, 60)
	is("")
	// What is gone has ended.
	hold(t, b, effect.KeyDown, 5, 60)
	is("p 90 3C 64")
	w.err = report.ErrDeviceAbsent
	hold(t, b, effect.KeyUp, 5, 60)
	w.err = nil
	// And what is held when all ends, ends.
	hold(t, b, effect.KeyDown, 6, 62)
	is("p 90 3E 64")
	if err := b.Close(); err != nil {
		t.Error(err)
	}
	is("p 80 3E 40")
}

func TestPanicSilencesEveryPort(t *testing.T) {
	w := &wire{}
	b := midi.New(w.send, nil)
	do := func(a effect.Action) {
		t.Helper()
		if err := b.Do(&effect.Effect{Action: a, Level: 90}); err != nil {
			t.Error(err)
		}
	}
	do(&effect.Panic{})
	if got := w.take(); got != "" {
		t.Errorf("%s, and nothing was sent before", got)
	}
	do(&effect.SendMidi{Port: "p", Message: effect.SendNoteOn, Channel: 2, Number: 60})
	do(&effect.SendMidi{Port: "p", Message: effect.SendNoteOn, Channel: 2, Number: 61})
	do(&effect.SendMidi{Port: "p", Message: effect.SendNoteOff, Channel: 2, Number: 61})
	do(&effect.SendMidi{Port: "q", Message: effect.SendCC, Number: 1})
	do(&effect.SendMidi{Port: "r", Message: effect.SendStart})
	w.take()
	do(&effect.Panic{})
	if got, want := w.take(), "p 82 3C 40 B2 40 00 B2 7B 00 B2 78 00; q B0 40 00 B0 7B 00 B0 78 00"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	do(&effect.Panic{})
	if got, want := w.take(), "p B2 40 00 B2 7B 00 B2 78 00; q B0 40 00 B0 7B 00 B0 78 00"; got != want {
		t.Errorf("again: %s, want %s", got, want)
	}
	w.err = report.ErrDeviceAbsent
	do(&effect.Panic{})
	w.err = report.ErrDeviceBusy
	if err := b.Do(&effect.Effect{Action: &effect.Panic{}}); !errors.Is(err, report.ErrDeviceBusy) {
		t.Errorf("%v", err)
	}
}
