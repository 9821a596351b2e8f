package service_test

import (
	"context"
	"testing"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// checker is a backend that finds fault when it is told to.
type checker struct {
	programs chan *engine.Program
	faults   chan []report.Check
}

func (*checker) Name() string                    { return "dbus" }
func (*checker) Open(context.Context) error      { return nil }
func (*checker) Await(ctx context.Context) error { return ctx.Err() }
func (*checker) Do(*effect.Effect) error         { return nil }
func (*checker) Close() error                    { return nil }
func (*checker) Performs(effect.Action) bool     { return true }
func (c *checker) Check(ctx context.Context, p *engine.Program, tell func([]report.Check)) {
	c.programs <- p
	for {
		select {
		case <-ctx.Done():
			return
		case rows := <-c.faults:
			tell(rows)
		}
	}
}

func TestProgramsAreChecked(t *testing.T) {
	c := &checker{programs: make(chan *engine.Program, 10), faults: make(chan []report.Check)}
	s := prepare(t, func(s *stage) { s.options.Backends = append(s.options.Backends, c) }).run()
	has := func(name string, want bool) {
		t.Helper()
		s.await("row "+name, func(st *report.Status) bool {
			for _, row := range st.Health {
				if row.Name == name {
					return want
				}
			}
			return !want
		})
	}
	first := <-c.programs
	c.faults <- []report.Check{{Name: "call:a", Status: report.Warning, Message: "a"}, {Name: "call:b", Status: report.Warning, Message: "b"}}
	has("call:a", true)
	has("call:b", true)
	c.faults <- []report.Check{{Name: "call:b", Status: report.Warning, Message: "b"}}
	has("call:a", false)
	has("call:b", true)
	if _, err := s.Reload(t.Context(), "call"); err != nil {
		t.Fatal(err)
	}
	if second := <-c.programs; second == first {
		t.Error("the old program is checked again")
	}
	has("call:b", false)
}
