package loop_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/loop"
)

// perform makes the mapping "tap" do something, and plays it: down, and up after a second.
func (s *stage) perform(a effect.Action) {
	s.t.Helper()
	s.as("tap", a)
	s.play(engine.NoteOn, 1)
	s.settle()
	time.Sleep(time.Second)
	s.play(engine.NoteOff, 1)
	s.settle()
}

// as changes what a mapping does.
func (s *stage) as(mapping string, a effect.Action) {
	s.t.Helper()
	s.with(func(p *engine.Program) {
		for i := range p.Mappings {
			if p.Mappings[i].ID == mapping {
				p.Mappings[i].Action = a
			}
		}
	})
}

// with makes the engine run a program that differs.
func (s *stage) with(change func(*engine.Program)) {
	s.t.Helper()
	p := program(s.t)
	change(p)
	p.Compile()
	s.do(func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
		out = e.Swap(p, now, out)
		e.Attach(0, engine.Any)
		return out
	})
}

// routes is every type of action that needs a backend, and what that is to do.
var routes = []struct {
	action   effect.Action
	to, does string
}{
	{&effect.Keystroke{Chord: effect.NewChord(30)}, "keys", "down tap, up tap"},
	{&effect.MouseClick{Chord: effect.NewChord(0x110)}, "keys", "down tap, up tap"},
	{&effect.MouseClick{Chord: effect.NewChord(0x110), Hold: true}, "keys", "down tap, up tap"},
	{&effect.Text{}, "keys", "act tap"},
	{&effect.MouseMove{}, "keys", "act tap"},
	{&effect.Scroll{}, "keys", "act tap"},
	{&effect.Shell{}, "process", "act tap"},
	{&effect.Launch{}, "process", "act tap"},
	{&effect.Open{}, "process", "act tap"},
	{&effect.VolumeControl{}, "audio", "act tap"},
	{&effect.Media{}, "media", "act tap"},
	{&effect.Notify{}, "notify", "act tap"},
	{&effect.DBusCall{}, "dbus", "act tap"},
	{&effect.SendMidi{}, "midi", "act tap"},
	{&effect.SendMidi{Hold: true}, "midi", "down tap, up tap"},
	{&effect.SendMidi{Hold: true, Message: effect.SendCC}, "midi", "act tap"},
}

func TestEachActionGoesToItsBackend(t *testing.T) {
	for _, r := range routes {
		synctest.Test(t, func(t *testing.T) {
			var all []loop.Backend
			there := map[string]*backend{}
			for _, name := range []string{"midi", "dbus", "notify", "media", "audio", "process", "keys", "other"} {
				there[name] = newBackend(name)
				all = append(all, there[name])
			}
			s := start(t, loop.Config{Backends: all})
			s.perform(r.action)
			for name, b := range there {
				want := ""
				if name == r.to {
					want = r.does
				}
				if got := b.all(); got != want {
					t.Errorf("%s %+v: %s did %q, want %q", r.action.Type(), r.action, name, got, want)
				}
			}
			s.events()
		})
	}
}

// A backend that is not there, or that does not perform such an action, is named.
func TestActionsThatNothingPerformsFail(t *testing.T) {
	for _, r := range routes {
		synctest.Test(t, func(t *testing.T) {
			s := start(t, loop.Config{})
			s.perform(r.action)
			s.events("tap: " + r.to + "-unavailable")
		})
		if r.does != "act tap" {
			continue // what goes down every backend of that name can do
		}
		synctest.Test(t, func(t *testing.T) {
			b := newBackend(r.to)
			b.deaf = true
			s := start(t, loop.Config{Backends: []loop.Backend{b}})
			s.perform(r.action)
			s.events("tap: " + r.to + "-unavailable")
			is(t, b, "")
		})
	}
}

