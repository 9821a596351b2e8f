//go:build linux

package desktoptest

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// KWin starts Plasma's compositor without a screen, with the portals of Plasma on its bus. The
// keyboard has the layouts given, by commas: "de,us". What belongs to it runs as nobody when root
// runs the tests.
func KWin(t testing.TB, layouts string) *Desktop {
	t.Helper()
	Need(t, "kwin_wayland", "pipewire", "dbus-update-activation-environment")
	d := newDesktop(t, nobody(t), []string{"<standard_session_servicedirs/>"})
	d.Env = append(d.Env, "DBUS_SYSTEM_BUS_ADDRESS="+d.Getenv("DBUS_SESSION_BUS_ADDRESS"), // there may be none, and ours tells as little
		"XDG_SESSION_TYPE=wayland", "XDG_CURRENT_DESKTOP=KDE", "KWIN_COMPOSE=Q", "QT_QPA_PLATFORM=")
	d.Write("config/kxkbrc", "[Layout]\nLayoutList="+layouts+"\nUse=true\n")
	if d.user != nil {
		if err := filepath.WalkDir(filepath.Join(d.Dir, "config"), func(path string, _ os.DirEntry, err error) error {
			if err != nil {
				return err
			}
			return os.Chown(path, int(d.user.Uid), int(d.user.Gid))
		}); err != nil {
			t.Fatal(err)
		}
	}
	path, err := exec.LookPath("kwin_wayland")
	if err != nil {
		t.Fatal(err)
	}
	kwin := d.Copy(path, "kwin_wayland")
	d.Start("pipewire") // by which a screen is shared
	Until(t, "PipeWire listens", func() bool {
		_, err := os.Stat(filepath.Join(d.Dir, "pipewire-0"))
		return err == nil
	})
	d.restart = func() {
		t.Helper()
		d.display = d.Start(kwin, "--virtual", "--width", "1024", "--height", "768", "--no-lockscreen", "--socket", "wayland-kwin")
		Until(t, "the compositor listens", func() bool {
			_, err := os.Stat(filepath.Join(d.Dir, "wayland-kwin"))
			return err == nil
		})
	}
	d.restart()
	d.Env = append(d.Env, "WAYLAND_DISPLAY=wayland-kwin", "QT_QPA_PLATFORM=wayland")
	d.Output("dbus-update-activation-environment", "WAYLAND_DISPLAY", "XDG_CURRENT_DESKTOP", "QT_QPA_PLATFORM", "XDG_SESSION_TYPE",
		"DBUS_SYSTEM_BUS_ADDRESS", "LIBGL_ALWAYS_SOFTWARE")
	Until(t, "the portal", func() bool {
		out, err := d.Command("gdbus", "call", "--session", "-d", "org.freedesktop.portal.Desktop", "-o", "/org/freedesktop/portal/desktop",
			"-m", "org.freedesktop.DBus.Properties.Get", "org.freedesktop.portal.RemoteDesktop", "version").CombinedOutput()
		return err == nil && strings.Contains(string(out), "uint32")
	})
	d.front = func(string) {}
	return d
}
