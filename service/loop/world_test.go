package loop_test

import (
	"testing"
	"testing/synctest"
	"time"
	_ "time/tzdata" // the machine may know no zones

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/service/loop"
)

// when makes the mapping "run" act under a condition only.
func (s *stage) when(c *effect.Condition) {
	s.t.Helper()
	s.with(func(p *engine.Program) {
		for i := range p.Mappings {
			if p.Mappings[i].ID == "run" {
				p.Mappings[i].When = c
			}
		}
	})
}

// run plays the mapping "run" and says whether it acted.
func (s *stage) run(process *backend) bool {
	s.t.Helper()
	s.play(engine.NoteOn, 3)
	s.play(engine.NoteOff, 3)
	s.settle()
	return process.all() == "act run"
}

func (s *stage) world(change func(*effect.World)) {
	s.t.Helper()
	if err := s.World(s.t.Context(), change); err != nil {
		s.t.Fatal(err)
	}
}

func TestConditionsSeeTheTime(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		// One second before summer time ends: 2:59:59 is followed by 2:00:00. A Sunday.
		wall := time.Date(2026, 10, 25, 0, 59, 59, 0, time.UTC).In(zone)
		looks := 0
		process := newBackend("process")
		s := start(t, loop.Config{Backends: []loop.Backend{process}, Wall: func() time.Time { looks++; return wall }})
		looks = 0
		s.play(engine.NoteOn, 3)
		synctest.Wait()
		is(t, process, "act run")
		if looks != 0 {
			t.Errorf("a program that does not ask for the time had it read %d times", looks)
		}
		s.when(&effect.Condition{Kind: effect.And, Of: []effect.Condition{
			{Kind: effect.TimeRange, From: 2 * 60, To: 2*60 + 30}, {Kind: effect.DayOfWeek, Days: 1 << 6},
		}})
		for _, c := range []struct {
			pass time.Duration
			want bool
		}{
			{0, false},               // 2:59:59
			{time.Second, true},      // 2:00 again
			{30 * time.Minute, true}, // 2:30
			{time.Minute, false},
			{-20 * time.Minute, true}, // the clock is set
			{24 * time.Hour, false},   // a Monday
		} {
			wall = wall.Add(c.pass)
			if got := s.run(process); got != c.want {
				t.Errorf("at %v it acts: %v", wall, got)
			}
		}
	})
}

// What a mode does at its beginning sees the time though the program before did not ask.
func TestNewProgramSeesTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		process := newBackend("process")
		s := start(t, loop.Config{Backends: []loop.Backend{process}, Wall: func() time.Time { return time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC) }})
		s.with(func(p *engine.Program) {
			p.Modes[0].Name = "New"
			p.Modes[0].Enter = &engine.Mapping{Origin: effect.Origin{ID: "enter"}, Action: &effect.Conditional{
				If: effect.Condition{Kind: effect.TimeRange, From: 570, To: 570}, Then: &effect.Shell{},
			}}
		})
		synctest.Wait()
		is(t, process, "act enter")
	})
}

func TestConditionsSeeTheWorld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		process := newBackend("process")
		s := start(t, loop.Config{Backends: []loop.Backend{process}})
		s.when(&effect.Condition{Kind: effect.And, Of: []effect.Condition{
			{Kind: effect.DevicePresent, Name: "LPD8"}, {Kind: effect.AppRunning, Name: "obs"}, {Kind: effect.AppFocused, Name: "*gimp"},
		}})
		for _, change := range []func(*effect.World){
			func(w *effect.World) { w.Present = map[string]bool{"LPD8": true} },
			func(w *effect.World) { w.Running = map[string]bool{"obs": true} },
			func(w *effect.World) { w.Focused, w.FocusKnown = "org.gimp.gimp", true },
		} {
			if s.run(process) {
				t.Error("it acts too early")
			}
			s.world(change)
		}
		if !s.run(process) {
			t.Error("it does not act")
		}
		s.world(func(w *effect.World) { w.Present = nil })
		if s.run(process) {
			t.Error("it acts without the device")
		}
	})
}

func TestLock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys, process := newBackend("keys"), newBackend("process")
		s := start(t, loop.Config{Backends: []loop.Backend{keys, process}})
		lock := func(locked bool) {
			if err := s.Lock(t.Context(), locked); err != nil {
				t.Fatal(err)
			}
		}
		s.with(func(p *engine.Program) {
			for i := range p.Mappings {
				m := &p.Mappings[i]
				m.WhenLocked = m.ID != "tap"
				if m.ID == "run" {
					m.When = &effect.Condition{Kind: effect.ScreenLocked}
				}
			}
		})
		s.play(engine.NoteOn, 2)
		s.settle()
		lock(true)
		s.settle()
		is(t, keys, "down held, up held")
		s.play(engine.NoteOff, 2)
		s.play(engine.NoteOn, 2)
		s.play(engine.NoteOn, 1)
		lock(true) // as it is: nothing is let go of
		if !s.run(process) {
			t.Error("the condition does not hold")
		}
		is(t, keys, "down held")
		lock(false)
		if s.run(process) {
			t.Error("the condition still holds")
		}
		s.play(engine.NoteOn, 1)
		s.settle()
		is(t, keys, "down tap")
	})
}

func TestFocusChangesTheMode(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := start(t, loop.Config{})
		s.with(func(p *engine.Program) { p.Modes[1].Apps = []string{"gimp"} })
		s.world(func(w *effect.World) { w.Focused, w.FocusKnown = "gimp", true })
		s.events("One to Two by focus")
		s.world(func(w *effect.World) { w.Focused = "" })
		s.events("Two to One by focus")
	})
}

// Every decision is stamped, whatever it came of.
func TestDecisionsAreStamped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keys := newBackend("keys")
		s := start(t, loop.Config{Backends: []loop.Backend{keys}})
		s.Deliver(engine.Input{At: s.now() - 3*time.Millisecond, Message: engine.Message{Kind: engine.NoteOn, Number: 4, Value: 1}})
		s.settle()
		time.Sleep(time.Second) // the press is long
		s.settle()
		var taken []time.Duration
		s.do(func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
			return e.Trigger(0, now-5*time.Millisecond, out)
		})
		s.do(func(e *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
			for _, d := range e.Why(3) {
				taken = append(taken, d.Taken)
				if d.Handed != d.Taken { // no time passes here while the loop works
					t.Errorf("%+v", d)
				}
			}
			return out
		})
		if len(taken) != 3 || taken[0] != 3*time.Millisecond || taken[1] != 0 {
			t.Errorf("taken after %v", taken)
		}
	})
}
