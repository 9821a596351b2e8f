package engine_test

import (
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// TestShortWay compares the short way of a tap with the long one, which an engine takes as soon
// as a mapping was ever switched: the same effects must come of both.
func TestShortWay(t *testing.T) {
	const text = `
devices A B
desk note 1 1-60 text:x
desk note 1 61-127 key:30
desk note 2 ch1 text:x
desk note 3 dev0 text:x
desk note 4 text:x
desk long 4 300ms key:31
desk vr 5 1-60 text:x
desk note 6 key:32
desk note 7 hold:33
desk note 8 latch text:x
desk note 9 latching text:x
desk note 10 when:desk text:x
desk double 11 text:x
live note 1 100-127 sh:a
live note 2 emit:x
* note 1 key:34
* note 2 sh:b
* note 3 latching text:x
* note 4 1-60 text:x
* note 5 text:x
* note 6 dev1 key:32+35
* note 7 ch2 text:x
* note 12 text:x
* note 12 sh:c
* note 13 text:x
* note 13 eager sh:d`
	for seed := range uint64(50) {
		p := program(t, text)
		short, long := engine.New(p), engine.New(p)
		long.SetEnabled(0, true)
		r := rand.New(rand.NewPCG(seed, 1))
		var a, b []effect.Effect
		at := time.Duration(0)
		for range 2000 {
			at += time.Duration(r.IntN(200)) * time.Millisecond
			in := engine.Input{At: at, Port: engine.Port(r.IntN(2)), Message: engine.Message{Kind: engine.NoteOn, Number: uint8(1 + r.IntN(14)), Channel: uint8(r.IntN(3)), Value: uint16(r.IntN(128))}}
			gate, mode := r.IntN(100), r.IntN(2)
			if r.IntN(3) == 0 {
				in.Kind = engine.NoteOff
			}
			for i, e := range []*engine.Engine{short, long} {
				e.Attach(0, 0)
				e.Attach(1, 1)
				out := []*[]effect.Effect{&a, &b}[i]
				*out = e.Step(&in, (*out)[:0])
				switch {
				case gate < 5:
					*out = e.SetMode(mode, effect.ByCaller, at, *out)
				case gate < 10:
					*out = e.SetGate(effect.Paused, mode == 0, at, *out)
				}
			}
			var x, y strings.Builder
			for i := range a {
				show(&x, &a[i])
			}
			for i := range b {
				show(&y, &b[i])
			}
			if x.String() != y.String() {
				t.Fatalf("seed %d, %+v:\nshort %s\nlong  %s", seed, in, &x, &y)
			}
			v, w := short.Why(1), long.Why(1)
			// The short way looks at no more candidates than it must.
			if v[0].Mapping != w[0].Mapping || v[0].Outcome != w[0].Outcome || v[0].Reason != w[0].Reason || v[0].Hit != w[0].Hit {
				t.Fatalf("seed %d, %+v:\nshort %+v\nlong  %+v", seed, in, v, w)
			}
		}
	}
}
