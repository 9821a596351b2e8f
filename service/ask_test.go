package service_test

import (
	"errors"
	"os"
	"slices"
	"testing"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

const asked = `
[[modes]]
name = "One"
[[modes]]
name = "Two"
[[modes]]
name = "Three"
apps = ["gimp"]
[[global_mappings]]
name = "on"
trigger = { type = "Note", note = 1 }
action = { type = "Emit", name = "on" }
[[global_mappings]]
name = "off"
enabled = false
trigger = { type = "Note", note = 2 }
action = { type = "Emit", name = "off", value = "text" }
[[global_mappings]]
name = "toggle"
trigger = { type = "Note", note = 3 }
action = { type = "Toggle", state = "lamp", on = { type = "Emit", name = "lamp", value = 1 } }
[[global_mappings]]
name = "seldom"
max_rate = 1
trigger = { type = "Note", note = 4 }
action = { type = "Shell", command = "true" }
[[global_mappings]]
name = "world"
when = { type = "And", conditions = [ { type = "AppRunning", app = "OBS" }, { type = "Locked" } ] }
when_locked = true
trigger = { type = "Note", note = 5 }
action = { type = "Emit", name = "world", value = 1 }
`

// ask makes a daemon with that configuration.
func ask(t *testing.T) *stage {
	t.Helper()
	s := prepare(t, func(s *stage) {
		if err := os.WriteFile(s.options.Config, []byte(asked), 0o600); err != nil {
			t.Fatal(err)
		}
	}).run()
	s.await("running", running)
	return s
}

func (s *stage) mode(want string) {
	s.t.Helper()
	if got := s.Status().Mode; got != want {
		s.t.Errorf("mode %s acts, want %s", got, want)
	}
}

// must is for what cannot fail.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Error(err)
	}
}

func TestModesAreHeldAndCycled(t *testing.T) {
	s, ctx := ask(t), t.Context()
	first, err := s.HoldMode(ctx, "me", "Two", "", "")
	must(t, err)
	s.mode("Two")
	second, err := s.HoldMode(ctx, "me", "Three", "", "")
	must(t, err)
	s.mode("Three")
	if first == second || first == 0 {
		t.Errorf("cookies %d and %d", first, second)
	}
	must(t, s.ReleaseMode(ctx, "me", first))
	s.mode("Three")
	if err := s.ReleaseMode(ctx, "me", first); !errors.Is(err, report.ErrUnknownCookie) {
		t.Error(err)
	}
	must(t, s.ReleaseMode(ctx, "me", second))
	s.mode("One")
	if _, err := s.HoldMode(ctx, "me", "None", "", ""); !errors.Is(err, report.ErrUnknownMode) {
		t.Error(err)
	}
	for _, want := range []string{"Two", "Three", "One"} {
		mode, err := s.CycleMode(ctx, 1)
		if err != nil || mode != want {
			t.Errorf("%s, %v", mode, err)
		}
		s.mode(want)
	}
	if mode, err := s.CycleMode(ctx, -4); err != nil || mode != "Three" {
		t.Errorf("%s, %v", mode, err)
	}
	must(t, s.SetMode(ctx, "One"))
	must(t, s.SetFocus(ctx, "Gimp", true))
	s.mode("Three")
	must(t, s.SetFocus(ctx, "", false))
	s.mode("One")
}

func TestMappingsAreTriggered(t *testing.T) {
	s, ctx := ask(t), t.Context()
	_, drain, cancel := s.Subscribe()
	defer cancel()
	emitted := func(want ...report.Event) {
		t.Helper()
		must(t, s.SetFocus(ctx, "", false)) // what was posted before is there
		events, _ := drain()
		events = slices.DeleteFunc(events, func(e report.Event) bool { return e.Kind != report.Emitted })
		if !slices.Equal(events, want) {
			t.Errorf("emitted %+v, want %+v", events, want)
		}
	}
	must(t, s.Trigger(ctx, "on"))
	emitted(report.Event{Kind: report.Emitted, Mapping: "on", Mode: "One", Name: "on", Number: 1})

	if err := s.Trigger(ctx, "off"); !errors.Is(err, report.ErrMappingDisabled) {
		t.Error(err)
	}
	must(t, s.SetEnabled(ctx, "off", true))
	must(t, s.Trigger(ctx, "off"))
	emitted(report.Event{Kind: report.Emitted, Mapping: "off", Mode: "One", Name: "off", Text: "text"})
	must(t, s.SetEnabled(ctx, "on", false))
	if err := s.Trigger(ctx, "on"); !errors.Is(err, report.ErrMappingDisabled) {
		t.Error(err)
	}
	for _, err := range []error{s.Trigger(ctx, "none"), s.SetEnabled(ctx, "none", true)} {
		if !errors.Is(err, report.ErrUnknownMapping) {
			t.Error(err)
		}
	}
	if _, err := s.Reload(ctx, "call"); err != nil { // which forgets what was switched
		t.Fatal(err)
	}
	must(t, s.Trigger(ctx, "on"))
	emitted(report.Event{Kind: report.Emitted, Mapping: "on", Mode: "One", Name: "on", Number: 1})

	var refused error
	for range 2 { // it is for once a second
		refused = errors.Join(refused, s.Trigger(ctx, "seldom"))
	}
	if !errors.Is(refused, report.ErrBusy) || errors.Is(refused, report.ErrPaused) {
		t.Error(refused)
	}
	must(t, s.Pause(ctx, true))
	if err := s.Trigger(ctx, "on"); !errors.Is(err, report.ErrPaused) {
		t.Error(err)
	}
	must(t, s.Pause(ctx, false))
	must(t, s.SetLocked(ctx, true))
	if err := s.Trigger(ctx, "on"); !errors.Is(err, report.ErrPaused) {
		t.Error(err)
	}
	emitted()
}

func TestDaemonTellsWhatItDid(t *testing.T) {
	s, ctx := ask(t), t.Context()
	id := <-s.pad.id
	must(t, s.Trigger(ctx, "toggle"))
	if on, err := s.Toggles(ctx); err != nil || len(on) != 1 || !on["lamp"] {
		t.Errorf("%v, %v", on, err)
	}
	must(t, s.SetRunning(ctx, []string{"Obs"}))
	must(t, s.SetLocked(ctx, true))
	for _, note := range []uint8{5, 9, 1} {
		s.pad.deliver(engine.Input{At: s.options.Clock(), Port: id, Message: engine.Message{Kind: engine.NoteOn, Number: note, Value: 1}})
	}
	why, err := s.Why(ctx, 3)
	if err != nil || len(why) != 3 {
		t.Fatalf("%+v, %v", why, err)
	}
	for i, want := range [][3]string{{"fired", "world", ""}, {"no-mapping", "", ""}, {"refused", "on", "locked"}} {
		if d := why[i]; [3]string{d.Outcome, d.Mapping, d.Reason} != want || d.Handed < d.Taken || d.Handed == 0 {
			t.Errorf("%+v, want %v", d, want)
		}
	}
	stats, err := s.Stats(ctx)
	if err != nil || stats.Received != 3 || stats.Performed != 3 || stats.Refused != 1 || stats.P99 == 0 {
		t.Errorf("%+v, %v", stats, err)
	}
	if _, err := s.end(); err != nil {
		t.Error(err)
	}
	if _, err := s.Why(ctx, 1); !errors.Is(err, report.ErrStopping) {
		t.Error(err)
	}
}
