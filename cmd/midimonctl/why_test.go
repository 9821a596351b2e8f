//go:build linux

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

const failing = `
[[devices]]
name = "Pads"
match = "raw:%s"
[[global_mappings]]
name = "nowhere"
trigger = { type = "Note", note = 36 }
action = { type = "Launch", app = "no-such-program-anywhere" }
[[global_mappings]]
name = "three"
trigger = { type = "Note", note = 37 }
action = { type = "Shell", command = "exit 3" }
[[global_mappings]]
name = "fine"
trigger = { type = "Note", note = 38 }
action = { type = "Shell", command = "true" }
`

// TestWhyTellsWhatFailed has actions fail long after it was decided that they are done.
func TestWhyTellsWhatFailed(t *testing.T) {
	x := prepare(t)
	pads := filepath.Join(x.dir, "pads")
	if err := syscall.Mkfifo(pads, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(x.config, fmt.Appendf(nil, failing, pads), 0o600); err != nil {
		t.Fatal(err)
	}
	x.start()
	x.until("connected", "devices")
	if err := os.WriteFile(pads, []byte{0x90, 36, 100, 0x90, 37, 100, 0x90, 38, 100}, 0); err != nil {
		t.Fatal(err)
	}
	x.until("fired nowhere (Note), which failed: not-started: ", "why")
	x.until("fired three (Note), which failed: exit-status: ", "why")
	x.until("fired fine (Note)\n", "why")
}
