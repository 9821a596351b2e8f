package engine_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

// everything uses each trigger and action on few controls, so that they meet often.
const everything = `
devices A B
desk note 1 hold:29
desk note 1 1-40 key:30
desk long 1 300ms hold:31+29
desk note 2 key:29+46
desk long 2 [key:29,wait:30,hold:42,key:46]
desk note 3 mode:live
desk note 4 dev0 [hold:29,wait:200,key:47,[sh:a]]
desk note 4 dev1 eager hold:44
desk cc 1 hold:45
desk cc 2 40-90 key:46
desk enc 3 cw key:47
live note 1 hold:48+29
live note 3 mode:desk
live cc 2 10-60 hold:49
desk double 1 hold:52
desk triple 2 sh:triple
desk chord 1+2 hold:53
desk chord 1+2+3 hold:54+29
desk up 3 key:55
desk note 4 latch ch1 hold:56
desk bend 0 0-4000 hold:57
desk cc14 1 emit:fine
desk after 0 10-90 toggle:t/key:58/key:59
desk nrpn 130 emit:parameter
live note 2 holdmode:desk
live note 4 again:3*key:60
live chord 2+3 again:0*key:60
web note 1 latch hold:61
web long 1 300ms hold:62
web triple 1 400ms sh:triple
web double 1 100ms key:63
web note 2 latch again:0*key:64
web note 3 eager latch hold:65
web note 3 latch [hold:66,wait:300,key:67]
web double 3 sh:double
web cc 1 latch holdmode:live
web cc 2 latching key:68
* note 4 latching sh:latching
* note 1 hold:50
* note 2 sh:x
* long 3 hold:51
* enc 3 twos sh:y
`

// keyboard follows the effects as a kernel device would and finds what must not be.
type keyboard struct {
	t     interface{ Fatalf(string, ...any) }
	down  map[effect.Key]bool
	holds map[uint32]effect.Action
	last  time.Duration
}

func (k *keyboard) take(out []effect.Effect) {
	for i := range out {
		x := &out[i]
		if x.At < k.last {
			k.t.Fatalf("time ran back: %v after %v", x.At, k.last)
		}
		k.last = x.At
		switch x.Kind {
		case effect.KeyDown:
			if k.holds[x.Hold] != nil {
				k.t.Fatalf("hold %x began twice", x.Hold)
			}
			k.holds[x.Hold] = x.Action
			for _, key := range x.Keys.Keys() {
				if k.down[key] {
					k.t.Fatalf("key %d pressed while down", key)
				}
				k.down[key] = true
			}
		case effect.KeyUp:
			if k.holds[x.Hold] == nil {
				k.t.Fatalf("hold %x ended without a beginning", x.Hold)
			}
			delete(k.holds, x.Hold)
			for _, key := range x.Keys.Keys() {
				if !k.down[key] {
					k.t.Fatalf("key %d released while up", key)
				}
				delete(k.down, key)
			}
		case effect.Act, effect.ModeChanged, effect.Refused:
		}
	}
}

// lose is for when what held the keys down is gone, and they are up. Notes sound on.
func (k *keyboard) lose() {
	clear(k.down)
	for id, a := range k.holds {
		if _, note := a.(*effect.SendMidi); !note {
			delete(k.holds, id)
		}
	}
}

// FuzzEngine plays bytes as events: whatever comes, everything held is released, time does
// not run back, and waking at each deadline gives the same effects as waking late.
func FuzzEngine(f *testing.F) {
	f.Add([]byte{0, 1, 100, 9, 1, 0, 200, 2, 60, 3, 33, 90})
	r := rand.New(rand.NewPCG(1, 2))
	for range 8 {
		b := make([]byte, 240)
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		f.Add(b)
	}
	p := program(f, everything)
	p.Modes[1].Enter = &engine.Mapping{Origin: effect.Origin{ID: "enter"}, WhenLocked: true, Action: action(f, "[key:70,hold:71,wait:50,key:72]")}
	p.Modes[0].Enter = &engine.Mapping{Origin: effect.Origin{ID: "return"}, WhenLocked: true, Action: action(f, "key:73")}
	p.Modes[0].Exit = &engine.Mapping{Origin: effect.Origin{ID: "exit"}, Action: action(f, "key:74")}
	q := program(f, "live note 1 hold:48\nother note 2 key:29+46\n* cc 2 0-64 hold:50")
	f.Fuzz(func(t *testing.T, b []byte) {
		late, early := random(t, p, q, b, false), random(t, p, q, b, true)
		if late != early {
			a, b := strings.Split(late, "\n"), strings.Split(early, "\n")
			for i := range min(len(a), len(b)) {
				if a[i] != b[i] {
					t.Fatalf("woken late: %q, woken at each deadline: %q, after\n%s", a[i], b[i], strings.Join(a[max(0, i-12):i], "\n"))
				}
			}
			t.Fatalf("woken late:\n%s\nwoken at each deadline:\n%s", late, early)
		}
	})
}

