//go:build linux && vm

package vm

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// span is from one moment to another.
type span struct{ from, to time.Duration }

func (s span) has(at time.Duration) bool { return s.from <= at && at < s.to }

// accompany runs a program of this machine until what it returns is called, which closes the program's input
// and tells what it printed.
func accompany(t *testing.T, name string, args ...string) func() string {
	t.Helper()
	c := exec.Command(name, args...)                          //nolint:noctx // it ends with its input
	c.Env = append(os.Environ(), "GODEBUG=asyncpreemptoff=1") // nobody there has to be interrupted
	var out strings.Builder
	c.Stdout, c.Stderr = &out, os.Stderr
	in, err := c.StdinPipe()
	if err == nil {
		err = c.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = in.Close() })
	return func() string {
		t.Helper()
		_ = in.Close()
		if err := c.Wait(); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		return out.String()
	}
}

// beat has the metronome run until what it returns is called, which tells when the machine stood still.
func beat(t *testing.T) func() []span {
	t.Helper()
	stop := accompany(t, "metronome")
	return func() (stills []span) {
		t.Helper()
		for line := range strings.Lines(stop()) {
			var s span
			if _, err := fmt.Sscan(line, &s.from, &s.to); err != nil {
				t.Fatalf("%v in %q", err, line)
			}
			stills = append(stills, s)
		}
		return stills
	}
}

// within is how much of a span some others cover. Where two cover the same it counts once.
func within(some []span, s span) time.Duration {
	var covered time.Duration
	for at := s.from; at < s.to; {
		next := s.to // where nothing covers it any more, or something begins to
		is := false
		for _, o := range some {
			switch {
			case o.from <= at && at < o.to && (!is || o.to > next):
				is, next = true, o.to
			case !is && o.from > at:
				next = min(next, o.from)
			}
		}
		next = min(next, s.to)
		if is {
			covered += next - at
		}
		at = next
	}
	return covered
}

func TestWithin(t *testing.T) {
	some := []span{{10, 20}, {15, 30}, {40, 50}, {42, 44}}
	for s, want := range map[span]time.Duration{
		{0, 10}: 0, {0, 11}: 1, {12, 18}: 6, {0, 100}: 30, {25, 45}: 10, {30, 40}: 0, {43, 60}: 7, {60, 70}: 0,
	} {
		if got := within(some, s); got != want {
			t.Errorf("%v: %d, want %d", s, got, want)
		}
	}
}
