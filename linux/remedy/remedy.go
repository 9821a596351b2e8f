//go:build linux

// Package remedy names the command that brings what several parts of midimon may miss of a system: a
// message bus, a service manager, a sound server. It looks at what the system has, so that the command
// is one that works there, and runs nothing. Who misses what is not its business.
package remedy

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// A system is where to look.
type system struct {
	root   string // of the files; empty: "/"
	uid    int
	getenv func(string) string
}

func here() *system { return &system{uid: os.Getuid(), getenv: os.Getenv} }

func (s *system) has(path string) bool {
	_, err := os.Stat(s.root + path)
	return err == nil
}

// booted says whether systemd runs the system (sd_booted(3)).
func (s *system) booted() bool { return s.has("/run/systemd/system") }

// managed says whether the user has a service manager, whose socket that is.
func (s *system) managed() bool {
	return s.has(filepath.Join(s.runtime(), "systemd/private"))
}

func (s *system) runtime() string {
	return cmp.Or(s.getenv("XDG_RUNTIME_DIR"), "/run/user/"+strconv.Itoa(s.uid))
}

func (s *system) startManager() string {
	return fmt.Sprintf("sudo systemctl start user@%d.service", s.uid)
}

// SessionBus brings the session's bus.
func SessionBus() string { return here().sessionBus() }

func (s *system) sessionBus() string {
	switch {
	case !s.booted():
		return "dbus-run-session midimon"
	case !s.managed():
		return s.startManager()
	}
	return "systemctl --user start dbus.socket"
}

// SystemBus brings the system's bus.
func SystemBus() string { return here().systemBus() }

func (s *system) systemBus() string {
	if s.booted() {
		return "sudo systemctl start dbus.socket"
	}
	return s.service("dbus")
}

// service starts a service of a system without systemd, or brings it.
func (s *system) service(name string) string {
	if s.has("/etc/init.d/" + name) {
		return "sudo service " + name + " start"
	}
	return s.install(name)
}

// Seat brings a session at a seat, where there is none of the user's.
const Seat = "log in at the machine's own screen"

// Logind brings who knows of seats and locked screens.
func Logind() string { return here().logind() }

func (s *system) logind() string {
	if s.booted() {
		return "sudo systemctl start systemd-logind"
	}
	return s.service("elogind")
}

// Manager brings the user's service manager onto the session's bus.
func Manager() string { return here().manager() }

func (s *system) manager() string {
	bus := "unix:path=" + filepath.Join(s.runtime(), "bus")
	switch {
	case !s.booted():
		return "none: this system is not run by systemd"
	case !s.managed():
		return s.startManager()
	case s.has(filepath.Join(s.runtime(), "bus")) && cmp.Or(s.getenv("DBUS_SESSION_BUS_ADDRESS"), bus) != bus:
		return "DBUS_SESSION_BUS_ADDRESS=" + bus + " midimonctl start" // ours is the bus of another
	}
	return "systemctl --user start dbus.socket"
}

// installers are what installs a package, by the program that each system has.
var installers = [...][2]string{
	{"/usr/bin/apt", "sudo apt install "},
	{"/usr/bin/dnf", "sudo dnf install "},
	{"/usr/bin/zypper", "sudo zypper install "},
	{"/usr/bin/pacman", "sudo pacman -S "},
	{"/sbin/apk", "sudo apk add "},
}

// install brings a package, which all systems call the same.
func (s *system) install(name string) string {
	for _, i := range installers {
		if s.has(i[0]) {
			return i[1] + name
		}
	}
	return "install the package " + name
}

// sounds are the units of sound servers, the newer first.
var sounds = [...]string{"pipewire-pulse.service", "pulseaudio.service"}

// Sound brings something that changes volumes. Restart: there is a server, and it does not answer.
func Sound(restart bool) string { return here().sound(restart) }

func (s *system) sound(restart bool) string {
	verb := map[bool]string{true: "restart", false: "start"}[restart]
	if s.managed() && s.getenv("PULSE_SERVER") == "" {
		for _, unit := range sounds {
			for _, dir := range []string{"/etc/systemd/user/", "/usr/lib/systemd/user/", "/lib/systemd/user/"} {
				if s.has(dir + unit) {
					return "systemctl --user " + verb + " " + unit
				}
			}
		}
	}
	switch {
	case restart:
		return "pactl info" // says whom it asks, and what that answers
	case s.has("/usr/bin/amixer"):
		return "amixer scontrols" // says what that mixer has
	}
	return s.install("alsa-utils")
}

// Notifications brings somebody who shows them.
func Notifications() string { return here().install("dunst") }
