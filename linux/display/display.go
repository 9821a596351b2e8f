//go:build linux

// Package display finds the compositor or the X server of the user's session. midimon may be older than
// that, so its own environment need not name it. What is done with a display is not here.
package display

import (
	"cmp"
	"context"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/systemd"
)

// answerWithin is how long the service manager and a socket may take to answer.
const answerWithin = time.Second

// Environment is our own, and that of the service manager, to which desktops tell where they are. Desk is
// the session's bus, or nil.
func Environment(ctx context.Context, desk *bus.Bus, getenv func(string) string) func(string) string {
	var manager map[string]string
	if getenv("WAYLAND_DISPLAY") == "" && getenv("DISPLAY") == "" && desk != nil {
		ctx, cancel := context.WithTimeout(ctx, answerWithin)
		defer cancel()
		if c, err := desk.Conn(ctx); err == nil {
			if all, err := systemd.Environment(ctx, c); err == nil {
				manager = all
			}
		}
	}
	return func(name string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return manager[name]
	}
}

// Compositor is the socket of the compositor that an environment names, or of one that listens where there
// is no X server; or empty.
func Compositor(env func(string) string) string {
	dir := env("XDG_RUNTIME_DIR")
	if name := env("WAYLAND_DISPLAY"); name != "" {
		if !filepath.IsAbs(name) {
			name = filepath.Join(dir, name)
		}
		return name
	}
	if env("DISPLAY") != "" || dir == "" {
		return "" // a session of X11, if any
	}
	sockets, _ := filepath.Glob(filepath.Join(dir, "wayland-*"))
	slices.Sort(sockets)
	for _, s := range sockets {
		if strings.HasSuffix(s, ".lock") {
			continue
		}
		if c, err := net.DialTimeout("unix", s, answerWithin); err == nil { //nolint:noctx // it is bounded
			_ = c.Close()
			return s
		}
	}
	return ""
}

// Authority is the file with what an X server lets us in by (Xsecurity(7)).
func Authority(env func(string) string) string {
	return cmp.Or(env("XAUTHORITY"), filepath.Join(env("HOME"), ".Xauthority"))
}
