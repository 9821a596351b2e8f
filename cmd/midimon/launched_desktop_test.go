//go:build linux && desktop

package main

import (
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/linux/desktoptest"
)

const launching = `
global_mappings = [
  { trigger = { type = "Note", note = 1 }, action = { type = "Launch", app = "dies" } },
  { trigger = { type = "Note", note = 2 }, action = { type = "Launch", app = "missing" } },
  { trigger = { type = "Note", note = 3 }, action = { type = "Launch", app = "well" } },
]
`

// TestPadsLaunchWhatDies: where no service manager starts programs, the desktop does not wait for one that
// dies before it is there, or that cannot be started. One that ends well may have left its window to
// another, which tells itself.
func TestPadsLaunchWhatDies(t *testing.T) {
	d := desktoptest.X11(t)
	for name, program := range map[string]string{"dies": "/bin/false", "missing": d.Write("script", "#!/nowhere\n"), "well": "/bin/true"} {
		d.Write(".local/share/applications/"+name+".desktop", "[Desktop Entry]\nType=Application\nName="+name+"\nStartupNotify=true\nExec="+program+"\n")
	}
	d.Output("chmod", "+x", d.Dir+"/script")
	play := pads(t, d, launching, "xtest")
	next := d.Startups()
	began := func(note byte, name string) (id string) {
		t.Helper()
		play(0x90, note, 100, 0x80, note, 64)
		told := next()
		id, rest, ok := strings.Cut(strings.TrimPrefix(told, `new: ID="`), `" `)
		if !ok || !strings.HasPrefix(rest, `NAME="`+name+`"`) {
			t.Fatalf("told %s of %s", told, name)
		}
		return id
	}
	began(3, "well")
	for note, name := range []string{1: "dies", 2: "missing"} {
		if name == "" {
			continue
		}
		id := began(byte(note), name)
		if got := next(); got != `remove: ID="`+id+`"` {
			t.Errorf("told %s of %s", got, name)
		}
	}
}
