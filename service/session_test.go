package service_test

import (
	"context"
	"errors"
	"testing"

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
