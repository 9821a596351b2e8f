package midi_test

import (
	"errors"
	"testing"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/midi"
)

func TestDetect(t *testing.T) {
	port := func(client string, out bool) report.Port {
		return report.Port{Client: client, Name: "MIDI 1", In: true, Out: out}
	}
	for _, c := range []struct {
		name  string
		ports []report.Port
		err   error
		want  report.Check
	}{
		{
			"several",
			[]report.Port{port("Synth", true), port("LPD8", true), port("Keys", false), port("Synth", true)},
			nil,
			report.Check{Name: "midi", Status: report.OK, Message: "MIDI can be sent to LPD8, Synth"},
		},
		{
			"none that takes it",
			[]report.Port{port("Keys", false)},
			nil,
			report.Check{Name: "midi", Status: report.OK, Message: "MIDI can be sent, and nobody takes it now"},
		},
		{
			"no sequencer", nil, &report.Fault{Check: "alsa", Fix: "sudo modprobe snd-seq", Err: errors.New("no such device")},
			report.Check{
				Name: "midi", Status: report.Warning, Message: "MIDI can be sent to files only that devices name: no such device",
				Fix: "sudo modprobe snd-seq",
			},
		},
		{
			"what nobody foresaw", nil, errors.New("input/output error"),
			report.Check{
				Name: "midi", Status: report.Warning, Message: "MIDI can be sent to files only that devices name: input/output error",
				Fix: report.Unexplained,
			},
		},
	} {
		b := midi.New(nil, func() ([]report.Port, error) { return c.ports, c.err })
		if got := b.Detect(t.Context()); got != c.want {
			t.Errorf("%s: %+v, want %+v", c.name, got, c.want)
		}
	}
}