func random(t testing.TB, p, q *engine.Program, b []byte, wake bool) string {
	e := engine.New(p)
	attach := func() {
		e.Attach(0, 0)
		e.Attach(1, engine.Any)
		if len(e.Program().Devices) > 1 {
			e.Attach(1, 1)
		}
	}
	attach()
	k := keyboard{t: t, down: map[effect.Key]bool{}, holds: map[uint32]effect.Action{}}
	var shown strings.Builder
	var out []effect.Effect
	flush := func() {
		k.take(out)
		for i := range out {
			show(&shown, &out[i])
		}
		out = out[:0]
	}
	at := time.Duration(0)
	for ; len(b) >= 3; b = b[3:] {
		at += time.Duration(b[2]) * 3 * time.Millisecond
		for wake {
			due, ok := e.Due()
			if !ok || due > at {
				break
			}
			out = e.Advance(due, out)
			flush()
		}
		in := engine.Input{At: at, Port: engine.Port(b[0] >> 7), Message: engine.Message{Channel: b[0] >> 6 & 1, Number: b[1]%4 + 1, Value: uint16(b[1] >> 1)}}
		switch b[0] % 16 {
		case 0, 1, 2, 3, 4:
			in.Kind = engine.NoteOn
			out = e.Step(&in, out)
		case 5, 6, 7, 8:
			in.Kind = engine.NoteOff
			out = e.Step(&in, out)
		case 9, 10:
			in.Kind = engine.ControlChange
			out = e.Step(&in, out)
		case 11:
			in.Kind = []engine.Kind{engine.ControlChange, engine.ControlChange, engine.PitchBend, engine.ChannelPressure, engine.PolyPressure}[b[1]%5]
			if in.Kind == engine.ControlChange { // what selects a parameter and sets it, and the lower halves
				in.Number = []uint8{98, 99, 6, 38, 33, 96, 97, 101}[b[1]>>3&7]
				in.Value &= 3
			}
			if in.Kind == engine.PitchBend {
				in.Value <<= 7
			}
			out = e.Step(&in, out)
		case 12:
			out = e.SetMode(int(b[1]%4), effect.ByCaller, at, out)
		case 13:
			out = e.SetGate([]effect.Cause{effect.Paused, effect.Locked, effect.Inactive}[b[1]%3], b[1]&8 != 0, at, out)
		case 14:
			out = e.Swap([]*engine.Program{p, q}[b[1]%2], at, out)
			attach()
		case 15:
			switch b[1] % 4 {
			case 0:
				in.Kind = engine.PortLost
				out = e.Step(&in, out)
				flush()
				attach()
			case 1:
				in.Kind = engine.Overrun
				out = e.Step(&in, out)
			case 2:
				cause := []effect.Cause{effect.ByPanic, effect.Stopping}[b[1]>>2&1]
				if out = e.Release(cause, at, out); cause == effect.Stopping && e.Held() > 0 {
					t.Fatalf("%d keys are down although everything stops", e.Held())
				}
			case 3:
				flush()
				out = e.SinkLost(at, out)
				flush()
				k.lose()
			}
		}
		flush()
	}
	// Whatever happened: when every port is gone and time has passed, nothing is held.
	for port := range engine.Port(2) {
		out = e.Step(&engine.Input{At: at, Port: port, Message: engine.Message{Kind: engine.PortLost}}, out)
	}
	out = e.Advance(at+time.Hour, out)
	flush()
	if len(k.down) > 0 || len(k.holds) > 0 || e.Held() > 0 {
		t.Fatalf("still down: %v, holds %v, engine says %d", k.down, k.holds, e.Held())
	}
	if due, ok := e.Due(); ok {
		t.Fatalf("does not come to rest: due %v", due)
	}
	return shown.String()
}

// bytes are chance that a fuzzer decides.
type bytes struct{ left []byte }

// IntN takes a byte, or two for what is more.
func (b *bytes) IntN(n int) int {
	v := 0
	for most := 1; most < n && len(b.left) > 0; most *= 256 {
		v, b.left = v<<8|int(b.left[0]), b.left[1:]
	}
	return v % n
}

// few is the size of programs in which everything meets: little that means much.
var few = size{mappings: 60, modes: 3, devices: 2, notes: 4, buttons: 2, encoders: 1, channels: 2}

// FuzzPrograms plays bytes as events on random programs of every trigger and action. Whatever comes:
// of a press comes one gesture, every release that is due comes, also over a reload, the same comes
// again and whenever the engine is woken, and at the end nothing is held.
func FuzzPrograms(f *testing.F) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range uint64(64) {
		b := make([]byte, 200)
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		f.Add(i, b)
	}
	f.Fuzz(fuzzed)
}

