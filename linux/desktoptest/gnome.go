//go:build linux

package desktoptest

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// GNOME starts GNOME's shell without a screen, with accessibility's bus and the portals of GNOME beside its
// own. The layout of its keyboard is "us" until Layouts changes it. What belongs to it runs as nobody when
// root runs the tests.
func GNOME(t testing.TB) *Desktop {
	t.Helper()
	Need(t, "gnome-shell", "pipewire", "dbus-update-activation-environment")
	d := newDesktop(t, nobody(t), []string{"<standard_session_servicedirs/>"})
	d.Env = append(d.Env, "DBUS_SYSTEM_BUS_ADDRESS="+d.Getenv("DBUS_SESSION_BUS_ADDRESS"), // there may be none, and ours tells as little
		"XDG_SESSION_TYPE=wayland", "XDG_CURRENT_DESKTOP=GNOME", "GSETTINGS_BACKEND=keyfile", "GTK_USE_PORTAL=0", "GDK_BACKEND=wayland",
		"WAYLAND_DISPLAY=wayland-gnome", "NO_AT_BRIDGE=0")
	d.settings = map[string]string{}
	d.Layouts("us")
	d.Output("dbus-update-activation-environment", "WAYLAND_DISPLAY", "XDG_CURRENT_DESKTOP", "XDG_SESSION_TYPE", "DBUS_SYSTEM_BUS_ADDRESS",
		"GSETTINGS_BACKEND", "GTK_USE_PORTAL", "GDK_BACKEND", "LIBGL_ALWAYS_SOFTWARE")
	d.Start("pipewire")
	d.restart = func() {
		t.Helper()
		d.display = d.Start("gnome-shell", "--headless", "--virtual-monitor", "1024x600", "--wayland-display", "wayland-gnome", "--no-x11")
		Until(t, "the shell listens", func() bool {
			_, err := os.Stat(filepath.Join(d.Dir, "wayland-gnome"))
			return err == nil
		})
		overview := func(method string, more ...string) string {
			out, _ := d.Command("gdbus", append([]string{
				"call", "--session", "--timeout", "2", "-d", "org.gnome.Shell", "-o", "/org/gnome/Shell", "-m",
				"org.freedesktop.DBus.Properties." + method, "org.gnome.Shell", "OverviewActive",
			}, more...)...).CombinedOutput()
			return string(out)
		}
		// It begins with the overview, in which no window has the keyboard.
		Until(t, "the overview comes", func() bool { return strings.Contains(overview("Get"), "true") })
		d.keyboard()
		Until(t, "the overview goes", func() bool {
			overview("Set", "<false>")
			return strings.Contains(overview("Get"), "false")
		})
	}
	d.restart()
	d.front = func(string) {}
	return d
}

// keyboard gives the seat one: without, no window ever has it. It is the shell's own for remote
// control, and stays as long as who made it.
func (d *Desktop) keyboard() {
	d.t.Helper()
	conn := d.Dial()
	const remote = "org.gnome.Mutter.RemoteDesktop"
	call := func(within time.Duration, at dbus.ObjectPath, method string, args ...any) *dbus.Call {
		ctx, cancel := context.WithTimeout(d.t.Context(), within)
		defer cancel()
		return conn.Object(remote, at).CallWithContext(ctx, remote+method, 0, args...)
	}
	var session dbus.ObjectPath
	Until(d.t, "the shell takes keys", func() bool { // what comes too early is not answered
		return call(2*time.Second, "/org/gnome/Mutter/RemoteDesktop", ".CreateSession").Store(&session) == nil
	})
	err := call(Limit, session, ".Session.Start").Err
	const shift = 42 // KEY_LEFTSHIFT, which does nothing
	for _, down := range []bool{true, false} {
		err = errors.Join(err, call(Limit, session, ".Session.NotifyKeyboardKeycode", uint32(shift), down).Err)
	}
	if err != nil {
		d.t.Fatal(err)
	}
	d.seat = func(method string, args ...any) error { return call(Limit, session, ".Session."+method, args...).Err }
}

// Unshare ends whatever is shared and controlled, as the user does: by a click on what the panel shows of it.
// The seat has no keyboard then, unless somebody else gives it one.
func (d *Desktop) Unshare() {
	d.t.Helper()
	var at struct{ X, Y, Width, Height int32 }
	Until(d.t, "what the panel shows", func() bool {
		return d.find("gnome-shell", "push button", "Stop Screen Sharing", stateSensitive, func(o dbus.BusObject) error {
			const onScreen = uint32(0)
			return ask(o, "org.a11y.atspi.Component.GetExtents", onScreen).Store(&at)
		}) && at.Width > 0
	})
	const wide, left = 10000, int32(0x110)
	for _, err := range []error{
		d.seat("NotifyPointerMotionRelative", float64(wide), float64(-wide)), // the corner
		d.seat("NotifyPointerMotionRelative", float64(at.X+at.Width/2-1023), float64(at.Y+at.Height/2)),
		d.seat("NotifyPointerButton", left, true),
	} {
		if err != nil {
			d.t.Fatal(err)
		}
	}
}

// Layouts gives the keyboard these layouts, the first of which is chosen, as the settings of GNOME do.
func (d *Desktop) Layouts(names ...string) {
	d.t.Helper()
	var all []string
	for _, name := range names {
		all = append(all, "('xkb', '"+name+"')")
	}
	d.setting("org/gnome/desktop/input-sources", "sources", "["+strings.Join(all, ", ")+"]")
}

// Extend installs an extension of the shell, which starts anew for it: it looks for them when it starts. The
// names are of files in that directory.
func (d *Desktop) Extend(uuid, dir string, names ...string) {
	d.t.Helper()
	d.Stop()
	for _, name := range names {
		text, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			d.t.Fatal(err)
		}
		d.Write(filepath.Join(".local/share/gnome-shell/extensions", uuid, name), string(text))
	}
	// One that has ended within its first minute is thought to have crashed by an extension, and starts without.
	_ = os.Remove(filepath.Join(d.Dir, "gnome-shell-disable-extensions"))
	d.Restart()
}

// Extensions switches these extensions of the shell on, and all others off, as the settings of GNOME do.
func (d *Desktop) Extensions(uuids ...string) {
	d.t.Helper()
	d.setting("org/gnome/shell", "enabled-extensions", dbus.MakeVariant(uuids).String())
}

// setting changes one of GNOME's settings.
func (d *Desktop) setting(group, key, value string) {
	d.t.Helper()
	d.settings["["+group+"]\n"+key] = value
	text := ""
	for key, value := range d.settings {
		text += key + "=" + value + "\n"
	}
	dir := "config/glib-2.0/settings"
	next := d.Write(dir+"/next", text)
	if err := os.Rename(next, filepath.Join(filepath.Dir(next), "keyfile")); err != nil {
		d.t.Fatal(err)
	}
}

// Accessible switches accessibility on or off, as the settings of GNOME do.
func (d *Desktop) Accessible(on bool) {
	d.t.Helper()
	value := dbus.MakeVariant(on).String()
	d.Output("gdbus", "call", "--session", "-d", "org.a11y.Bus", "-o", "/org/a11y/bus", "-m", "org.freedesktop.DBus.Properties.Set",
		"org.a11y.Status", "IsEnabled", "<"+value+">")
}
