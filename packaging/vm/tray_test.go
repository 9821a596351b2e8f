//go:build linux && vm

package vm

import (
	"strings"
	"testing"
	"time"
)

// TestInstallTray: the icon comes and goes with the desktop, whether there is a panel or not.
func TestInstallTray(t *testing.T) {
	service(t)
	const tray = "midimon-tray.service"
	has(t, must(t, "midimonctl", "install"), "enabled "+tray)
	t.Cleanup(func() { tidy(t, "midimonctl", "uninstall") })
	isActive(t, tray, "inactive")
	becomes := func(want string) {
		t.Helper()
		var is string
		for late := time.Now().Add(30 * time.Second); time.Now().Before(late); time.Sleep(200 * time.Millisecond) {
			out, _ := user(t, "systemctl", "--user", "is-active", tray)
			if is = strings.TrimSpace(out); is == want {
				return
			}
		}
		t.Fatalf("%s is %s, want %s", tray, is, want)
	}
	// As a desktop does it: a service of its own brings the target.
	must(t, "systemd-run", "--user", "--unit=desktop", "--property=BindsTo=graphical-session.target", "--property=Before=graphical-session.target", "sleep", "1000")
	t.Cleanup(func() { tidy(t, "sh", "-c", "systemctl --user stop desktop.service || true") })
	becomes("active")
	must(t, "systemctl", "--user", "stop", "desktop.service")
	becomes("inactive")
}
