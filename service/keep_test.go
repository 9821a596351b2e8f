package service_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/state"
)

// TestStateThatIsNotOurs is neither believed nor written over, and somebody is told.
func TestStateThatIsNotOurs(t *testing.T) {
	real := filepath.Join(t.TempDir(), "real")
	if err := state.Save(real, state.State{BaseMode: "Two"}); err != nil {
		t.Fatal(err)
	}
	before, err := os.ReadFile(real)
	if err != nil {
		t.Fatal(err)
	}
	s := prepare(t, func(s *stage) {
		if err := os.Symlink(real, s.options.State); err != nil {
			t.Fatal(err)
		}
	}).run()
	s.await("running", running)
	rows := s.Status().Health
	if i := slices.IndexFunc(rows, func(c report.Check) bool { return c.Name == "state" }); i < 0 || rows[i].Status != report.Warning ||
		!strings.Contains(rows[i].Fix, s.options.State) || s.Status().Mode != "One" {
		t.Errorf("%+v", s.Status())
	}
	if err := s.SetMode(t.Context(), "Two"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.end(); err != nil {
		t.Error(err)
	}
	if after, err := os.ReadFile(real); err != nil || string(after) != string(before) {
		t.Errorf("%s, %v", after, err)
	}
	if to, err := os.Readlink(s.options.State); err != nil || to != real {
		t.Error(to, err)
	}
}

// TestStateThatCannotBeWritten is a warning as long as that is so.
func TestStateThatCannotBeWritten(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "later")
	s := prepare(t, func(s *stage) { s.options.State = filepath.Join(dir, "state.json") }).run()
	s.await("running", running)
	told := func(st *report.Status) bool {
		return slices.ContainsFunc(st.Health, func(c report.Check) bool { return c.Name == "state" })
	}
	if err := os.WriteFile(dir, nil, 0o600); err != nil { // where the folder should be
		t.Fatal(err)
	}
	if err := s.SetMode(t.Context(), "Two"); err != nil {
		t.Fatal(err)
	}
	s.await("the warning", told)
	if err := os.Remove(dir); err != nil {
		t.Fatal(err)
	}
	if err := s.SetMode(t.Context(), "One"); err != nil {
		t.Fatal(err)
	}
	s.await("no warning", func(st *report.Status) bool { return !told(st) })
}
