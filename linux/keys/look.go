//go:build linux

package keys

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/systemd"
	"github.com/amiable-dev/midimon/linux/uinput"
	"github.com/amiable-dev/midimon/linux/wayland"
	"github.com/amiable-dev/midimon/linux/x11"
)

// askWithin is how long the service manager and the portal may take to answer.
const askWithin = time.Second

const (
	virtualKeyboard = "zwp_virtual_keyboard_manager_v1"
	virtualPointer  = "zwlr_virtual_pointer_manager_v1"
)

// look looks at what the desktop offers now.
func (b *Backend) look(ctx context.Context) *world {
	w := &world{}
	env := b.environment(ctx)
	dir := b.getenv("XDG_RUNTIME_DIR")
	if w.compositor = compositor(env, dir); w.compositor == "" {
		w.wayland = "there is no compositor"
	} else {
		b.lookAtCompositor(ctx, w)
	}
	w.display, w.authority = env("DISPLAY"), env("XAUTHORITY")
	if w.display == "" && w.compositor == "" {
		w.display = ownDisplay()
	}
	if w.authority == "" {
		w.authority = filepath.Join(env("HOME"), ".Xauthority")
	}
	switch {
	case w.display == "":
		w.xtest = "there is no X server"
	case w.compositor != "":
		w.xtest = "the session is Wayland"
	default:
		if err := x11.Probe(ctx, w.display, w.authority); err != nil {
			w.xtest = err.Error()
		}
	}
	if b.absent.Load() {
		w.uinput = "no session of yours is at a seat"
	} else if err := uinput.Available(); err != nil {
		// What all of them lack is said once for all.
		w.uinput = strings.TrimPrefix(err.Error(), report.ErrKeysUnavailable.Error()+": ")
	}
	b.lookAtPortal(ctx, w)
	if w.compositor == "" && w.display == "" && w.uinput == "" {
		w.console = textRow(consoleTypes())
	}
	return w
}

// textRow is the row of what keeps a console from typing; empty: nothing does.
func textRow(err error) report.Check {
	if f, ok := errors.AsType[*report.Fault](err); ok {
		return report.Check{Name: f.Check, Status: report.Warning, Message: "no text is typed: " + f.Error(), Fix: f.Fix}
	}
	return report.Check{}
}

func (b *Backend) lookAtCompositor(ctx context.Context, w *world) {
	c, err := wayland.Dial(ctx, w.compositor)
	if err != nil {
		w.wayland, w.compositor = err.Error(), ""
		return
	}
	defer c.Close()
	if _, ok := c.Find(virtualKeyboard); !ok {
		w.wayland = "the compositor lacks " + virtualKeyboard
	}
	_, w.pointer = c.Find(virtualPointer)
}

// lookAtPortal asks for the portal only where it may be needed: asking starts it.
func (b *Backend) lookAtPortal(ctx context.Context, w *world) {
	switch {
	case b.portal == nil:
		w.portal = "there is no message bus"
		return
	case w.compositor == "":
		w.portal = "there is no compositor"
		return
	}
	w.granted = b.portal.Granted()
	if b.backend() == byPortal || w.wayland != "" && (w.uinput != "" || w.granted) {
		if err := b.portal.Available(ctx); err != nil {
			w.portal = err.Error()
		}
	}
}

// environment is our own, and that of the service manager, to which desktops tell where they are:
// we may be older than the desktop.
func (b *Backend) environment(ctx context.Context) func(string) string {
	var manager map[string]string
	if b.getenv("WAYLAND_DISPLAY") == "" && b.getenv("DISPLAY") == "" && b.bus != nil {
		ctx, cancel := context.WithTimeout(ctx, askWithin)
		defer cancel()
		if c, err := b.bus.Conn(ctx); err == nil {
			if all, err := systemd.Environment(ctx, c); err == nil {
				manager = all
			}
		}
	}
	return func(name string) string {
		if v := b.getenv(name); v != "" {
			return v
		}
		return manager[name]
	}
}

// compositor is the socket of the compositor, or empty.
func compositor(env func(string) string, dir string) string {
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
		if c, err := net.DialTimeout("unix", s, askWithin); err == nil { //nolint:noctx // it is bounded
			_ = c.Close()
			return s
		}
	}
	return ""
}

// ownDisplay is an X server of the user's own, or empty. Others would not let us in.
func ownDisplay() string {
	sockets, _ := filepath.Glob(filepath.Join(x11.Sockets, "X*"))
	slices.Sort(sockets)
	for _, s := range sockets {
		if owned(s) {
			return ":" + strings.TrimPrefix(filepath.Base(s), "X")
		}
	}
	return ""
}

// owned says whether a file is ours.
func owned(path string) bool {
	fi, err := os.Stat(path)
	if err != nil {
		return false
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) == os.Geteuid()
}
