package engine_test

import (
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// TestSwapAtAnyInstant: another program that knows nothing of what is held comes at each millisecond
// of a performance. Whatever went down before goes up when it would have, and nothing stays.
func TestSwapAtAnyInstant(t *testing.T) {
	p := program(t, `
desk note 1 hold:1
desk long 2 300ms hold:2
desk double 3 hold:3
desk chord 4+5 hold:4
desk note 6 latch hold:6
desk note 7 [hold:7,wait:100,key:8]
desk note 8 play:
desk note 9 click:
desk cc 10 hold:10
desk note 11 eager hold:11
desk after 12 hold:12
desk up 1 key:13`)
	q := program(t, "desk")
	type edge struct {
		ms     int
		kind   engine.Kind
		number uint8
		value  uint16
	}
	performance := map[int][]edge{} // by ms
	play := func(x edge) { performance[x.ms] = append(performance[x.ms], x) }
	for i, note := range []uint8{1, 2, 3, 3, 4, 5, 6, 6, 7, 8, 9, 11} { // each is down for 400 ms, but of doubles and latches the first
		on, off := 40*i, 40*i+400
		if i == 2 || i == 6 {
			off = on + 20
		}
		play(edge{on, engine.NoteOn, note, 100})
		play(edge{off, engine.NoteOff, note, 0})
	}
	for _, kind := range []engine.Kind{engine.ControlChange, engine.PolyPressure} {
		number := uint8(10)
		if kind == engine.PolyPressure {
			number = 12
		}
		play(edge{33, kind, number, 90})
		play(edge{444, kind, number, 0})
	}
	const last = 1000
	run := func(swap int) (downs, ups map[string]time.Duration) {
		e := engine.New(p)
		e.Attach(0, engine.Any)
		downs, ups = map[string]time.Duration{}, map[string]time.Duration{}
		names := map[uint32]string{}
		k := keyboard{t: t, down: map[effect.Key]bool{}, holds: map[uint32]effect.Action{}}
		var out []effect.Effect
		for ms := range last {
			at := time.Duration(ms) * time.Millisecond
			if ms == swap {
				out = e.Swap(q, at, out)
				e.Attach(0, engine.Any)
			}
			for _, x := range performance[ms] {
				out = e.Step(&engine.Input{At: at, Message: engine.Message{Kind: x.kind, Number: x.number, Value: x.value}}, out)
			}
			if len(performance[ms]) == 0 && ms < last-1 {
				continue
			}
			out = e.Advance(at, out)
			k.take(out)
			for i := range out {
				switch x := &out[i]; x.Kind {
				case effect.KeyDown:
					names[x.Hold] = x.Origin.ID + x.At.String()
					downs[names[x.Hold]] = x.At
				case effect.KeyUp:
					ups[names[x.Hold]] = x.At
				case effect.Act, effect.ModeChanged, effect.Refused:
				}
			}
			out = out[:0]
		}
		if e.Held() > 0 || len(k.holds) > 0 {
			t.Fatalf("swapped after %d ms: %d keys are down, holds %v", swap, e.Held(), k.holds)
		}
		return downs, ups
	}
	downs, ups := run(-1)
	if len(downs) != 13 || len(ups) != len(downs) {
		t.Fatalf("%v went down, %v up", downs, ups)
	}
	for swap := range last {
		others, released := run(swap)
		for name, at := range downs {
			_, went := others[name]
			switch {
			case at >= time.Duration(swap)*time.Millisecond:
			case !went:
				t.Errorf("swapped after %d ms: %s did not go down", swap, name)
			case released[name] != ups[name]:
				t.Errorf("swapped after %d ms: %s went up at %v, want %v", swap, name, released[name], ups[name])
			}
		}
	}
}
