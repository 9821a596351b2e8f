package health_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/health"
)

func TestRows(t *testing.T) {
	var r health.Rows
	for _, c := range []report.Check{
		{Name: "b", Status: report.Warning},
		{Name: "z", Status: report.Failed},
		{Name: "a", Status: report.Warning},
		{Name: "y", Status: report.Failed},
		{Name: "gone", Status: report.Failed},
		{Name: "gone", Status: report.OK},
	} {
		r.Set(c)
	}
	list := r.List()
	wants := func(want string) {
		t.Helper()
		names := ""
		for _, c := range r.List() {
			names += c.Name
		}
		if names != want {
			t.Errorf("%s, want %s", names, want)
		}
	}
	wants("yzab")
	r.Set(report.Check{Name: "a", Status: report.Warning})
	r.Drop("gone")
	if &r.List()[0] != &list[0] {
		t.Error("nothing changed, and the list is made anew")
	}
	r.Drop("z")
	wants("yab")
	r.Set(report.Check{Name: "a", Status: report.Failed})
	wants("ayb")
	if list[1].Name != "z" || list[2].Status != report.Warning {
		t.Error("a list that was given out changed")
	}
}

func TestStateIsTheFirstThatApplies(t *testing.T) {
	failed := []report.Check{{Status: report.Warning}, {Status: report.Failed}}
	for _, c := range []struct {
		phase health.Phase
		rows  []report.Check
		want  report.State
	}{
		{health.Phase{Stopping: true, Starting: true, Reloading: true, Paused: true}, failed, report.Stopping},
		{health.Phase{Starting: true, Reloading: true, Paused: true}, failed, report.Starting},
		{health.Phase{Reloading: true, Paused: true}, failed, report.Reloading},
		{health.Phase{Paused: true}, failed, report.Paused},
		{health.Phase{}, failed, report.Degraded},
		{health.Phase{}, failed[:1], report.Running},
		{health.Phase{}, nil, report.Running},
	} {
		if got := health.State(c.phase, c.rows); got != c.want {
			t.Errorf("%+v: %s, want %s", c.phase, got, c.want)
		}
	}
}

func TestOf(t *testing.T) {
	if c := health.Of("x", nil); c != (report.Check{Name: "x", Status: report.OK}) {
		t.Errorf("%+v", c)
	}
	if c := health.Of("x", errors.New("why")); c != (report.Check{Name: "x", Status: report.Failed, Message: "why", Fix: "midimonctl logs"}) {
		t.Errorf("%+v", c)
	}
	fault := fmt.Errorf("open: %w", &report.Fault{Check: "alsa", Fix: "do", Err: errors.New("why")})
	if c := health.Of("x", fault); c != (report.Check{Name: "alsa", Status: report.Failed, Message: "open: why", Fix: "do"}) {
		t.Errorf("%+v", c)
	}
}