// fuzzed plays bytes on programs of a seed.
func fuzzed(t *testing.T, seed uint64, b []byte) {
	made := func(n uint64) *engine.Program { return makeProgram(rand.New(rand.NewPCG(seed, n)), few) }
	programs := []*engine.Program{made(0), made(1), made(0)} // the third is the first again, as after a reload
	play := func(name string, early, refuse bool) *player {
		pick := &bytes{b[:min(len(b), 1<<12)]}
		p := newPlayer(t, fmt.Sprintf("seed %d, %s", seed, name), pick, few, programs...)
		p.early, p.refuse = early, refuse
		for len(pick.left) > 0 {
			p.play(time.Duration([]int{0, 1, 3, 10, 40, 99, 100, 250}[pick.IntN(8)]) * time.Millisecond)
		}
		p.rest()
		return p
	}
	late := play("woken by events", false, false)
	late.compare(play("woken at every deadline", true, false))
	late.compare(play("once more", false, false))
	play("some keys refused", false, true)
}

// TestRandomPrograms plays longer on programs of -seed.
func TestRandomPrograms(t *testing.T) {
	r := rand.New(rand.NewPCG(*seed, 7))
	for range int(*soaked / (5 * time.Second)) {
		b := make([]byte, 2000)
		for i := range b {
			b[i] = byte(r.UintN(256))
		}
		fuzzed(t, r.Uint64(), b)
	}
}

// TestOnePressOneGesture: of the exclusive mappings of one control, one press fires one.
func TestOnePressOneGesture(t *testing.T) {
	p := program(t, "desk note 1 sh:tap\ndesk long 1 300ms sh:hold")
	for ms := range 600 {
		got := play(t, p, fmt.Sprintf("0 on 1;%d off 1;2000 advance", ms))
		if n := strings.Count(got, "Shell"); n != 1 {
			t.Errorf("released after %d ms: %d gestures", ms, n)
		}
	}
}

// TestRandomPressesAgainstSearch compares the lookup with a search through the mappings.
func TestRandomPressesAgainstSearch(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		p := randomProgram(r, 60, 3, 2)
		e := engine.New(p)
		for port := range 3 {
			device := port
			if port == 2 {
				device = engine.Any
			}
			e.Attach(engine.Port(port), device)
		}
		at := time.Duration(0)
		for range 400 {
			at += 250 * time.Millisecond
			mode, port := r.IntN(3), r.IntN(3)
			in := engine.Input{At: at, Port: engine.Port(port), Message: engine.Message{Kind: engine.NoteOn, Channel: uint8(r.IntN(3)), Number: uint8(r.IntN(4)), Value: uint16(1 + r.IntN(127))}}
			out := e.SetMode(mode, effect.ByCaller, at, nil)
			out = e.Step(&in, out)
			got := slices.DeleteFunc(out, func(x effect.Effect) bool { return x.Kind != effect.Act })
			want := search(p, mode, port, &in)
			if want == "" && len(got) == 0 || len(got) == 1 && got[0].Origin.ID == want {
				continue
			}
			t.Fatalf("mode %d, port %d, %+v: got %v, want %q", mode, port, in.Message, got, want)
		}
	}
}

func search(p *engine.Program, mode, port int, in *engine.Input) string {
	for _, scope := range []int{mode, engine.Global} {
		for i := range p.Mappings {
			m, g := &p.Mappings[i], &p.Mappings[i].Trigger
			if m.Mode == scope && g.Number == int16(in.Number) && (g.Channel == engine.Any || g.Channel == int8(in.Channel)) &&
				(g.Device == engine.Any || port < 2 && int(g.Device) == port) && g.Min <= in.Value && in.Value <= g.Max {
				return m.ID
			}
		}
	}
	return ""
}

// randomProgram has n note mappings to Shell actions on few controls.
func randomProgram(r *rand.Rand, n, modes, devices int) *engine.Program {
	p := &engine.Program{Timing: engine.DefaultTiming}
	for i := range modes {
		p.Modes = append(p.Modes, engine.Mode{Name: fmt.Sprint("mode", i)})
	}
	for i := range devices {
		p.Devices = append(p.Devices, engine.Device{Name: fmt.Sprint("device", i)})
	}
	for i := range n {
		m := engine.Mapping{Mode: r.IntN(modes+1) - 1, Enabled: true, Action: &effect.Shell{Command: "true"}}
		m.ID = fmt.Sprint(i)
		m.Trigger = engine.Trigger{Device: int16(r.IntN(devices+1) - 1), Channel: int8(r.IntN(4) - 1), Number: int16(r.IntN(4)), Min: uint16(r.IntN(100)), Max: 127}
		m.Trigger.Max = m.Trigger.Min + uint16(r.IntN(28))
		p.Mappings = append(p.Mappings, m)
	}
	p.Compile()
	return p
}
