package loop_test

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/service/loop"
)

// frail is a backend that goes away by itself, fails later and sees the world.
type frail struct {
	*backend
	lost   chan struct{}
	failed func(effect.Effect, error)
	seen   []*effect.World
}

func (f *frail) Lost() <-chan struct{} { return f.lost }

func (f *frail) Defer(failed func(effect.Effect, error)) { f.failed = failed }

func (f *frail) See(w *effect.World) { f.seen = append(f.seen, w) }

func newFrail() *frail {
	return &frail{backend: newBackend("audio"), lost: make(chan struct{})}
}

func TestFrailBackendIsOpenedAgainWithoutBeingAsked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		audio := newFrail()
		s := start(t, loop.Config{Backends: []loop.Backend{audio}})
		audio.opens <- errors.New("not yet")
		lost := audio.lost
		audio.lost = make(chan struct{})
		close(lost)
		synctest.Wait()
		s.perform(&effect.VolumeControl{})
		s.events("tap: audio-unavailable")
		audio.again <- struct{}{}
		time.Sleep(time.Second)
		s.perform(&effect.VolumeControl{})
		is(t, audio.backend, "act tap")
		s.events()
		for _, want := range []string{"open", "close", "open"} {
			if got := <-audio.fate; got != want {
				t.Errorf("%s, want %s", got, want)
			}
		}
	})
}

func TestFrailBackendPerformsAllBeforeTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		audio := newFrail()
		audio.gate = make(chan struct{})
		s := start(t, loop.Config{Backends: []loop.Backend{audio}})
		s.as("run", &effect.VolumeControl{})
		for range 3 {
			s.play(engine.NoteOn, 3)
			s.play(engine.NoteOff, 3)
		}
		s.settle()
		close(audio.gate)
		s.stop()
		is(t, audio.backend, "act run, act run, act run")
	})
}

func TestDeferredFailureIsReported(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		audio := newFrail()
		s := start(t, loop.Config{Backends: []loop.Backend{audio}})
		go audio.failed(effect.Effect{Origin: &effect.Origin{ID: "late"}}, errors.New("no such sink"))
		s.settle()
		s.events("late: action-failed")
	})
}

func TestWitnessSeesTheWorld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		audio := newFrail()
		s := start(t, loop.Config{Backends: []loop.Backend{audio}})
		focus := func(app string) {
			s.world(func(w *effect.World) { w.Focused, w.FocusKnown = app, true })
		}
		focus("mpv")
		focus("mpv") // nothing changes
		focus("foot")
		if n := len(audio.seen); n != 2 {
			t.Fatalf("seen %d times, want 2", n)
		}
		if a, b := audio.seen[0].Focused, audio.seen[1].Focused; a != "mpv" || b != "foot" {
			t.Errorf("saw %s and %s", a, b)
		}
	})
}
