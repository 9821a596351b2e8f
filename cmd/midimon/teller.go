package main

import (
	"context"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"gitlab.com/gomidi/midi/v2"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/loop"
)

// teller tells a dry run to people: what was played, what midimon made of it, what it would
// do, and how long after the message, or after the instant at which it was due, that was.
type teller struct {
	program *engine.Program
	now     func() time.Duration

	mu      sync.Mutex // the player and the loop's sink both write
	out     io.Writer
	dropped int
}

func (t *teller) say(format string, args ...any) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_, _ = fmt.Fprintf(t.out, format, args...)
}

func (t *teller) begin() {
	t.say("The starter configuration, played by a controller that is not there. Nothing is pressed.\n\n"+
		"%6s  played\n        %-12s %-13s %-28s %10s\n\n", "s", "recognised", "mapping", "what it does", "after")
}

func (t *teller) played(m moment) {
	if m.said != "" {
		t.say("%6.2f  %s (%s)\n", m.at.Seconds(), m.said, spell(&m.message))
	}
}

// spell is a message in words. C4 is note 60.
func spell(m *engine.Message) string {
	if m.Kind == engine.ControlChange {
		name := midi.ControlChangeName[m.Number]
		return strings.TrimSpace(fmt.Sprintf("controller %d %s", m.Number, name)) + fmt.Sprintf(", value %d", m.Value)
	}
	note := fmt.Sprintf("note %d %s%d", m.Number, midi.Note(m.Number).Name(), int(m.Number)/12-1)
	if m.Kind == engine.NoteOff {
		return note + " ends"
	}
	return fmt.Sprintf("%s, velocity %d", note, m.Value)
}

func (t *teller) end(modes *loop.Modes, s *report.Stats) {
	t.say("\n%d messages, %d actions, %d failed. Half were handed on within %d µs of their arrival, 99 %% within %d µs.\n"+
		"Mode %s, of %s. %d mappings.\n",
		s.Received, s.Performed, s.Failed, s.P50.Microseconds(), s.P99.Microseconds(), modes.Mode, strings.Join(modes.All, ", "), len(t.program.Mappings))
	if t.dropped > 0 {
		t.say("%d lines were lost: the terminal was too slow.\n", t.dropped)
	}
}

// Do tells of an action, or of the end of one that was held.
func (t *teller) Do(x *effect.Effect) error {
	after := t.now() - x.At
	name := ""
	if x.Origin != nil {
		name = x.Origin.ID
	}
	switch {
	case x.Kind == effect.Act && x.Step > 0:
		t.tell(fmt.Sprintf("step %d", x.Step), name, does(x), after)
	case x.Kind == effect.Act:
		what := does(x)
		if x.Hit != effect.NoHit {
			what += ", " + x.Hit.String() + " hit"
		}
		t.tell(t.recognised(x.Origin), name, what, after)
	case x.Kind == effect.KeyUp && x.Cause != effect.None:
		t.tell("release", name, "lets go of "+held(x.Action), after)
	}
	return nil
}

func (t *teller) tell(recognised, name, does string, after time.Duration) {
	t.say("        %-12s %-13s %-28s %7d µs\n", recognised, name, does, after.Microseconds())
}

func (t *teller) recognised(o *effect.Origin) string {
	for i := range t.program.Mappings {
		if m := &t.program.Mappings[i]; &m.Origin == o {
			return m.Trigger.Type.String()
		}
	}
	return ""
}

// The rest of loop.Recorder and loop.Observer: nothing to open, and nothing else to tell.

func (*teller) Name() string                    { return "demo" }
func (*teller) Open(context.Context) error      { return nil }
func (*teller) Await(ctx context.Context) error { return ctx.Err() }
func (*teller) Close() error                    { return nil }
func (*teller) Changed()                        {}
func (*teller) Backend(string, error)           {}

func (t *teller) Event(e report.Event) {
	if e.Kind == report.ActionFailed {
		t.say("        failed: %s: %s %s\n", e.Mapping, e.Error, e.Detail)
	}
}

// Dropped counts what the terminal was too slow for.
func (t *teller) Dropped() { t.dropped++ }
