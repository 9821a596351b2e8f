package engine_test

import (
	"fmt"
	"math/rand/v2"
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

// BenchmarkStep is a press from message to effect: lookup, gesture, ledger, deadlines and
// effects, the release of the key tapped before included. x-map is its time over that of one
// Go map lookup of the same mode, device, channel and note, measured in turn with it. Time is
// passed in; no clock is read on the path.
func BenchmarkStep(b *testing.B) {
	for _, size := range []struct{ mappings, modes, devices int }{{10, 1, 1}, {1000, 4, 2}, {100_000, 200, 8}} {
		for _, kind := range []string{"Keystroke", "Media"} {
			b.Run(fmt.Sprintf("%d/%s", size.mappings, kind), func(b *testing.B) {
				benchStep(b, size.mappings, size.modes, size.devices, kind)
			})
		}
	}
}

func benchStep(b *testing.B, n, modes, devices int, kind string) {
	r := rand.New(rand.NewPCG(1, 1))
	p := &engine.Program{Timing: engine.DefaultTiming}
	for i := range modes {
		p.Modes = append(p.Modes, engine.Mode{Name: fmt.Sprint("mode", i)})
	}
	for i := range devices {
		p.Devices = append(p.Devices, engine.Device{Name: fmt.Sprint("device", i)})
	}
	// One mapping in four hears every channel, and a third are pairs of a soft and a hard hit.
	// The map has what it takes to answer with one lookup: an entry for each channel.
	table := map[mapKey]int{}
	var keys []mapKey
	for len(p.Mappings) < n {
		k := mapKey{int16(r.IntN(modes)), int16(r.IntN(devices)), uint8(r.IntN(16)), uint8(r.IntN(128))}
		if _, ok := table[k]; ok {
			continue
		}
		keys = append(keys, k)
		first, last := k.channel, k.channel
		m := engine.Mapping{Mode: int(k.mode), Enabled: true}
		m.Trigger = engine.Trigger{Device: k.device, Channel: int8(k.channel), Number: int16(k.num), Min: 1, Max: 127}
		if r.IntN(4) == 0 {
			m.Trigger.Channel, first, last = engine.Any, 0, 15
		}
		for ch := first; ch <= last; ch++ {
			table[mapKey{k.mode, k.device, ch, k.num}] = len(p.Mappings)
		}
		hits := []engine.Trigger{m.Trigger}
		if r.IntN(5) == 0 {
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
	p.Compile()
	e := engine.New(p)
	for d := range devices {
		e.Attach(engine.Port(d), d)
	}
	// Events stay in a mode for a while, as people do.
	const batch = 4096
	asked := make([]mapKey, 0, 32*batch) // more than any cache near the processor remembers
	byMode := make([][]mapKey, modes)
	for _, k := range keys {
		byMode[k.mode] = append(byMode[k.mode], k)
	}
	for len(asked) < cap(asked) {
		ks := byMode[len(asked)/64%modes]
		if len(ks) == 0 {
			ks = keys
		}
		k := ks[r.IntN(len(ks))]
		asked = append(asked, k)
	}
	out := make([]effect.Effect, 0, 64)
	at := time.Duration(0)
	var stepping, asking time.Duration
	steps, effects, found := 0, 0, 0
	var in engine.Input
	pass := func() {
		from := steps % len(asked)
		start := time.Now()
		for i := from; i < from+batch; i++ {
			if i%64 == 0 {
				out = e.SetMode(i/64%modes, effect.ByCaller, at, out[:0])
			}
			at += 25 * time.Millisecond
			k := &asked[i] // an input comes fresh from its port, so it is made here
			in.At, in.Port, in.Kind = at, engine.Port(k.device), engine.NoteOn
			in.Channel, in.Number, in.Value = k.channel, k.num, uint16(1+i*31%127)
			out = e.Step(&in, out[:0])
			effects += len(out)
		}
		mid := time.Now()
		for i := from; i < from+batch; i++ {
			found += table[asked[i]]
		}
		stepping += mid.Sub(start)
		asking += time.Since(mid)
		steps += batch
	}
	for range 2 * len(asked) / batch { // every channel and slot is made
		pass()
	}
	stepping, asking, steps, effects = 0, 0, 0, 0
	b.ReportAllocs()
	b.ResetTimer()
	for b.N > steps {
		pass()
	}
	b.StopTimer()
	if effects == 0 || found == 0 {
		b.Fatal("nothing happened")
	}
	b.ReportMetric(float64(stepping.Nanoseconds())/float64(steps), "step-ns")
	b.ReportMetric(float64(asking.Nanoseconds())/float64(steps), "map-ns")
	b.ReportMetric(float64(stepping)/float64(asking), "x-map")
	b.ReportMetric(float64(effects)/float64(steps), "effects/op")
}
