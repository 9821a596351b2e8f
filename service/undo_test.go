package service_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
)

// write makes text the configuration.
func (s *stage) write(text string) {
	s.t.Helper()
	if err := os.WriteFile(s.options.Config, []byte(text), 0o600); err != nil {
		s.t.Fatal(err)
	}
}

// accept makes text the configuration that acts.
func (s *stage) accept(text string) report.Reload {
	s.t.Helper()
	s.write(text)
	r, err := s.Reload(s.t.Context(), "call")
	if err != nil {
		s.t.Fatal(err)
	}
	return r
}

// mappings are the ids of what acts: a mapping that is not there cannot be switched.
func (s *stage) has(id string) bool {
	s.t.Helper()
	err := s.SetEnabled(s.t.Context(), id, true)
	if err != nil && !errors.Is(err, report.ErrUnknownMapping) {
		s.t.Fatal(err)
	}
	return err == nil
}

const another = `
[[modes]]
name = "One"
[[global_mappings]]
name = "held"
trigger = { type = "Note", note = 3 }
action = { type = "Keystroke", keys = "a", hold = true }
[[global_mappings]]
name = "new"
description = "says hello"
trigger = { type = "CC", cc = 2 }
action = { type = "Emit", name = "x" }
`

func TestRevert(t *testing.T) {
	s := prepare(t, nil).run()
	s.await("running", running)
	if err := s.Revert(t.Context()); !errors.Is(err, report.ErrNotSupported) {
		t.Errorf("nothing to go back to: %v", err)
	}
	if _, err := s.ArmRevert(t.Context(), time.Hour); !errors.Is(err, report.ErrNotSupported) {
		t.Errorf("nothing to go back to: %v", err)
	}
	r := s.accept(another)
	want := []report.Change{
		{Kind: report.Changed, ID: "held", Trigger: "Note", Action: "Keystroke"},
		{Kind: report.Removed, ID: "two", Trigger: "Note", Action: "ModeChange"},
		{Kind: report.Added, ID: "new", Label: "says hello", Trigger: "CC", Action: "Emit"},
	}
	if !slices.Equal(r.Diff.Changes, want) || !slices.Equal(r.Diff.Other, []string{"modes"}) || r.Diff.More != 0 {
		t.Errorf("%+v", r.Diff)
	}
	// Read once more, as after a reload nobody asked for: it is still compared with the first.
	if r = s.accept(another); !slices.Equal(r.Diff.Changes, want) || r.Generation != 3 {
		t.Errorf("%+v", r)
	}
	_, drain, cancel := s.Subscribe()
	defer cancel()
	if err := s.Revert(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := s.Status()
	if !s.has("two") || s.has("new") || st.Generation != 4 || st.ConfigStatus != "kept-previous" || st.LastReload.Trigger != "revert" ||
		len(st.Problems()) != 0 || len(st.Health) != 1 || !strings.Contains(st.Health[0].Message, s.options.Config) {
		t.Errorf("%+v", st)
	}
	events, _ := drain()
	if len(events) != 1 || events[0].Kind != report.ReloadFinished || events[0].Reload.Trigger != "revert" || events[0].Reload.Generation != 4 {
		t.Errorf("%+v", events)
	}
	if err := s.Revert(t.Context()); !errors.Is(err, report.ErrNotSupported) {
		t.Errorf("went back twice: %v", err)
	}
	// The file is accepted once more when somebody asks, and can be gone back from again.
	if r = s.accept(another); !s.has("new") || r.Generation != 5 || len(s.Status().Health) != 0 {
		t.Errorf("%+v, %+v", r, s.Status())
	}
	if err := s.Revert(t.Context()); err != nil || !s.has("two") {
		t.Error(err)
	}
}

func TestArmedRevert(t *testing.T) {
	s := prepare(t, nil).run()
	s.await("running", running)
	s.accept(another)

	armed, err := s.ArmRevert(t.Context(), time.Hour)
	if err != nil || armed != 2 || s.Status().Armed != 2 {
		t.Fatalf("%d, %v, %+v", armed, err, s.Status())
	}
	for _, wrong := range []uint64{0, 1, 3} {
		if err := s.Keep(t.Context(), wrong); !errors.Is(err, report.ErrUnknownCookie) {
			t.Errorf("kept %d: %v", wrong, err)
		}
	}
	if err := s.Keep(t.Context(), armed); err != nil || s.Status().Armed != 0 {
		t.Errorf("%v, %+v", err, s.Status())
	}
	if err := s.Keep(t.Context(), armed); !errors.Is(err, report.ErrUnknownCookie) {
		t.Errorf("kept twice: %v", err)
	}

	// A bad file leaves it armed, a newer good one ends it.
	if armed, err = s.ArmRevert(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	s.write("modes = 1")
	if _, err := s.Reload(t.Context(), "call"); !errors.Is(err, report.ErrConfigInvalid) || s.Status().Armed != armed {
		t.Errorf("%v, %+v", err, s.Status())
	}
	s.accept(another + "# newer\n")
	if err := s.Keep(t.Context(), armed); !errors.Is(err, report.ErrUnknownCookie) || s.Status().Armed != 0 {
		t.Errorf("a newer one came: %v", err)
	}

	// Nobody keeps it.
	if _, err := s.ArmRevert(t.Context(), time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ArmRevert(t.Context(), time.Millisecond); err != nil { // instead
		t.Fatal(err)
	}
	s.await("the one before", func(st *report.Status) bool { return st.LastReload.Trigger == "revert" })
	if st := s.Status(); st.Armed != 0 || st.Generation != 4 || !s.has("new") {
		t.Errorf("%+v", st)
	}
}

func TestReloadIsMeasured(t *testing.T) {
	s := prepare(t, nil).run()
	s.await("running", running)
	if r := s.Status().Reloads; r != (report.Reloads{}) {
		t.Errorf("the start counts: %+v", r)
	}
	r := s.accept(another)
	p := r.Phases
	sum := p.Detect + p.Read + p.Parse + p.Compile + p.Swap
	if p.Detect != 0 || p.Read <= 0 || p.Parse <= 0 || p.Compile <= 0 || p.Swap <= 0 || sum > r.Took || r.Grade != report.Grade(r.Took) {
		t.Errorf("%+v", r)
	}
	s.write("modes = 1")
	_, _ = s.Reload(t.Context(), "call")
	again := s.accept(configuration)
	if got, want := s.Status().Reloads, (report.Reloads{
		Accepted: 2, Failed: 1, Last: again.Took, Fastest: min(r.Took, again.Took), Slowest: max(r.Took, again.Took), Total: r.Took + again.Took,
	}); got != want || got.Average() != want.Total/2 {
		t.Errorf("%+v, want %+v", got, want)
	}
}

func TestValidate(t *testing.T) {
	s := prepare(t, nil)
	for text, want := range map[string]string{
		configuration:                    "",
		"typo = 1":                       "warning: unknown-key",
		"modes = 1":                      "error: wrong-type",
		"#" + strings.Repeat("x", 1<<20): "error: too-large",
	} {
		ok, found, err := s.Validate(t.Context(), text)
		got := ""
		if len(found) > 0 {
			got = found[0].Severity + ": " + found[0].Code
		}
		if err != nil || got != want || ok == strings.HasPrefix(want, "error") {
			t.Errorf("%.20q: %v, %q, %v; want %q", text, ok, got, err, want)
		}
	}
	if s.Status().Generation != 0 {
		t.Error("it was made the configuration")
	}
}
