package service_test

import (
	"context"
	"errors"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service"
)

// sensor runs what it is told and counts the looks.
type sensor struct {
	daemon chan *service.Daemon
	looks  chan struct{}
}

func (s sensor) Run(ctx context.Context, d *service.Daemon) {
	s.daemon <- d
	<-ctx.Done()
}

func (s sensor) Again() {
	select {
	case s.looks <- struct{}{}:
	default:
	}
}

func TestSessionClosesTheGates(t *testing.T) {
	eye := sensor{make(chan *service.Daemon, 1), make(chan struct{}, 8)}
	present := make(chan bool, 64)
	s := prepare(t, func(s *stage) {
		s.options.Sensors = []service.Sensor{eye}
		s.options.SetPresent = func(is bool) { present <- is }
	}).run()
	s.await("running", running)
	ctx, id := t.Context(), <-s.pad.id
	if d := <-eye.daemon; d != s.Daemon {
		t.Error("another daemon")
	}
	<-eye.looks // a controller came

	open := report.Session{Known: true, Present: true, Active: true}
	must(t, s.SetSession(ctx, open))
	s.press(id) // it is held
	away := open
	away.Active = false
	must(t, s.SetSession(ctx, away))
	if k := <-s.keys.did; k != effect.KeyUp {
		t.Errorf("%v, want the release", k)
	}
	for len(present) > 0 {
		if !<-present {
			t.Error("who is not in front is there all the same")
		}
	}
	must(t, s.SetSession(ctx, report.Session{Known: true}))
	if is := <-present; is {
		t.Error("who has no session is there")
	}
	if err := s.Trigger(ctx, "held"); !errors.Is(err, report.ErrPaused) {
		t.Errorf("without a session: %v", err)
	}
	must(t, s.SetSession(ctx, open))
	if is := <-present; !is {
		t.Error("who has a session is not there")
	}
	for name, is := range map[string]report.Session{
		"another user in front": away,
		"locked":                {Known: true, Present: true, Active: true, Locked: true},
	} {
		must(t, s.SetSession(ctx, is))
		if err := s.Trigger(ctx, "held"); !errors.Is(err, report.ErrPaused) {
			t.Errorf("%s: %v", name, err)
		}
		must(t, s.SetSession(ctx, open))
	}
	// After a sleep the ports are opened anew.
	must(t, s.SetSession(ctx, report.Session{Known: true, Present: true, Active: true, Asleep: true}))
	if err := s.Trigger(ctx, "held"); !errors.Is(err, report.ErrPaused) {
		t.Errorf("asleep: %v", err)
	}
	must(t, s.SetSession(ctx, open))
	s.press(<-s.pad.id)

	must(t, s.SetSession(ctx, report.Session{Present: true, Active: true}))
	s.await("a word that nobody knows", func(st *report.Status) bool {
		return len(st.Health) == 1 && st.Health[0].Name == "session" && st.Health[0].Status == report.Warning
	})
}

// sticky is a keyboard whose keys come up slowly.
type sticky struct {
	*keys
	down atomic.Int32
	gate chan struct{} // closed: they come up
}

func (k *sticky) Do(x *effect.Effect) error {
	k.did <- x.Kind
	if x.Kind == effect.KeyDown {
		k.down.Add(1)
		return nil
	}
	<-k.gate
	k.down.Add(-1)
	return nil
}

// asleep is a stage on which a key is held that comes up slowly while the machine is about to sleep; slept
// tells that it may.
func asleep(t *testing.T, within time.Duration) (board *sticky, slept chan error) {
	t.Helper()
	board = &sticky{gate: make(chan struct{})}
	s := prepare(t, func(s *stage) {
		s.keys.did = make(chan effect.Kind, 1<<16)
		board.keys = s.keys
		s.options.Backends = []service.Backend{board}
		s.options.Sensors = []service.Sensor{sensor{make(chan *service.Daemon, 1), make(chan struct{}, 8)}}
	})
	s.SettleWithin(within)
	s.run()
	s.await("running", running)
	s.press(<-s.pad.id)
	slept = make(chan error, 1)
	go func() {
		slept <- s.SetSession(t.Context(), report.Session{Known: true, Present: true, Active: true, Asleep: true})
	}()
	for <-board.did != effect.KeyUp { // a slow machine plays more than once
	}
	return board, slept
}

func TestSleepComesAfterTheRelease(t *testing.T) {
	board, slept := asleep(t, limit)
	select {
	case err := <-slept:
		close(board.gate)
		t.Fatalf("the machine sleeps before the release is done: %v", err)
	default:
	}
	close(board.gate)
	must(t, <-slept)
	if n := board.down.Load(); n != 0 {
		t.Errorf("the machine sleeps while %d keys are down", n)
	}
}

func TestSleepDoesNotWaitForEver(t *testing.T) {
	board, slept := asleep(t, time.Millisecond)
	must(t, <-slept)
	if board.down.Load() == 0 {
		t.Error("nothing hung")
	}
	close(board.gate)
}

func TestSleepThatDoesNotWaitIsAWarning(t *testing.T) {
	eye := sensor{make(chan *service.Daemon, 1), make(chan struct{}, 8)}
	s := prepare(t, func(s *stage) { s.options.Sensors = []service.Sensor{eye} }).run()
	s.await("running", running)
	is := report.Session{Known: true, Present: true, Active: true, Undelayed: "logind refuses: denied"}
	must(t, s.SetSession(t.Context(), is))
	s.await("the warning", func(st *report.Status) bool {
		return st.State == report.Running && len(st.Health) == 1 && st.Health[0].Name == "sleep" && st.Health[0].Status == report.Warning &&
			strings.HasSuffix(st.Health[0].Message, "logind refuses: denied") && st.Health[0].Fix != ""
	})
	is.Undelayed, is.Delayed = "", true
	must(t, s.SetSession(t.Context(), is))
	s.await("no warning", func(st *report.Status) bool { return len(st.Health) == 0 })
}

// TestALockThatNobodyConfirmsIsAWarning: who sits before a screen that is not locked sees why little acts.
func TestALockThatNobodyConfirmsIsAWarning(t *testing.T) {
	eye := sensor{make(chan *service.Daemon, 1), make(chan struct{}, 8)}
	s := prepare(t, func(s *stage) { s.options.Sensors = []service.Sensor{eye} }).run()
	s.await("running", running)
	is := report.Session{Known: true, Present: true, Active: true, Locked: true}
	must(t, s.SetSession(t.Context(), is))
	assumed := is
	assumed.Assumed, assumed.Fix = true, "unlock it"
	must(t, s.SetSession(t.Context(), assumed))
	s.await("the warning", func(st *report.Status) bool {
		return st.State == report.Running && len(st.Health) == 1 && st.Health[0].Name == "session" && st.Health[0].Status == report.Warning &&
			strings.HasPrefix(st.Health[0].Message, "the screen is taken to be locked") && st.Health[0].Fix == "unlock it"
	})
	must(t, s.SetSession(t.Context(), is))
	s.await("no warning", func(st *report.Status) bool { return len(st.Health) == 0 })
}
