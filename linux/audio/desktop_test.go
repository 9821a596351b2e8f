//go:build linux && desktop

package audio_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/audio"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/pulse"
)

// servers are the sound servers that people have.
var servers = []struct {
	name  string
	start func(*desktoptest.Desktop) *desktoptest.Sound
}{
	{"PulseAudio", desktoptest.PulseAudio},
	{"PipeWire", desktoptest.PipeWire},
}

// each runs a test with every server.
func each(t *testing.T, test func(t *testing.T, s *stage)) {
	for _, server := range servers {
		t.Run(server.name, func(t *testing.T) {
			test(t, newStage(t, server.start(desktoptest.New(t))))
		})
	}
}

// stage is a backend on a sound server.
type stage struct {
	*desktoptest.Sound
	*audio.Backend
	t *testing.T

	mu       sync.Mutex
	failures []string
}

func newStage(t *testing.T, server *desktoptest.Sound) *stage {
	t.Helper()
	s := &stage{Sound: server, Backend: audio.New(server.Getenv), t: t}
	s.Defer(func(_ effect.Effect, err error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.failures = append(s.failures, err.Error())
	})
	s.open()
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func (s *stage) open() {
	s.t.Helper()
	if err := s.Open(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
}

func (s *stage) do(a effect.VolumeControl, level float64, steps int16) error {
	if a.Limit == 0 {
		a.Limit = 100
	}
	return s.Do(&effect.Effect{Action: &a, Level: level, Steps: steps})
}

// fails waits for an action to fail for a reason that has these words.
func (s *stage) fails(words ...string) {
	s.t.Helper()
	desktoptest.Until(s.t, fmt.Sprintf("a failure with %q", words), func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		for i, f := range s.failures {
			if !slices.ContainsFunc(words, func(w string) bool { return !strings.Contains(f, w) }) {
				s.failures = slices.Delete(s.failures, i, i+1)
				return true
			}
		}
		return false
	})
}

// is waits until pactl says so.
func (s *stage) is(what, name, want string) {
	s.t.Helper()
	got := ""
	deadline := time.Now().Add(desktoptest.Limit)
	for time.Now().Before(deadline) {
		if got = s.Volume(s.t, what, name); got == want {
			return
		}
	}
	s.t.Errorf("%s %s is %s, want %s", what, name, got, want)
}

func (s *stage) muted(what, name, want string) {
	s.t.Helper()
	desktoptest.Until(s.t, name+" muted "+want, func() bool {
		return strings.Contains(s.Output("pactl", "get-"+what+"-mute", name), want)
	})
}

const (
	set    = effect.VolumeSet
	up     = effect.VolumeUp
	down   = effect.VolumeDown
	toggle = effect.VolumeToggle
)

func TestVolume(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		must := func(a effect.VolumeControl, level float64, steps int16) {
			t.Helper()
			if err := s.do(a, level, steps); err != nil {
				t.Fatal(err)
			}
		}
		must(effect.VolumeControl{Operation: set}, 30, 0)
		s.is("sink", "one", "30% 30%")
		must(effect.VolumeControl{Operation: up, Step: 10}, 0, 0)
		s.is("sink", "one", "40% 40%")
		must(effect.VolumeControl{Operation: down, Step: 5}, 0, 0)
		s.is("sink", "one", "35% 35%")
		must(effect.VolumeControl{Operation: up, Step: 2}, 0, 5) // five steps of an encoder
		s.is("sink", "one", "45% 45%")

		// The balance stays, through silence too.
		s.Output("pactl", "set-sink-volume", "one", "20%", "60%")
		must(effect.VolumeControl{Operation: set}, 90, 0)
		s.is("sink", "one", "30% 90%")
		must(effect.VolumeControl{Operation: set}, 0, 0)
		s.is("sink", "one", "0% 0%")
		must(effect.VolumeControl{Operation: set}, 60, 0)
		s.is("sink", "one", "20% 60%")

		// Limits.
		must(effect.VolumeControl{Operation: set, Limit: 50}, 80, 0)
		s.is("sink", "one", "17% 50%")
		s.Output("pactl", "set-sink-volume", "one", "120%")
		must(effect.VolumeControl{Operation: up, Step: 10}, 0, 0)
		must(effect.VolumeControl{Operation: down, Step: 1, Limit: 100}, 0, 0)
		s.is("sink", "one", "119% 119%")
		must(effect.VolumeControl{Operation: up, Step: 10, Limit: 150}, 0, 0)
		s.is("sink", "one", "129% 129%")

		// The other one, by name, by description and by a part of that; and what does not exist.
		must(effect.VolumeControl{Operation: set, Device: "two"}, 22, 0)
		s.is("sink", "two", "22% 22%")
		must(effect.VolumeControl{Operation: set, Device: "second"}, 23, 0)
		s.is("sink", "two", "23% 23%")
		must(effect.VolumeControl{Operation: set, Device: "Seco"}, 24, 0)
		s.is("sink", "two", "24% 24%")
		must(effect.VolumeControl{Operation: set, Device: "three"}, 25, 0)
		s.fails(`no sink "three"`, "one", "two")

		// Muting.
		must(effect.VolumeControl{Operation: effect.VolumeMute}, 0, 0)
		s.muted("sink", "one", "yes")
		must(effect.VolumeControl{Operation: toggle}, 0, 0)
		s.muted("sink", "one", "no")
		must(effect.VolumeControl{Operation: toggle}, 0, 0)
		s.muted("sink", "one", "yes")
		must(effect.VolumeControl{Operation: effect.VolumeUnmute}, 0, 0)
		s.muted("sink", "one", "no")

		// Sources.
		must(effect.VolumeControl{Operation: set, Input: true, Device: "two.monitor"}, 33, 0)
		s.is("source", "two.monitor", "33% 33%")
		must(effect.VolumeControl{Operation: toggle, Input: true, Device: "two.monitor"}, 0, 0)
		s.muted("source", "two.monitor", "yes")
		s.Output("pactl", "set-default-source", "one.monitor")
		desktoptest.Until(t, "the default source", func() bool {
			return strings.TrimSpace(s.Output("pactl", "get-default-source")) == "one.monitor"
		})
		must(effect.VolumeControl{Operation: set, Input: true}, 44, 0)
		s.is("source", "one.monitor", "44% 44%")

		// The default one changes.
		s.Output("pactl", "set-default-sink", "two")
		desktoptest.Until(t, "the default sink", func() bool { return strings.TrimSpace(s.Output("pactl", "get-default-sink")) == "two" })
		must(effect.VolumeControl{Operation: set}, 66, 0)
		s.is("sink", "two", "66% 66%")
	})
}

