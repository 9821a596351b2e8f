//go:build linux && desktop

package focus_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/focus"
)

// watch starts a watcher on a desktop and returns how to wait for what it tells.
func watch(t *testing.T, d *desktoptest.Desktop) (until func(source, app string)) {
	t.Helper()
	return watchIn(t, d, d.Getenv)
}

// watchIn is watch with an environment of its own.
func watchIn(t *testing.T, d *desktoptest.Desktop, getenv func(string) string) (until func(source, app string)) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	told, ended := make(chan focus.Focus, 64), make(chan struct{})
	w := focus.New(bus.Session(d.Getenv), getenv)
	go func() { defer close(ended); w.Run(ctx, func(f focus.Focus) { told <- f }) }()
	t.Cleanup(func() { cancel(); <-ended })
	var last focus.Focus
	return func(source, app string) {
		t.Helper()
		for over := time.After(desktoptest.Limit); ; {
			select {
			case last = <-told:
				if last.Source == source && last.App == app {
					return
				}
			case <-over:
				t.Fatalf("not %q by %q: %+v", app, source, last)
			}
		}
	}
}

func TestX11(t *testing.T) {
	d := desktoptest.X11(t)
	until := watch(t, d)
	one := d.Start("xterm", "-class", "FirstApp", "-T", "one")
	until("X11", "firstapp")
	two := d.Start("xterm", "-class", "Second", "-T", "two")
	until("X11", "second")
	detects(t, d, report.OK, "by X11")
	d.Output("xdotool", "search", "--sync", "--name", "^one$", "windowactivate")
	until("X11", "firstapp")
	one.Kill()
	two.Kill()
	until("X11", "")
	d.Stop()
	until("", "") // said to be unknown
}

