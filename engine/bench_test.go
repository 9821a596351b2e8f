package engine_test

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// mapKey is what a map would be asked for a press: the baseline beside each benchmark.
type mapKey struct {
	mode, device int16
	channel, num uint8
}

// BenchmarkStep is a press from message to effect: lookup, gesture, memory of why, ledger,
// deadlines and effects, for a Keystroke also the release of the key tapped before. x-map is
// its time over that of one Go map lookup of the same mode, device, channel and note, measured
// in turn with it. Time is passed in; no clock is read on the path.
func BenchmarkStep(b *testing.B) {
	for _, size := range []struct{ mappings, modes, devices int }{{10, 1, 1}, {1000, 4, 2}, {100_000, 200, 8}} {
		for _, kind := range []string{"Keystroke", "Media"} {
			made := sync.OnceValue(func() *presses { return newPresses(size.mappings, size.modes, size.devices, kind) })
			for _, why := range []bool{true, false} {
				name := fmt.Sprintf("%d/%s", size.mappings, kind)
				if !why {
					name += "/without-why"
				}
				b.Run(name, func(b *testing.B) {
					p := made()
					p.engine.SetWhy(why)
					p.run(b)
				})
			}
		}
	}
}

// The presses of a benchmark: segments of batch presses each, more than any cache near the
// processor remembers.
const segments, batch = 32, 4096

// modeLasts is how many presses a mode acts: events stay in a mode for a while, as people do.
const modeLasts = 64

type presses struct {
	engine *engine.Engine
	table  map[mapKey]int
	asked  []mapKey // by the presses, in order
	modes  int
	at     time.Duration
	out    []effect.Effect
	found  int
}

// keys are what a program's presses are of.
type keys struct {
	scopes [][]mapKey     // by mode; the last are the global ones
	table  map[mapKey]int // what it takes to answer with one lookup: an entry for each channel
}

// newProgram has n mappings and is not compiled. One in ten is global, of the others one in four
// hears every channel, and a third of all are pairs of a soft and a hard hit.
func newProgram(n, modes, devices int, kind string) (*engine.Program, keys) {
	r := rand.New(rand.NewPCG(1, 1))
	p := &engine.Program{Timing: engine.DefaultTiming}
	for i := range modes {
		p.Modes = append(p.Modes, engine.Mode{Name: fmt.Sprint("mode", i)})
	}
	for i := range devices {
		p.Devices = append(p.Devices, engine.Device{Name: fmt.Sprint("device", i)})
	}
	x := keys{scopes: make([][]mapKey, modes+1), table: map[mapKey]int{}}
	for len(p.Mappings) < n {
		k := mapKey{int16(r.IntN(modes)), int16(r.IntN(devices)), uint8(r.IntN(16)), uint8(r.IntN(128))}
		scope := int(k.mode)
		if len(p.Mappings)%10 == 9 {
			k.mode, scope = engine.Global, modes
		}
		if _, ok := x.table[k]; ok {
			continue
		}
		x.scopes[scope] = append(x.scopes[scope], k)
		first, last := k.channel, k.channel
		m := engine.Mapping{Mode: int(k.mode), Enabled: true}
		m.Trigger = engine.Trigger{Device: k.device, Channel: int8(k.channel), Number: int16(k.num), Min: 1, Max: 127}
		if scope != modes && r.IntN(4) == 0 {
			m.Trigger.Channel, first, last = engine.Any, 0, 15
		}
		for ch := first; ch <= last; ch++ {
			x.table[mapKey{k.mode, k.device, ch, k.num}] = len(p.Mappings)
		}
		hits := []engine.Trigger{m.Trigger}
		if r.IntN(3) == 0 {
			hits = append(hits, m.Trigger)
			hits[0].Max, hits[1].Min = 79, 80
		}
		for _, hit := range hits {
			m.Trigger = hit
			m.Action = &effect.Media{Operation: "Play"}
			if kind == "Keystroke" {
				m.Action = &effect.Keystroke{Chord: effect.NewChord(effect.Key(1 + r.IntN(100)))}
			}
			p.Mappings = append(p.Mappings, m)
		}
	}
	slices.SortStableFunc(p.Mappings, func(a, b engine.Mapping) int { // Global, -1, is the greatest
		return cmp.Compare(uint(a.Mode), uint(b.Mode))
	})
	return p, x
}

func newPresses(n, modes, devices int, kind string) *presses {
	p, keys := newProgram(n, modes, devices, kind)
	p.Compile()
	x := &presses{engine: engine.New(p), table: keys.table, modes: modes, out: make([]effect.Effect, 0, 64)}
	for d := range devices {
		x.engine.Attach(engine.Port(d), d)
	}
	r := rand.New(rand.NewPCG(2, 2))
	for i := range segments * batch {
		scope := keys.scopes[i/modeLasts%modes]
		if global := keys.scopes[modes]; len(scope) == 0 || r.IntN(10) == 0 && len(global) > 0 {
			scope = global
		}
		x.asked = append(x.asked, scope[r.IntN(len(scope))])
	}
	return x
}

// step plays a segment and returns how many effects came of it.
func (x *presses) step(segment int) int {
	effects := 0
	var in engine.Input
	for i := segment * batch; i < (segment+1)*batch; i++ {
		if i%modeLasts == 0 {
			x.out = x.engine.SetMode(i/modeLasts%x.modes, effect.ByCaller, x.at, x.out[:0])
		}
		x.at += 25 * time.Millisecond
		k := &x.asked[i] // an input comes fresh from its port, so it is made here
		in.At, in.Port, in.Kind = x.at, engine.Port(k.device), engine.NoteOn
		in.Channel, in.Number, in.Value = k.channel, k.num, uint16(1+i*31%127)
		x.out = x.engine.Step(&in, x.out[:0])
		effects += len(x.out)
	}
	return effects
}

// ask looks the same up in the map.
func (x *presses) ask(segment int) {
	for i := segment * batch; i < (segment+1)*batch; i++ {
		x.found += x.table[x.asked[i]]
	}
}

// run plays all segments and asks for all of them in turn. Of each segment the best time of
// either counts: whatever else the machine does makes it worse, and never better.
func (x *presses) run(b *testing.B) {
	var stepping, asking [segments]time.Duration
	effects := 0
	for segment := range segments { // every channel and slot is made
		effects += x.step(segment)
	}
	b.ReportAllocs()
	b.ResetTimer()
	for round := range max(2, b.N/(segments*batch)) {
		timed(&stepping, round, func(segment int) { x.step(segment) })
		timed(&asking, round, x.ask)
	}
	b.StopTimer()
	if x.found == 0 || effects < segments*batch {
		b.Fatal("some presses did nothing")
	}
	perPress := func(best [segments]time.Duration) float64 {
		sum := time.Duration(0)
		for _, d := range best {
			sum += d
		}
		return float64(sum.Nanoseconds()) / (segments * batch)
	}
	step, ask := perPress(stepping), perPress(asking)
	b.ReportMetric(0, "ns/op") // of both
	b.ReportMetric(step, "step-ns")
	b.ReportMetric(ask, "map-ns")
	b.ReportMetric(step/ask, "x-map")
	b.ReportMetric(float64(effects)/(segments*batch), "effects/op")
}

func timed(best *[segments]time.Duration, round int, do func(segment int)) {
	for segment := range best {
		start := time.Now()
		do(segment)
		if took := time.Since(start); round == 0 || took < best[segment] {
			best[segment] = took
		}
	}
}
