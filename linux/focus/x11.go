//go:build linux

package focus

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"

	"github.com/amiable-dev/midimon/linux/display"
	"github.com/amiable-dev/midimon/linux/x11"
)

// displays are the X servers to try.
func displays(env func(string) string) []string {
	if d := env("DISPLAY"); d != "" {
		return []string{d}
	}
	var all []string
	for _, path := range sockets(x11.Sockets, "X*") {
		if fi, err := os.Stat(path); err == nil && ours(fi) {
			all = append(all, ":"+strings.TrimPrefix(filepath.Base(path), "X"))
		}
	}
	return all
}

// x11 follows what the window manager says (EWMH 1.5, _NET_ACTIVE_WINDOW; ICCCM, WM_CLASS). While
// none does, mute is told why.
func (w *Watcher) x11(ctx context.Context, tell, mute func(string)) error {
	err := errAbsent
	env := display.Environment(ctx, w.user, w.getenv)
	if compositor(ctx, env) != "" || env("WAYLAND_DISPLAY") != "" && env("DISPLAY") == "" {
		return err // X11 knows no Wayland window, so it counts alone
	}
	for _, name := range displays(env) {
		c, dialErr := x11.Dial(ctx, name, display.Authority(env))
		if dialErr != nil {
			err = dialErr
			continue
		}
		stop := context.AfterFunc(ctx, c.Close)
		err = followX11(c, tell, mute)
		if stop() {
			c.Close()
		}
		return err
	}
	return err
}

func followX11(c *xgb.Conn, tell, mute func(string)) error {
	atom, err := x11.Atom(c, "_NET_ACTIVE_WINDOW")
	if err != nil {
		return err
	}
	root := xproto.Setup(c).DefaultScreen(c).Root
	if err := xproto.ChangeWindowAttributesChecked(c, root, xproto.CwEventMask, []uint32{xproto.EventMaskPropertyChange}).Check(); err != nil {
		return err
	}
	get := func(w xproto.Window, a xproto.Atom) []byte {
		r, err := xproto.GetProperty(c, false, w, a, xproto.AtomAny, 0, 1<<10).Reply()
		if err != nil {
			return nil // the window has gone
		}
		return r.Value
	}
	active := get(root, atom)
	for {
		w := windowOf(active)
		switch {
		case len(active) < 4:
			mute("no window manager tells which window is active")
		case w == 0:
			tell("")
		default:
			// Some window managers leave the property as it is when the last window goes, and some applications
			// say what they are when their window is in front already.
			xproto.ChangeWindowAttributes(c, w, xproto.CwEventMask, []uint32{xproto.EventMaskStructureNotify | xproto.EventMaskPropertyChange})
			app := class(get(w, xproto.AtomWmClass))
			if app != "" { // and each new title is of no interest
				xproto.ChangeWindowAttributes(c, w, xproto.CwEventMask, []uint32{xproto.EventMaskStructureNotify})
			}
			tell(app)
		}
		for changed := false; !changed; {
			e, xErr := c.WaitForEvent()
			switch e := e.(type) {
			case nil:
				if xErr == nil {
					return errors.New("the server is gone")
				}
			case xproto.PropertyNotifyEvent:
				changed = e.Window == root && e.Atom == atom || e.Window == w && e.Atom == xproto.AtomWmClass
			case xproto.DestroyNotifyEvent:
				if e.Window == w {
					tell("")
				}
			}
		}
		active = get(root, atom)
	}
}

// windowOf is the window that a property names.
func windowOf(v []byte) xproto.Window {
	if len(v) < 4 {
		return 0
	}
	return xproto.Window(binary.NativeEndian.Uint32(v))
}

// class is the second string of WM_CLASS.
func class(v []byte) string {
	_, rest, _ := bytes.Cut(v, []byte{0})
	name, _, _ := bytes.Cut(rest, []byte{0})
	return string(name)
}

// ours says whether a file is the user's or root's.
func ours(fi os.FileInfo) bool {
	st, ok := fi.Sys().(*syscall.Stat_t)
	return ok && (int(st.Uid) == os.Geteuid() || st.Uid == 0)
}
