package engine_test

import (
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// BenchmarkGesture is what a gesture takes from its first message to the effect and its end.
func BenchmarkGesture(b *testing.B) {
	on := func(number uint8) engine.Message {
		return engine.Message{Kind: engine.NoteOn, Number: number, Value: 100}
	}
	off := func(number uint8) engine.Message { return engine.Message{Kind: engine.NoteOff, Number: number} }
	turn := func(number uint8, value uint16) engine.Message {
		return engine.Message{Kind: engine.ControlChange, Number: number, Value: value}
	}
	for _, g := range []struct {
		name, program string
		messages      []engine.Message
		effects       int
	}{
		{"hold", "a note 1 hold:30", []engine.Message{on(1), off(1)}, 3},
		{"tap-or-hold", "a note 1 text:x\na long 1 300ms text:y", []engine.Message{on(1), off(1)}, 1},
		{"double", "a note 1 text:x\na double 1 text:y", []engine.Message{on(1), off(1), on(1), off(1)}, 1},
		{"chord", "a chord 1+2 text:x\na note 1 text:y", []engine.Message{on(1), on(2), off(1), off(2)}, 1},
		{"encoder", "a enc 1 cw twos volume\na enc 1 ccw twos text:y", []engine.Message{turn(1, 1), turn(1, 127)}, 2},
		{"fader", "a cc 1 volume", []engine.Message{turn(1, 30), turn(1, 31), turn(1, 32), turn(1, 33)}, 4},
		{"pair", "a cc14 1 volume", []engine.Message{turn(1, 30), turn(33, 31), turn(1, 31), turn(33, 1)}, 2},
		{"sequence", "a note 1 [key:30,wait:5,key:31]", []engine.Message{on(1), off(1)}, 8},
	} {
		for _, why := range []bool{true, false} {
			name := g.name
			if !why {
				name += "/without-why"
			}
			b.Run(name, func(b *testing.B) {
				e := engine.New(program(b, g.program))
				e.Attach(0, engine.Any)
				e.SetWhy(why)
				out := make([]effect.Effect, 0, 64)
				at, effects := time.Duration(0), 0
				perform := func() {
					for _, m := range g.messages {
						at += 10 * time.Millisecond
						in := engine.Input{At: at, Message: m}
						out = e.Step(&in, out[:0])
						effects += len(out)
					}
					at += time.Second
					out = e.Advance(at, out[:0])
					effects += len(out)
				}
				perform() // what is made once, is
				effects = 0
				b.ReportAllocs()
				rounds := 0
				for b.Loop() {
					perform()
					rounds++
				}
				if effects != rounds*g.effects {
					b.Errorf("%d effects of %d gestures, want %d of each", effects, rounds, g.effects)
				}
			})
		}
	}
}
