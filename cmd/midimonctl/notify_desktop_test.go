//go:build linux && desktop

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// TestNotifications: what pads and a configuration that is not used show in dunst, from the real midimon.
func TestNotifications(t *testing.T) {
	d := desktoptest.X11(t)
	programsOn(t, d)
	d.Dunst()
	pads := filepath.Join(d.Dir, "pads")
	d.Output("mkfifo", "-m", "600", pads)
	text := `
[[devices]]
name = "pads"
match = ["raw:` + pads + `"]
[[global_mappings]]
name = "one"
trigger = { type = "Note", note = 36 }
action = { type = "Notify", summary = "pad", body = "first", slot = "pad", timeout_ms = 600000 }
[[global_mappings]]
name = "two"
trigger = { type = "Note", note = 37 }
action = { type = "Notify", summary = "pad", body = "second", slot = "pad", timeout_ms = 600000 }
`
	d.Write("config/midimon/config.toml", text)
	p := d.Start(filepath.Join(d.Dir, "bin", "midimon"))
	p.Wait("port connected")
	heard := d.Monitor()
	hit := func(note byte) {
		t.Helper()
		f, err := os.OpenFile(pads, os.O_WRONLY, 0)
		if err == nil {
			_, err = f.Write([]byte{0x90, note, 100, 0x80, note, 0})
		}
		if err == nil {
			err = f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	displayed := func(want string) {
		t.Helper()
		desktoptest.Until(t, want+" notifications", func() bool { return strings.TrimSpace(d.Output("dunstctl", "count", "displayed")) == want })
	}
	// closed closes what is displayed, and returns everything that was so far.
	closed := func() string {
		d.Output("dunstctl", "close-all")
		return d.Output("dunstctl", "history")
	}

	desktoptest.Until(t, "a notification", func() bool { // once what shows them is ready
		hit(36)
		shown := false
		for began := time.Now(); !shown && time.Since(began) < time.Second; { // more hits at once would wait for each other
			shown = strings.TrimSpace(d.Output("dunstctl", "count", "displayed")) == "1"
		}
		return shown
	})
	hit(37)
	heard.Notify("second")
	displayed("1")
	if said := closed(); !strings.Contains(said, "second") || strings.Contains(said, "first") {
		t.Errorf("the second is not in the place of the first: %s", said)
	}

	d.Write("config/midimon/config.toml", text+"nonsense = [\n")
	displayed("1")
	if said := closed(); !strings.Contains(said, "midimon: the configuration is not used") || !strings.Contains(said, "config.toml:") {
		t.Errorf("shown: %s", said)
	}
	hit(36) // the configuration before still acts
	displayed("1")
}
