//go:build linux

package amixer

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
)

// TestProgramAtFault: whatever amixer does, the mixer comes to an end with it and says what it was.
func TestProgramAtFault(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))
	for _, c := range []struct{ name, script, want string }{
		{"hangs", "exec sleep 30", "did not end within"},
		{"hangs in another program", "sleep 30", "did not end within"},
		{"leaves one behind that hangs", "sleep 30 & exit 1", "amixer: "},
		{"fails", "echo no such card >&2; exit 1", "amixer: no such card"},
		{"fails in silence", "exit 3", "exit status 3"},
		{"dies", "kill -9 $$", "signal: killed"},
		{"says nothing", "exit 0", "has no volume"},
		{"answers nonsense", "head -c 100000 /dev/urandom", ""},
		{"floods", "exec yes", "more than 1048576 bytes"},
		{"floods with errors", "exec yes >&2", "more than 1048576 bytes"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if err := os.WriteFile(filepath.Join(dir, program), []byte("#!/bin/sh\n"+c.script+"\n"), 0o700); err != nil { //nolint:gosec // it is run
				t.Fatal(err)
			}
			m, limit := New(), 30*time.Second // for a machine that is busy
			if strings.HasPrefix(c.want, "did not end") {
				limit = 200 * time.Millisecond
			}
			m.run, m.cards = within(limit), func() []string { return nil }
			err := m.Do(&effect.Effect{Kind: effect.Act, Action: &effect.VolumeControl{Operation: effect.VolumeToggle}})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v, want %q", err, c.want)
			}
		})
	}
}
