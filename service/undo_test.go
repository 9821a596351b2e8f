package service_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"sync"
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
	if again := s.accept(another); !slices.Equal(again.Diff.Changes, want) || again.Generation <= r.Generation {
		t.Errorf("%+v", again)
	}
	was := s.Status().Generation
	_, drain, cancel := s.Subscribe()
	defer cancel()
	if err := s.Revert(t.Context()); err != nil {
		t.Fatal(err)
	}
	st := s.Status()
	if !s.has("two") || s.has("new") || st.Generation != was+1 || st.ConfigStatus != "kept-previous" || st.LastReload.Trigger != "revert" ||
		len(st.Problems()) != 0 || len(st.Health) != 1 || !strings.Contains(st.Health[0].Message, s.options.Config) {
		t.Errorf("%+v", st)
	}
	events, _ := drain()
	if len(events) != 1 || events[0].Kind != report.ReloadFinished || events[0].Reload.Trigger != "revert" || events[0].Reload.Generation != was+1 {
		t.Errorf("%+v", events)
	}
	if err := s.Revert(t.Context()); !errors.Is(err, report.ErrNotSupported) {
		t.Errorf("went back twice: %v", err)
	}
	// The file is accepted once more when somebody asks, and can be gone back from again.
	if r = s.accept(another); !s.has("new") || r.Generation != was+2 || len(s.Status().Health) != 0 {
		t.Errorf("%+v, %+v", r, s.Status())
	}
	if err := s.Revert(t.Context()); err != nil || !s.has("two") {
		t.Error(err)
	}
}

func TestArmedRevert(t *testing.T) {
	s := prepare(t, nil).run()
	s.await("running", running)
	is := s.accept(another).Generation

	armed, err := s.ArmRevert(t.Context(), time.Hour)
	if err != nil || armed != is || s.Status().Armed != is {
		t.Fatalf("%d, %v, %+v", armed, err, s.Status())
	}
	for _, wrong := range []uint64{0, is - 1, is + 1} {
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
	is = s.accept(another + "# newer\n").Generation
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
	if st := s.Status(); st.Armed != 0 || st.Generation != is+1 || !s.has("new") {
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
	if p.Read <= 0 || p.Parse <= 0 || p.Compile <= 0 || p.Swap <= 0 || sum > r.Took || r.Grade != report.Grade(r.Took) {
		t.Errorf("%+v", r)
	}
	s.write("modes = 1")
	_, _ = s.Reload(t.Context(), "call")
	again := s.accept(configuration)
	// The change is seen by itself too, and may be read before it is asked for.
	if got := s.Status().Reloads; got.Accepted < 2 || got.Failed < 1 || got.Last != again.Took || got.Fastest > got.Last || got.Last > got.Slowest || got.Total < r.Took+again.Took {
		t.Errorf("%+v after %v and %v", got, r.Took, again.Took)
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

// TestTextsAreReadBesideTheNotes has whatever reads a configuration do it beside the notes.
func TestTextsAreReadBesideTheNotes(t *testing.T) {
	var mu sync.Mutex
	beside := 0
	s := prepare(t, func(s *stage) {
		s.options.State = "" // which is written beside them too
		s.options.Beside = func(work func()) {
			mu.Lock()
			defer mu.Unlock()
			beside++
			work()
		}
		s.options.Free = func() { beside-- } // comes whenever nobody has asked for a second
	}).run()
	s.await("running", running)
	count := func() (n int) {
		mu.Lock()
		defer mu.Unlock()
		n, beside = beside, 0
		return n
	}
	count()
	if _, err := s.Reload(t.Context(), "call"); err != nil || count() < 1 {
		t.Errorf("not beside to reload (%v)", err)
	}
	if err := os.WriteFile(s.options.Config, []byte(configuration+"# another"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.await("the change", func(s *report.Status) bool { return s.LastReload.Trigger == "file" })
	if count() < 1 {
		t.Error("not beside to follow a change")
	}
	if _, _, err := s.Validate(t.Context(), configuration); err != nil || count() != 1 {
		t.Errorf("not beside to validate (%v)", err)
	}
}

// told is a notifier that keeps what it is told.
type told struct {
	mu      sync.Mutex
	reloads []report.Reload
}

func (n *told) ReloadFailed(r report.Reload) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.reloads = append(n.reloads, r)
}

// take is how many there were since it was called last, all of them failed and with a reason.
func (n *told) take(t *testing.T) int {
	t.Helper()
	n.mu.Lock()
	defer n.mu.Unlock()
	defer func() { n.reloads = nil }()
	for _, r := range n.reloads {
		if r.OK || r.Err == "" || len(r.Diagnostics) == 0 {
			t.Errorf("%+v", r)
		}
	}
	return len(n.reloads)
}

// TestNotifier: people are told of reloads that failed, and of no other.
func TestNotifier(t *testing.T) {
	n := &told{}
	s := prepare(t, func(s *stage) { s.options.Notifier = n }).run()
	s.await("running", running)
	s.accept(another)
	if got := n.take(t); got != 0 {
		t.Errorf("%d times told of what went well", got)
	}
	s.write("modes = 1")
	if _, err := s.Reload(t.Context(), "call"); !errors.Is(err, report.ErrConfigInvalid) {
		t.Error(err)
	}
	// The change is seen by itself too, and may have been read before it was asked for.
	if got := n.take(t); got < 1 {
		t.Error("nobody is told")
	}
	s.accept(configuration)
	if _, err := s.Reload(t.Context(), "call"); err != nil {
		t.Error(err)
	}
	if err := s.Revert(t.Context()); err != nil {
		t.Error(err)
	}
	if got := n.take(t); got != 0 {
		t.Errorf("%d times told of what went well", got)
	}
}
