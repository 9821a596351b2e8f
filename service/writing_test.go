package service_test

import (
	"os"
	"slices"
	"sync/atomic"
	"testing"

	"github.com/amiable-dev/midimon/engine/report"
)

// TestSomebodyWrites: who writes the configuration is waited for, which is shown, and then it
// is read, whole.
func TestSomebodyWrites(t *testing.T) {
	var writing atomic.Bool
	s := prepare(t, func(s *stage) {
		s.options.Guard = func(*os.File) (bool, bool) { return !writing.Load(), writing.Load() }
	}).run()
	s.await("running", running)
	writing.Store(true)
	s.write(another)
	done := make(chan error, 1)
	go func() {
		_, err := s.Reload(t.Context(), "call")
		done <- err
	}()
	s.await("that it waits", func(st *report.Status) bool { return st.State == report.Reloading })
	if err := <-done; err == nil || s.Status().ConfigStatus != "kept-previous" || s.Status().Generation != 1 {
		t.Errorf("%v, %+v", err, s.Status())
	}
	told := func(st *report.Status) bool {
		return slices.ContainsFunc(st.Health, func(c report.Check) bool { return c.Name == "config-written" })
	}
	s.await("who writes", told)
	writing.Store(false)
	s.await("the new one", func(st *report.Status) bool {
		return st.ConfigStatus == "ok" && st.Generation == 2 && st.State == report.Running && !told(st)
	})
	if r := s.Status().LastReload; r.Trigger != "file" || r.Phases.Detect <= 0 || !s.has("new") {
		t.Errorf("%+v", r)
	}
}
