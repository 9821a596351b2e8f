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

// GNOME starts GNOME's shell without a screen, with accessibility's bus beside its own. What belongs
// to it runs as nobody when root runs the tests.
func GNOME(t testing.TB) *Desktop {
	t.Helper()
	Need(t, "gnome-shell", "pipewire")
	d := newDesktop(t, nobody(t), []string{"<standard_session_servicedirs/>"})
	d.Env = append(d.Env, "DBUS_SYSTEM_BUS_ADDRESS="+d.Getenv("DBUS_SESSION_BUS_ADDRESS"), // there may be none, and ours tells as little
		"XDG_SESSION_TYPE=wayland", "XDG_CURRENT_DESKTOP=GNOME", "GSETTINGS_BACKEND=memory", "GTK_USE_PORTAL=0", "GDK_BACKEND=wayland",
		"WAYLAND_DISPLAY=wayland-gnome", "NO_AT_BRIDGE=0")
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
	call := func(at dbus.ObjectPath, method string, args ...any) *dbus.Call {
		ctx, cancel := context.WithTimeout(d.t.Context(), 2*time.Second) // what comes too early is not answered
		defer cancel()
		return conn.Object(remote, at).CallWithContext(ctx, remote+method, 0, args...)
	}
	var session dbus.ObjectPath
	Until(d.t, "the shell takes keys", func() bool {
		return call("/org/gnome/Mutter/RemoteDesktop", ".CreateSession").Store(&session) == nil
	})
	err := call(session, ".Session.Start").Err
	const shift = 42 // KEY_LEFTSHIFT, which does nothing
	for _, down := range []bool{true, false} {
		err = errors.Join(err, call(session, ".Session.NotifyKeyboardKeycode", uint32(shift), down).Err)
	}
	if err != nil {
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