func TestVolumeOfAnApplication(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.Play("Some Player")
		s.Play("Other")
		volumeOf := func(app string) string {
			out := s.Output("pactl", "list", "sink-inputs")
			for one := range strings.SplitSeq(out, "Sink Input #") {
				if strings.Contains(one, `application.name = "`+app+`"`) {
					_, v, _ := strings.Cut(one, "Volume:")
					_, v, _ = strings.Cut(v, "/")
					v, _, _ = strings.Cut(v, "/")
					_, mute, _ := strings.Cut(one, "Mute: ")
					mute, _, _ = strings.Cut(mute, "\n")
					return strings.TrimSpace(v) + " " + mute
				}
			}
			return "none"
		}
		is := func(app, want string) {
			t.Helper()
			desktoptest.Until(t, app+" at "+want, func() bool { return volumeOf(app) == want })
		}
		is("Other", "100% no")
		control := effect.VolumeControl{Operation: set, App: "some player"}
		if err := s.do(control, 40, 0); err != nil {
			t.Fatal(err)
		}
		is("Some Player", "40% no")
		control = effect.VolumeControl{Operation: toggle, App: "com.example.SomePlayer"}
		if err := s.do(control, 0, 0); err != nil {
			t.Fatal(err)
		}
		is("Some Player", "40% yes")
		is("Other", "100% no")

		inFront := effect.VolumeControl{Operation: down, Step: 30, App: "focused"}
		if err := s.do(inFront, 0, 0); err == nil || !strings.Contains(err.Error(), "nobody here can tell") {
			t.Errorf("%v, and nobody told what is in front", err)
		}
		s.See(&effect.World{FocusKnown: true, Focused: "other"})
		if err := s.do(inFront, 0, 0); err != nil {
			t.Fatal(err)
		}
		is("Other", "70% no")
		s.See(&effect.World{FocusKnown: true})
		if err := s.do(inFront, 0, 0); err == nil || !strings.Contains(err.Error(), "no application is in front") {
			t.Errorf("%v, and nothing is in front", err)
		}
		if err := s.do(effect.VolumeControl{Operation: set, App: "nobody"}, 1, 0); err != nil {
			t.Fatal(err)
		}
		s.fails(`"nobody"`, "Some Player", "Other")
	})
}