// A new type of action is either routed or known to need no backend.
func TestEveryActionIsRouted(t *testing.T) {
	known := map[string]bool{
		"Emit": true, "Panic": true, "Sequence": true, "Repeat": true, "Delay": true, "Toggle": true, "Conditional": true, "ModeChange": true,
	}
	for _, r := range routes {
		known[r.action.Type()] = true
		if got := loop.BackendOf(r.action); got != r.to {
			t.Errorf("%s needs %q, want %q", r.action.Type(), got, r.to)
		}
	}
	files, _ := filepath.Glob("../../engine/effect/*.go")
	found := 0
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func \(\*?(?:\w+ )?\*?(\w+)\) Type\(\) string`).FindAllSubmatch(text, -1) {
			if found++; !known[string(m[1])] {
				t.Errorf("nobody said where %s goes", m[1])
			}
		}
	}
	if found != len(known) {
		t.Errorf("%d types of action, %d known", found, len(known))
	}
}

func TestEmitNeedsNoBackend(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, loop.Config{})
		for want, x := range map[string]effect.Effect{
			"text0": {Action: &effect.Emit{Name: "e", Text: "text"}}, // the number after a text means nothing
			"0.5":   {Action: &effect.Emit{Name: "e"}, Level: 0.5},
			"-3":    {Action: &effect.Emit{Name: "e"}, Level: 0.5, Steps: -3},
			"-7.5":  {Action: &effect.Emit{Name: "e", Value: effect.Value{Given: true, Fixed: 2.5}}, Level: 2.5, Steps: -3},
		} {
			x.Origin = &effect.Origin{ID: "m"}
			s.do(func(_ *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect { return append(out, x) })
			s.events("m says e " + want)
		}
	})
}

func TestPanicReachesEveryPerformer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, midi, audio := newBackend("keys"), newBackend("midi"), newBackend("audio")
		keys.deaf = true
		audio.opens <- report.ErrKeysUnavailable // it is not open
		midi.gate = make(chan struct{})          // and this one hangs, with a full queue
		s := start(t, loop.Config{Backends: []loop.Backend{keys, midi, audio}})
		s.as("tap", &effect.SendMidi{})
		for range 2 * loop.Places {
			s.play(engine.NoteOn, 1)
			s.play(engine.NoteOff, 1)
		}
		s.settle()
		s.observer.take()
		s.play(engine.NoteOn, 2)
		s.as("tap", &effect.Panic{})
		s.play(engine.NoteOn, 1)
		s.settle()
		s.events()
		is(t, keys, "down held, up held")
		close(midi.gate)
		synctest.Wait()
		n := len(midi.did)
		if n != loop.Places+2 { // one was in its hand; the last is the panic
			t.Errorf("%d were performed", n)
		}
		is(t, audio, "")
	})
}

func TestDryRunRecordsWhatLasted(t *testing.T) {
	for _, r := range routes {
		want := "act tap"
		if lasting(r.action) {
			want = "act tap, up tap"
		}
		synctest.Test(t, func(t *testing.T) {
			rec := &recorder{backend: newBackend("dry-run")}
			s := start(t, loop.Config{Recorder: rec})
			s.perform(r.action)
			is(t, rec.backend, want)
			s.events()
		})
	}
}

// lasting says whether an action holds something until the release.
func lasting(a effect.Action) bool {
	switch a := a.(type) {
	case *effect.Keystroke:
		return a.Hold
	case *effect.MouseClick:
		return a.Hold
	case *effect.SendMidi:
		return a.Hold && a.Message == effect.SendNoteOn
	}
	return false
}

// A back end that hangs costs a fader and an encoder one place each.
func TestHangingBackendGetsTheNewestValue(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		audio := newBackend("audio")
		audio.gate = make(chan struct{})
		got := make(chan effect.Effect, 16)
		s := start(t, loop.Config{Backends: []loop.Backend{tapped{audio, got}}})
		s.with(func(p *engine.Program) {
			fader := &p.Mappings[0]
			fader.Trigger = engine.Trigger{Type: engine.CC, Number: 7, Device: engine.Any, Channel: engine.Any, Max: 127}
			fader.Action = &effect.VolumeControl{Operation: effect.VolumeSet, Level: effect.Value{Max: 127}}
			knob := &p.Mappings[1]
			knob.Trigger = engine.Trigger{Type: engine.EncoderTurn, Number: 8, Device: engine.Any, Channel: engine.Any, Max: 127, Encoding: engine.TwosComplement}
			knob.Action = &effect.VolumeControl{Step: 1}
		})
		for n := range 1000 {
			for _, m := range []engine.Message{{Number: 7, Value: uint16(n % 128)}, {Number: 8, Value: 1}} {
				m.Kind = engine.ControlChange
				s.Deliver(engine.Input{At: s.now(), Message: m})
				if n == 0 {
					s.settle() // the first is in its hand
				}
			}
		}
		s.settle()
		s.events()
		close(audio.gate)
		synctest.Wait()
		if len(got) != 3 {
			t.Fatalf("%d were performed", len(got))
		}
		if first, knob, fader := <-got, <-got, <-got; first.Level != 0 || knob.Steps != 1000 || fader.Level != float64(999%128) {
			t.Errorf("performed %v, %v, %v", first.Level, knob.Steps, fader.Level)
		}
	})
}

// tapped shows what a backend performs.
type tapped struct {
	*backend
	got chan effect.Effect
}

func (b tapped) Do(x *effect.Effect) error {
	defer func() { b.got <- *x }()
	return b.backend.Do(x)
}
