//go:build linux && desktop

package main

import (
	"os"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// telling decides, waits and repeats; that it did is told on the bus.
const telling = `
modes = [{ name = "One" }, { name = "Two" }]
global_mappings = [
  { trigger = { type = "Note", note = 1 }, action = { type = "Emit", name = "hello", value = 7 } },
  { trigger = { type = "Note", note = 2 }, action = { type = "Conditional", condition = { type = "ModeIs", mode = "Two" }, then = { type = "Emit", name = "in-two" }, else = { type = "Emit", name = "not-in-two" } } },
  { trigger = { type = "Note", note = 3 }, action = { type = "ModeChange", mode = "Two" } },
  { trigger = { type = "Note", note = 4 }, action = { type = "Sequence", actions = [{ type = "Emit", name = "first" }, { type = "Delay", ms = 20 }, { type = "Emit", name = "second" }] } },
  { trigger = { type = "Note", note = 5 }, action = { type = "Toggle", on = { type = "Emit", name = "on" }, off = { type = "Emit", name = "off" } } },
  { trigger = { type = "Note", note = 6 }, action = { type = "Repeat", count = 3, delay_ms = 20, action = { type = "Emit", name = "again" } } },
  { trigger = { type = "Note", note = 7 }, action = { type = "Sequence", actions = [{ type = "Delay", ms = 60000 }, { type = "Emit", name = "never" }] } },
  { trigger = { type = "Note", note = 8 }, action = { type = "Sequence", actions = [{ type = "Emit", name = "last" }, { type = "Panic" }, { type = "Emit", name = "cancelled" }] } },
  { trigger = { type = "Note", note = 9 }, action = { type = "Open", target = "midimon-test://from/a/pad" } },
  { trigger = { type = "Note", note = 10 }, action = { type = "ModeChange", step = 1 } },
  { trigger = { type = "Note", note = 11 }, action = { type = "ModeChange", mode = "One" } },
]
`

// TestPadsTellAndOpen: what pads emit is heard by a program of others, and what they open is opened by
// the application that the user has for it.
func TestPadsTellAndOpen(t *testing.T) {
	d := desktoptest.X11(t)
	desktoptest.Need(t, "xdg-open", "gdbus")
	opened := d.Dir + "/opened"
	d.Write("config/mimeapps.list", "[Default Applications]\nx-scheme-handler/midimon-test=opener.desktop\n")
	d.Write(".local/share/applications/opener.desktop", "[Desktop Entry]\nType=Application\nName=Opener\nMimeType=x-scheme-handler/midimon-test;\nExec="+
		d.Write("opener", "#!/bin/sh\necho \"$1\" >"+opened+".new && mv "+opened+".new "+opened+"\n")+" %u\n")
	d.Output("chmod", "+x", d.Dir+"/opener")
	play := pads(t, d, telling, "xtest")
	heard := d.Start("stdbuf", "-oL", "gdbus", "monitor", "--session", "--dest", "com.amiable.Midimon1")
	heard.Wait("is owned by")
	tap := func(note byte, words ...string) {
		t.Helper()
		play(0x90, note, 100, 0x80, note, 64)
		for _, w := range words {
			heard.Wait(w)
		}
	}
	emits := func(name string) string { return "Emitted ('" + name + "'," }
	desktoptest.Until(t, "what is heard", func() bool { // it listens a moment after it has said so; more Emits than 25 a second are refused
		tap(10)
		return strings.Contains(heard.Said(), "ModeChanged (")
	})
	tap(11)
	tap(1, emits("hello")+" <7")
	tap(2, emits("not-in-two"))
	tap(3, "ModeChanged ('One', 'Two'")
	tap(2, emits("in-two"))
	tap(4, emits("first"), emits("second"))
	tap(5, emits("on"))
	tap(5, emits("off"))
	tap(6, emits("again"), emits("again"), emits("again"))
	tap(7)
	tap(8, emits("last"))
	tap(2, emits("in-two"))
	for _, name := range []string{"never", "cancelled"} {
		if said := heard.Said(); strings.Contains(said, emits(name)) {
			t.Errorf("%s was emitted after a panic:\n%s", name, said)
		}
	}
	tap(9)
	desktoptest.Until(t, "it is opened", func() bool {
		text, err := os.ReadFile(opened)
		return err == nil && strings.TrimSpace(string(text)) == "midimon-test://from/a/pad"
	})
}
