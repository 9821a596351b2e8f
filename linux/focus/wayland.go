//go:build linux

package focus

import (
	"context"
	"encoding/binary"
	"net"

	"github.com/amiable-dev/midimon/linux/display"
	"github.com/amiable-dev/midimon/linux/wayland"
)

// From wlr-foreign-toplevel-management-unstable-v1, by which compositors tell panels of their windows.
const (
	toplevelManager = "zwlr_foreign_toplevel_manager_v1"

	managerToplevel = 0
	managerFinished = 1

	toplevelDestroy = 7

	toplevelAppID  = 1
	toplevelState  = 4
	toplevelDone   = 5
	toplevelClosed = 6

	stateActivated = 2
)

// compositor is the socket of one that listens; empty: there is none.
func compositor(ctx context.Context, env func(string) string) string {
	path := display.Compositor(env)
	if path == "" {
		return ""
	}
	c, err := (&net.Dialer{Timeout: answerWithin}).DialContext(ctx, "unix", path)
	if err != nil {
		return "" // it is left over from another time
	}
	_ = c.Close()
	return path
}

// wayland follows any compositor that tells panels of its windows: labwc, river, Wayfire and others of
// wlroots, which have no better way.
func (w *Watcher) wayland(ctx context.Context, tell func(string)) error {
	path := compositor(ctx, display.Environment(ctx, w.user, w.getenv))
	if path == "" {
		return errAbsent
	}
	c, err := wayland.Dial(ctx, path)
	if err != nil {
		return err
	}
	defer c.Close()
	g, ok := c.Find(toplevelManager)
	if !ok {
		return errAbsent
	}
	stop := context.AfterFunc(ctx, c.Close)
	defer stop()
	t := &toplevels{conn: c, count: 1, news: make(chan active, 1)}
	if _, err := c.Bind(g, 1, t.managed); err != nil {
		return err
	}
	if err := c.Sync(ctx); err != nil { // it has told of all that are there
		return err
	}
	leave(t.news, active{count: 1}, newer) // without a window nothing else is said
	return order(c.Done(), t.news, tell)
}

// toplevels are the windows. They are the connection's own goroutine's.
type toplevels struct {
	conn  *wayland.Conn
	front *toplevel // nil: none has the focus
	count int32     // of the news
	news  chan active
}

// A toplevel is one window.
type toplevel struct {
	app       string
	activated bool
}

func (t *toplevels) managed(opcode uint16, a *wayland.Args) {
	switch opcode {
	case managerToplevel:
		id, one := a.Uint(), &toplevel{}
		t.conn.On(id, func(opcode uint16, a *wayland.Args) { t.told(id, one, opcode, a) })
	case managerFinished: // it tells nothing more
		go t.conn.Close() // which waits for who reads, and that is us
	}
}

// told takes what is told of a window. It counts with the event done, all at once.
func (t *toplevels) told(id uint32, one *toplevel, opcode uint16, a *wayland.Args) {
	was := t.front
	switch opcode {
	case toplevelAppID:
		one.app = a.String()
		return
	case toplevelState:
		one.activated = false
		for b := a.Array(); len(b) >= 4; b = b[4:] {
			one.activated = one.activated || binary.NativeEndian.Uint32(b) == stateActivated
		}
		return
	case toplevelClosed:
		one.activated = false
		t.conn.On(id, nil)
		_ = t.conn.Send(wayland.Append(nil, id, toplevelDestroy)) // who cannot be told is lost
	case toplevelDone:
	default:
		return
	}
	switch {
	case one.activated:
		t.front = one
	case was == one:
		t.front = nil
	default:
		return // it is behind others
	}
	app := ""
	if t.front != nil {
		app = t.front.app
	}
	t.count++
	leave(t.news, active{t.count, app}, newer)
}
