//go:build linux

package keys

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/display"
	"github.com/amiable-dev/midimon/linux/uinput"
	"github.com/amiable-dev/midimon/linux/wayland"
	"github.com/amiable-dev/midimon/linux/x11"
)

const (
	virtualKeyboard = "zwp_virtual_keyboard_manager_v1"
	virtualPointer  = "zwlr_virtual_pointer_manager_v1"
)

// look looks at what the desktop offers now.
func (b *Backend) look(ctx context.Context) *world {
	w := &world{}
	env := display.Environment(ctx, b.bus, b.getenv)
	if w.compositor = display.Compositor(env); w.compositor == "" {
		w.wayland = "there is no compositor"
	} else {
		b.lookAtCompositor(ctx, w)
	}
	w.display, w.authority = env("DISPLAY"), display.Authority(env)
	if w.display == "" && w.compositor == "" {
		w.display = ownDisplay()
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
