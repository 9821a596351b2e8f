//go:build linux

package remedy

import (
	"os"
	"path/filepath"
	"testing"
)

func TestCommands(t *testing.T) {
	const (
		systemd = "/run/systemd/system"
		manager = "/run/user/7/systemd/private"
		bus     = "/run/user/7/bus"
	)
	sessionBus, userManager := (*system).sessionBus, (*system).manager
	sound := func(s *system) string { return s.sound(false) }
	hangs := func(s *system) string { return s.sound(true) }
	for _, c := range []struct {
		name  string
		of    func(*system) string
		files []string
		env   map[string]string
		want  string
	}{
		{"a bus", sessionBus, []string{systemd, manager}, nil, "systemctl --user start dbus.socket"},
		{"a bus without a manager", sessionBus, []string{systemd}, nil, "sudo systemctl start user@7.service"},
		{"a bus without systemd", sessionBus, nil, nil, "dbus-run-session midimon"},
		{"the system's bus", (*system).systemBus, []string{systemd}, nil, "sudo systemctl start dbus.socket"},
		{"the system's bus without systemd", (*system).systemBus, []string{"/etc/init.d/dbus"}, nil, "sudo service dbus start"},
		{"logind", (*system).logind, []string{systemd}, nil, "sudo systemctl start systemd-logind"},
		{"logind without systemd", (*system).logind, []string{"/usr/bin/apt"}, nil, "sudo apt install elogind"},
		{"a manager", userManager, []string{systemd}, nil, "sudo systemctl start user@7.service"},
		{"a manager elsewhere", userManager, []string{systemd, "/x/systemd/private"}, map[string]string{"XDG_RUNTIME_DIR": "/x"}, "systemctl --user start dbus.socket"},
		{
			"a manager on another bus", userManager,
			[]string{systemd, manager, bus},
			map[string]string{"DBUS_SESSION_BUS_ADDRESS": "unix:path=/y"},
			"DBUS_SESSION_BUS_ADDRESS=unix:path=/run/user/7/bus midimonctl start",
		},
		{"a manager on no bus", userManager, []string{systemd, manager, bus}, nil, "systemctl --user start dbus.socket"},
		{"a manager without systemd", userManager, nil, nil, "none: this system is not run by systemd"},
		{"sound", sound, []string{manager, "/usr/lib/systemd/user/pipewire-pulse.service"}, nil, "systemctl --user start pipewire-pulse.service"},
		{"older sound", sound, []string{manager, "/etc/systemd/user/pulseaudio.service"}, nil, "systemctl --user start pulseaudio.service"},
		{"sound without a manager", sound, []string{"/usr/lib/systemd/user/pipewire-pulse.service", "/usr/bin/apt"}, nil, "sudo apt install alsa-utils"},
		{"no sound", sound, []string{"/sbin/apk"}, nil, "sudo apk add alsa-utils"},
		{"no sound, and who knows how to install", sound, nil, nil, "install the package alsa-utils"},
		{"a mixer that has nothing", sound, []string{"/usr/bin/amixer"}, nil, "amixer scontrols"},
		{"a server that hangs", hangs, []string{manager, "/usr/lib/systemd/user/pulseaudio.service"}, nil, "systemctl --user restart pulseaudio.service"},
		{"another machine's server", hangs, []string{manager, "/usr/lib/systemd/user/pulseaudio.service"}, map[string]string{"PULSE_SERVER": "tcp:x"}, "pactl info"},
	} {
		root := t.TempDir()
		for _, f := range c.files {
			if err := os.MkdirAll(filepath.Dir(root+f), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(root+f, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := c.of(&system{root, 7, func(name string) string { return c.env[name] }}); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}