// TestX11LateClass: some applications say what they are only when their window is in front already.
func TestX11LateClass(t *testing.T) {
	d := desktoptest.X11(t)
	until := watch(t, d)
	d.Start("xterm", "-class", "First", "-T", "one")
	until("X11", "first")
	c, err := xgb.NewConnDisplay(d.Getenv("DISPLAY"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	w, err := xproto.NewWindowId(c)
	if err != nil {
		t.Fatal(err)
	}
	screen := xproto.Setup(c).DefaultScreen(c)
	xproto.CreateWindow(c, screen.RootDepth, w, screen.Root, 10, 10, 300, 200, 0, xproto.WindowClassInputOutput, screen.RootVisual, 0, nil)
	if err := xproto.MapWindowChecked(c, w).Check(); err != nil {
		t.Fatal(err)
	}
	until("X11", "") // nobody knows what it is
	desktoptest.Until(t, "it is in front", func() bool {
		return strings.Contains(d.Output("xprop", "-root", "_NET_ACTIVE_WINDOW"), fmt.Sprintf("%#x", w))
	})
	const is = "instance\x00Late\x00"
	if err := xproto.ChangePropertyChecked(c, xproto.PropModeReplace, w, xproto.AtomWmClass, xproto.AtomString, 8, uint32(len(is)), []byte(is)).Check(); err != nil {
		t.Fatal(err)
	}
	until("X11", "late")
}

func TestSway(t *testing.T) {
	d := desktoptest.Sway(t)
	until := watch(t, d)
	d.Start("foot", "-a", "First.App", "sleep", "1000")
	until("sway", "first.app")
	two := d.Start("foot", "-a", "second", "sleep", "1000")
	until("sway", "second")
	detects(t, d, report.OK, "by sway")
	two.Kill()
	until("sway", "first.app")
	d.Output("swaymsg", "workspace", "9")
	until("sway", "")
	d.Output("swaymsg", "[app_id=First.App]", "focus")
	until("sway", "first.app")
	d.Stop()
	until("", "")
}

// TestCompositorThatListsItsWindows is of those that have no way of their own to tell: sway has both.
func TestCompositorThatListsItsWindows(t *testing.T) {
	d, empty := desktoptest.Sway(t), t.TempDir()
	until := watchIn(t, d, func(name string) string {
		switch name {
		case "SWAYSOCK", "I3SOCK":
			return ""
		case "XDG_RUNTIME_DIR":
			return empty // where sway's own socket is not
		case "WAYLAND_DISPLAY":
			return filepath.Join(d.Getenv("XDG_RUNTIME_DIR"), d.Getenv(name))
		}
		return d.Getenv(name)
	})
	until("the compositor", "")
	one := d.Start("foot", "-a", "First.App", "sleep", "1000")
	until("the compositor", "first.app")
	two := d.Start("foot", "-a", "second", "sleep", "1000")
	until("the compositor", "second")
	two.Kill()
	until("the compositor", "first.app")
	d.Output("swaymsg", "workspace", "9")
	until("the compositor", "")
	d.Output("swaymsg", "[app_id=First.App]", "focus")
	until("the compositor", "first.app")
	one.Kill()
	until("the compositor", "")
	d.Stop()
	until("", "")
}

// TestHelperFocus is run as a process of its own, by the next test: KWin reads what its user may. It
// says each focus that it is told.
func TestHelperFocus(t *testing.T) {
	if os.Getenv("MIDIMON_FOCUS") == "" {
		return // it is only half a test
	}
	focus.New(bus.Session(os.Getenv), os.Getenv).Run(t.Context(), func(f focus.Focus) { fmt.Printf("focus: %s/%s. %s\n", f.Source, f.App, f.Why) })
}

func TestKWin(t *testing.T) {
	d := desktoptest.KWin(t, "us")
	helper := d.Run(d.Self("^TestHelperFocus$", "MIDIMON_FOCUS=1"))
	until := func(source, app string) { t.Helper(); helper.Wait("focus: " + source + "/" + app + ".") }
	until("KWin", "")
	one := d.Start("stdbuf", "-oL", "wev")
	until("KWin", "wev")
	helper.Kill() // its script stays, and is replaced
	helper = d.Run(d.Self("^TestHelperFocus$", "MIDIMON_FOCUS=1"))
	until("KWin", "wev")
	two := d.Start("mpv", "--no-config", "--idle", "--force-window", "--vo=wlshm", "--wayland-app-id=Second")
	until("KWin", "second")
	detects(t, d, report.OK, "by KWin")
	two.Kill()
	until("KWin", "wev")
	one.Kill()
	until("KWin", "")
	d.Stop()
	until("", "") // said to be unknown
	d.Restart()
	until("KWin", "")
	d.Start("stdbuf", "-oL", "wev")
	until("KWin", "wev")
}

// gtkWindow is a window of GTK's; the first argument is what the application calls itself.
const gtkWindow = `
import sys, gi
gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk
GLib.set_prgname(sys.argv[1])
Gtk.Window(title=sys.argv[1]).show_all()
Gtk.main()
`

func TestGNOME(t *testing.T) {
	d := desktoptest.GNOME(t)
	window := d.Write("window.py", gtkWindow)
	helper := d.Run(d.Self("^TestHelperFocus$", "MIDIMON_FOCUS=1"))
	until := func(source, app, why string) { t.Helper(); helper.Wait("focus: " + source + "/" + app + ". " + why) }
	until("", "", "AT-SPI: accessibility is switched off")
	detects(t, d, report.Warning, "AT-SPI: accessibility is switched off, and only by it, or by the extension Focused Window D-Bus, is it told on this desktop")
	d.Accessible(true)
	one := d.Start("/usr/bin/python3", window, "First.App")
	until("AT-SPI", "first.app", "")
	two := d.Start("/usr/bin/python3", window, "second")
	until("AT-SPI", "second", "")
	two.Kill()
	until("AT-SPI", "first.app", "")
	mute := d.Start("stdbuf", "-oL", "wev") // which tells nobody
	until("", "", "AT-SPI: the application in front does not tell")
	mute.Kill()
	until("AT-SPI", "first.app", "")
	d.Accessible(false)
	until("", "", "AT-SPI: accessibility is switched off")
	d.Accessible(true) // who is in front already says so when asked
	until("AT-SPI", "first.app", "")
	three := d.Start("/usr/bin/python3", window, "third")
	until("AT-SPI", "third", "")
	three.Signal(syscall.SIGSTOP) // who hangs is not waited for
	d.Accessible(false)
	until("", "", "AT-SPI: accessibility is switched off")
	d.Accessible(true)
	until("", "", "AT-SPI: the application in front does not tell")
	three.Kill()
	until("AT-SPI", "first.app", "")
	detects(t, d, report.OK, "by AT-SPI")
	one.Kill()
	until("", "", "AT-SPI: the application in front does not tell")
	d.Stop()
	until("", "", "no desktop")
}

// TestGNOMEWithExtension has an extension of ours say what Focused Window D-Bus says: its versions for the
// shells that tests can have do not tell of changes.
func TestGNOMEWithExtension(t *testing.T) {
	const uuid = "focus@midimon.test"
	d := desktoptest.GNOME(t)
	d.Extend(uuid, "testdata", "metadata.json", "extension.js")
	window := d.Write("window.py", gtkWindow)
	helper := d.Run(d.Self("^TestHelperFocus$", "MIDIMON_FOCUS=1"))
	until := func(source, app, why string) { t.Helper(); helper.Wait("focus: " + source + "/" + app + ". " + why) }
	const by = "Focused Window D-Bus"
	until("", "", "AT-SPI: accessibility is switched off")
	d.Extensions(uuid)
	until(by, "", "")
	one := d.Start("/usr/bin/python3", window, "First.App")
	until(by, "first.app", "")
	mute := d.Start("stdbuf", "-oL", "wev") // which accessibility does not know
	until(by, "wev", "")
	detects(t, d, report.OK, "by "+by)
	mute.Kill()
	until(by, "first.app", "")
	d.Accessible(true) // which changes nothing
	d.Extensions()
	until("AT-SPI", "first.app", "")
	d.Extensions(uuid)
	until(by, "first.app", "")
	one.Kill()
	until(by, "", "")
	d.Stop()
	until("", "", "no desktop")
}

// detects wants what a watcher of its own detects on a desktop.
func detects(t *testing.T, d *desktoptest.Desktop, status, message string) {
	t.Helper()
	b := bus.Session(d.Getenv)
	defer b.Close()
	if c := focus.New(b, d.Getenv).Detect(t.Context()); c.Name != "focus" || c.Status != status || c.Message != message {
		t.Errorf("%+v, want %s: %s", c, status, message)
	}
}