// TestFaderFlood: a fader that gives 1,000 values a second for two seconds, or as near to that as a
// busy machine comes.
func TestFaderFlood(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		events := s.Desktop.Start("stdbuf", "-oL", "pactl", "subscribe")
		i := 0
		desktoptest.Until(t, "events", func() bool { // pactl does not say that it listens
			i++
			s.Output("pactl", "set-sink-volume", "one", fmt.Sprintf("%d%%", 50+i%2))
			return strings.Contains(events.Said(), "'change' on sink ")
		})
		const length, last = 2000, 37.0 // values
		before := strings.Count(events.Said(), "'change' on sink ")
		began := time.Now()
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for values := range length {
			<-pace.C
			level := float64(values % 100)
			if err := s.do(effect.VolumeControl{Operation: set}, level, 0); err != nil {
				t.Fatal(err)
			}
		}
		if err := s.do(effect.VolumeControl{Operation: set}, last, 0); err != nil {
			t.Fatal(err)
		}
		s.is("sink", "one", "37% 37%")
		took := time.Since(began)
		seen := strings.Count(events.Said(), "'change' on sink ") - before
		limit := int(took.Seconds()*100) + 1
		t.Logf("%d values in %v: %d changes seen, at most %d allowed", length, took.Round(time.Millisecond), seen, limit)
		if seen > limit || seen < 10 { // a fader that jumps to its end is none
			t.Errorf("%d changes in %v, want at most 100 a second and more than a few", seen, took)
		}
	})
}

// State is what the backend says of the server.
func (s *stage) State() *pulse.State { return s.Backend.Sound().State() }

// TestServerIsObserved: what others do is known without asking.
func TestServerIsObserved(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		knows := func(what string, is func(*pulse.State) bool) {
			t.Helper()
			late := time.After(desktoptest.Limit)
			for !is(s.State()) {
				select {
				case <-s.Backend.Sound().Changed():
				case <-late:
					t.Fatalf("it does not know: %s; it knows %+v", what, s.State())
				}
			}
		}
		level := func(name string, percent float64, muted bool) func(*pulse.State) bool {
			return func(s *pulse.State) bool {
				return slices.ContainsFunc(s.Levels, func(l pulse.Level) bool { return l.Name == name && l.Percent == percent && l.Muted == muted })
			}
		}
		s.Output("pactl", "set-sink-volume", "two", "31%")
		knows("two is at 31 %", level("two", 31, false))
		s.Output("pactl", "set-sink-mute", "two", "1")
		knows("two is muted", level("two", 31, true))
		s.Output("pactl", "set-default-sink", "two")
		knows("two is the default", func(s *pulse.State) bool { return s.Sink == "two" })
		player := s.Play("Some Player")
		knows("somebody plays", level("Some Player", 100, false))
		player.Kill()
		knows("nobody plays", func(s *pulse.State) bool { return !level("Some Player", 100, false)(s) })
	})
}

