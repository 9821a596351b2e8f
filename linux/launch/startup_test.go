//go:build linux && desktop

package launch_test

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// window is a window of GTK's, which says by itself that it is there.
const window = `
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk
Gtk.Window(title="Pad's").show_all()
Gtk.main()
`

// A program that tells when it is there is announced, comes to the workspace on which it was asked for,
// and takes the announcement back itself.
func TestProgramIsAnnouncedOnX11(t *testing.T) {
	d := desktoptest.X11(t)
	script := d.Write("window.py", window)
	d.Write("share/applications/tells.desktop", "[Desktop Entry]\nType=Application\nName=The \"Pad\"\nStartupNotify=true\nStartupWMClass=Window.py\nExec=/usr/bin/python3 "+script+"\n")
	d.Write("share/applications/silent.desktop", "[Desktop Entry]\nType=Application\nName=Silent\nExec=/usr/bin/python3 "+script+"\n")
	p := programs(t, func(name string) string {
		if name == "XDG_DATA_HOME" {
			return filepath.Join(d.Dir, "share")
		}
		return d.Getenv(name)
	})
	next := d.Startups()
	var tells effect.Command
	for _, app := range []string{"silent", "tells"} {
		c, err := p.Find(&effect.Launch{App: app})
		if err != nil {
			t.Fatal(err)
		}
		c.Lasting = true
		if err := p.Run(t.Context(), &c, nil); !errors.Is(err, errors.ErrUnsupported) {
			t.Fatalf("%v: there is no service manager", err)
		}
		if id := variable(&c, "DESKTOP_STARTUP_ID"); (id == "") != (app == "silent") || variable(&c, "XDG_ACTIVATION_TOKEN") != "" {
			t.Fatalf("the environment of %s has %q more", app, c.Env)
		}
		tells = c
	}
	id := variable(&tells, "DESKTOP_STARTUP_ID")
	if got, want := next(), `new: ID="`+id+`" NAME="The \"Pad\"" SCREEN=0 DESKTOP=0 WMCLASS="Window.py"`; got != want {
		t.Fatalf("told %s, want %s", got, want)
	}
	if _, at, ok := strings.Cut(id, "_TIME"); !ok || strings.Trim(at, "0123456789") != "" || at == "0" {
		t.Errorf("the id %s has no time", id)
	}
	d.Output("xdotool", "set_desktop", "1")
	desktoptest.Until(t, "another workspace", func() bool { return strings.TrimSpace(d.Output("xdotool", "get_desktop")) == "1" })
	c := d.Command(tells.Argv[0], tells.Argv[1:]...)
	c.Env = append(slices.Clone(d.Env), tells.Env...)
	d.Run(c)
	for got := ""; got != "remove: ID="+id && got != `remove: ID="`+id+`"`; { // it may say more about itself before
		if got = next(); !strings.Contains(got, id) {
			t.Fatalf("told %s of another program than %s", got, id)
		}
	}
	desktoptest.Until(t, "its window where it was asked for", func() bool {
		out, _ := d.Command("xprop", "-name", "Pad's", "_NET_WM_DESKTOP", "_NET_STARTUP_ID").CombinedOutput()
		return strings.Contains(string(out), "_NET_WM_DESKTOP(CARDINAL) = 0")
	})
}

// What has been announced and cannot be started is taken back.
func TestAnnouncementIsWithdrawn(t *testing.T) {
	x, services := desktoptest.X11(t), t.TempDir()
	d := desktoptest.New(t, "<servicedir>"+services+"</servicedir>")
	if err := os.WriteFile(filepath.Join(services, "org.example.Broken.service"), []byte("[D-BUS Service]\nName=org.example.Broken\nExec=/bin/false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.Write("share/applications/org.example.Broken.desktop", "[Desktop Entry]\nType=Application\nName=Broken\nDBusActivatable=true\nStartupNotify=true\n")
	p := programs(t, func(name string) string {
		switch name {
		case "XDG_DATA_HOME", "XDG_DATA_DIRS":
			return filepath.Join(d.Dir, "share")
		case "DISPLAY":
			return x.Getenv(name)
		}
		return d.Getenv(name)
	})
	next := x.Startups()
	c, err := p.Find(&effect.Launch{App: "org.example.Broken"})
	if err != nil {
		t.Fatal(err)
	}
	c.Lasting = true
	if err := p.Run(t.Context(), &c, nil); err == nil || errors.Is(err, errors.ErrUnsupported) {
		t.Fatalf("it is started: %v", err)
	}
	id := variable(&c, "DESKTOP_STARTUP_ID")
	if got := next(); id == "" || !strings.HasPrefix(got, `new: ID="`+id+`" NAME="Broken"`) {
		t.Errorf("told %s of %s", got, id)
	}
	if got := next(); got != `remove: ID="`+id+`"` {
		t.Errorf("told %s of %s", got, id)
	}
}

// What the service manager has started and what then dies is taken back, too.
func TestAnnouncementOfAUnitThatDiesIsWithdrawn(t *testing.T) {
	x, d := desktoptest.X11(t), desktoptest.New(t)
	m := newManager(t, d)
	p := programs(t, func(name string) string {
		if name == "DISPLAY" {
			return x.Getenv(name)
		}
		return d.Getenv(name)
	})
	next := x.Startups()
	c := effect.Command{Name: "p", Argv: []string{"/bin/p"}, Lasting: true, Startup: &effect.Startup{Name: "P"}}
	go func() {
		name := <-m.began
		m.says(t, name, map[string]any{"ActiveState": "active"})
		m.began <- name
	}()
	if err := p.Run(t.Context(), &c, nil); err != nil {
		t.Fatal(err)
	}
	id := variable(&c, "DESKTOP_STARTUP_ID")
	if got := next(); !strings.HasPrefix(got, `new: ID="`+id+`" NAME="P"`) {
		t.Errorf("told %s of %s", got, id)
	}
	m.ends(t, <-m.began)
	if got := next(); got != `remove: ID="`+id+`"` {
		t.Errorf("told %s of %s", got, id)
	}
}
