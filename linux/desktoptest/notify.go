//go:build linux

package desktoptest

import "strings"

// Dunst starts a notification daemon on an X11 desktop.
func (d *Desktop) Dunst() *Program {
	d.t.Helper()
	Need(d.t, "dunst", "dunstctl")
	config := d.Write("dunstrc", "[global]\nmarkup = full\nformat = \"%s|%b\"\nidle_threshold = 0\n")
	p := d.Start("dunst", "-conf", config)
	Until(d.t, "a notification daemon", func() bool {
		return strings.Contains(d.Output("gdbus", "call", "--session", "--dest", "org.freedesktop.DBus", "--object-path", "/org/freedesktop/DBus",
			"--method", "org.freedesktop.DBus.NameHasOwner", "org.freedesktop.Notifications"), "true")
	})
	return p
}