// reopen waits for the server's end and opens the backend again, as the loop does.
func (s *stage) reopen() {
	s.t.Helper()
	if err := s.Close(); err != nil {
		s.t.Error(err)
	}
	ctx, cancel := context.WithTimeout(s.t.Context(), desktoptest.Limit)
	defer cancel()
	for {
		err := s.Open(ctx)
		if err == nil {
			return
		}
		if err := s.Await(ctx); err != nil {
			s.t.Fatal(err)
		}
	}
}

func TestServerIsKilledAndComesBack(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		for range 3 {
			// In the middle of a flood.
			var flood sync.WaitGroup
			stop := make(chan struct{})
			flood.Go(func() {
				for i := 0; ; i++ {
					select {
					case <-stop:
						return
					default:
						_ = s.do(effect.VolumeControl{Operation: set}, float64(i%100), 0)
					}
				}
			})
			time.Sleep(50 * time.Millisecond)
			s.Kill()
			select {
			case <-s.Lost():
			case <-time.After(desktoptest.Limit):
				t.Fatal("the loss is not noticed")
			}
			close(stop)
			flood.Wait()
			if err := s.do(effect.VolumeControl{Operation: set}, 1, 0); err == nil {
				s.fails("the sound server is gone")
			}
			back := make(chan struct{})
			go func() { defer close(back); s.reopen() }()
			s.Start()
			<-back
			s.Output("pactl", "set-default-sink", "one")
			if err := s.do(effect.VolumeControl{Operation: set, Device: "one"}, 41, 0); err != nil {
				t.Fatal(err)
			}
			s.is("sink", "one", "41% 41%")
		}
	})
}

// TestHangingServer: it takes connections and says nothing.
func TestHangingServer(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		s.Server().Signal(syscall.SIGSTOP)
		if err := s.do(effect.VolumeControl{Operation: set}, 12, 0); err != nil {
			t.Fatal(err)
		}
		s.mu.Lock()
		if len(s.failures) > 0 {
			t.Error("Do waited for the answer")
		}
		s.mu.Unlock()
		s.fails("does not answer")
		<-s.Lost()
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Open(t.Context()); err == nil {
			t.Fatal("a server that hangs was opened")
		}
		s.Server().Signal(syscall.SIGCONT)
		ctx, cancel := context.WithTimeout(t.Context(), desktoptest.Limit)
		defer cancel()
		for {
			if err := s.Await(ctx); err != nil {
				t.Fatal(err)
			}
			if s.Open(ctx) == nil {
				break
			}
		}
		if err := s.do(effect.VolumeControl{Operation: set, Device: "one"}, 13, 0); err != nil {
			t.Fatal(err)
		}
		s.is("sink", "one", "13% 13%")
	})
}

// TestVolumeLatency: from the effect to the event that others get, beside pactl doing the same.
func TestVolumeLatency(t *testing.T) {
	each(t, func(t *testing.T, s *stage) {
		watch := pulse.New(s.Getenv, func(effect.Effect, error) {})
		if err := watch.Open(t.Context()); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = watch.Close() }()
		seen := func(percent float64) {
			for {
				for _, l := range watch.State().Levels {
					if l.Name == "one" && l.Percent == percent {
						return
					}
				}
				<-watch.Changed()
			}
		}
		measure := func(name string, act func(percent float64)) {
			var took []time.Duration
			for i := range 60 {
				percent := float64(20 + i%2*10)
				time.Sleep(25 * time.Millisecond) // past the spacing of updates, and of looks
				began := time.Now()
				act(percent)
				seen(percent)
				took = append(took, time.Since(began))
			}
			slices.Sort(took)
			t.Logf("%-8s effect to observed event: p50 %v, p99 %v", name, took[len(took)/2], took[len(took)*99/100])
		}
		measure("midimon", func(percent float64) { _ = s.do(effect.VolumeControl{Operation: set, Device: "one"}, percent, 0) })
		measure("pactl", func(percent float64) { s.Output("pactl", "set-sink-volume", "one", fmt.Sprintf("%v%%", percent)) })
	})
}
