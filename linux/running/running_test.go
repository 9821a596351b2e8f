//go:build linux

package running_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/amiable-dev/midimon/linux/running"
)

func TestNames(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a-program-with-a-long-name")
	text, err := os.ReadFile("/bin/cat")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text, 0o755); err != nil { //nolint:gosec // it is a program
		t.Fatal(err)
	}
	c := exec.CommandContext(t.Context(), path)
	hold, err := c.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	names, err := running.Names()
	if err != nil || !slices.Contains(names, "a-program-with-a-long-name") || !slices.Contains(names, "a-program-with-") {
		t.Errorf("%v: %q", err, names)
	}
	_ = hold.Close()
	_ = c.Wait()
	if names, _ := running.Names(); slices.Contains(names, "a-program-with-a-long-name") {
		t.Error("it has ended")
	}
}
