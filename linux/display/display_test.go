//go:build linux

package display_test

import (
	"net"
	"path/filepath"
	"testing"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/display"
)

func env(pairs map[string]string) func(string) string {
	return func(name string) string { return pairs[name] }
}

// TestEnvironment: what ours says counts, and the service manager's where ours knows no display.
func TestEnvironment(t *testing.T) {
	d := desktoptest.New(t)
	desk := bus.Session(d.Getenv)
	t.Cleanup(desk.Close)
	none := env(map[string]string{"HOME": "/home/ours"})
	if is := display.Environment(t.Context(), desk, none)("DISPLAY"); is != "" {
		t.Errorf("without a manager %q", is)
	}
	desktoptest.Manager(d, "DISPLAY=:4711", "XAUTHORITY=/run/authority", "HOME=/home/theirs")
	is := display.Environment(t.Context(), desk, none)
	if is("DISPLAY") != ":4711" || display.Authority(is) != "/run/authority" || is("HOME") != "/home/ours" {
		t.Errorf("%q, %q, %q", is("DISPLAY"), display.Authority(is), is("HOME"))
	}
	is = display.Environment(t.Context(), desk, env(map[string]string{"DISPLAY": ":1", "HOME": "/home/ours"}))
	if is("DISPLAY") != ":1" || display.Authority(is) != "/home/ours/.Xauthority" {
		t.Errorf("%q, %q", is("DISPLAY"), display.Authority(is))
	}
	if is := display.Environment(t.Context(), nil, none)("HOME"); is != "/home/ours" {
		t.Errorf("without a bus %q", is)
	}
}

func TestCompositor(t *testing.T) {
	dir := t.TempDir()
	for _, name := range []string{"wayland-0", "wayland-1"} {
		l, err := (&net.ListenConfig{}).Listen(t.Context(), "unix", filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if name == "wayland-0" { // it is left over
			l.(*net.UnixListener).SetUnlinkOnClose(false)
			_ = l.Close()
		} else {
			t.Cleanup(func() { _ = l.Close() })
		}
	}
	for _, c := range []struct {
		env  map[string]string
		want string
	}{
		{map[string]string{}, ""},
		{map[string]string{"XDG_RUNTIME_DIR": dir}, dir + "/wayland-1"},
		{map[string]string{"XDG_RUNTIME_DIR": dir, "DISPLAY": ":0"}, ""},
		{map[string]string{"XDG_RUNTIME_DIR": dir, "DISPLAY": ":0", "WAYLAND_DISPLAY": "wayland-0"}, dir + "/wayland-0"},
		{map[string]string{"XDG_RUNTIME_DIR": dir, "WAYLAND_DISPLAY": "/run/other"}, "/run/other"},
	} {
		if is := display.Compositor(env(c.env)); is != c.want {
			t.Errorf("%v: %q, want %q", c.env, is, c.want)
		}
	}
}
