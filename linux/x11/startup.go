//go:build linux

package x11

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/jezek/xgb"
	"github.com/jezek/xgb/xproto"
)

// The messages of the Startup Notification Protocol 0.1: a text in pieces of so many bytes, of which the
// first has a type of its own. Readers take no text that is longer than maxStartup.
const (
	startupBegin = "_NET_STARTUP_INFO_BEGIN"
	startupMore  = "_NET_STARTUP_INFO"
	startupPiece = 20
	maxStartup   = 4096
)

// A Startup is what a desktop is told of a program that starts.
type Startup struct {
	Name  string // for people
	Class string // of its window: by that the desktop knows it where it does not say itself that it is there; may be empty
}

// Announce tells the desktop of a display that a program starts now, and returns by which id the program
// says that it is there ($DESKTOP_STARTUP_ID). Its window then may come to the front, as one that was asked
// for at this moment, and comes to the workspace that is shown at this moment.
func Announce(ctx context.Context, display, authority string, s Startup) (id string, err error) {
	err = broadcast(ctx, display, authority, func(c *xgb.Conn, w xproto.Window) (string, error) {
		at, err := serverTime(c, w)
		if err != nil {
			return "", err
		}
		id = fmt.Sprintf("midimon-%d-%s_TIME%d", os.Getpid(), rand.Text(), at)
		text := fmt.Sprintf("new: ID=%s NAME=%s SCREEN=0", quoted(id), quoted(s.Name))
		if n, ok := workspace(c); ok {
			text += fmt.Sprint(" DESKTOP=", n)
		}
		if s.Class != "" {
			text += " WMCLASS=" + quoted(s.Class)
		}
		return text, nil
	})
	if err != nil {
		return "", fmt.Errorf("cannot announce %s: %w", s.Name, err)
	}
	return id, nil
}

// Withdraw tells that no program will say of an id that it is there.
func Withdraw(ctx context.Context, display, authority, id string) error {
	return broadcast(ctx, display, authority, func(*xgb.Conn, xproto.Window) (string, error) {
		return "remove: ID=" + quoted(id), nil
	})
}

// broadcast sends who listens at the root window a text, on a connection of its own and in the name of a
// window that is nobody else's.
func broadcast(ctx context.Context, display, authority string, text func(*xgb.Conn, xproto.Window) (string, error)) error {
	c, socket, err := dial(ctx, display, authority)
	if err != nil {
		return err
	}
	defer c.Close()
	late := time.AfterFunc(greetWithin, func() { _ = socket.Close() })
	defer late.Stop()
	stop := context.AfterFunc(ctx, func() { _ = socket.Close() })
	defer stop()
	w, err := xproto.NewWindowId(c)
	if err != nil {
		return err
	}
	screen := xproto.Setup(c).DefaultScreen(c)
	if err := xproto.CreateWindowChecked(c, 0, w, screen.Root, -1, -1, 1, 1, 0, xproto.WindowClassInputOnly, 0,
		xproto.CwOverrideRedirect|xproto.CwEventMask, []uint32{1, xproto.EventMaskPropertyChange}).Check(); err != nil {
		return err
	}
	said, err := text(c, w)
	if err != nil {
		return err
	}
	first, err := Atom(c, startupBegin)
	if err != nil {
		return err
	}
	more, err := Atom(c, startupMore)
	if err != nil {
		return err
	}
	kind := first
	for _, piece := range pieces(said) {
		e := xproto.ClientMessageEvent{Format: 8, Window: w, Type: kind, Data: xproto.ClientMessageDataUnionData8New(piece)}
		xproto.SendEvent(c, false, screen.Root, xproto.EventMaskPropertyChange, string(e.Bytes()))
		kind = more
	}
	return xproto.DestroyWindowChecked(c, w).Check() // the server has sent on what came before
}

// pieces are a text and its end, in messages that are filled up with zeros.
func pieces(text string) (all [][]byte) {
	for b := append([]byte(text), 0); len(b) > 0; {
		piece := make([]byte, startupPiece)
		b = b[copy(piece, b):]
		all = append(all, piece)
	}
	return all
}

// quoted is a value as the messages have it. One that cannot be in a message is cut.
func quoted(value string) string {
	const most = maxStartup / 16 // bytes; each may become two
	value, _, _ = strings.Cut(value, "\x00")
	if len(value) > most {
		value = strings.ToValidUTF8(value[:most], "")
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(value) + `"`
}

// serverTime is the time of the server, which it tells with each change of a property.
func serverTime(c *xgb.Conn, w xproto.Window) (xproto.Timestamp, error) {
	xproto.ChangeProperty(c, xproto.PropModeAppend, w, xproto.AtomWmName, xproto.AtomString, 8, 0, nil)
	for {
		e, err := c.WaitForEvent()
		switch e := e.(type) {
		case xproto.PropertyNotifyEvent:
			return e.Time, nil
		case nil:
			if err == nil {
				return 0, errGone
			}
			return 0, err
		}
	}
}

// workspace is the one that is shown, by its number, if the window manager tells (EWMH 1.5,
// _NET_CURRENT_DESKTOP).
func workspace(c *xgb.Conn) (n uint32, ok bool) {
	current, err := Atom(c, "_NET_CURRENT_DESKTOP")
	if err != nil {
		return 0, false
	}
	r, err := xproto.GetProperty(c, false, xproto.Setup(c).DefaultScreen(c).Root, current, xproto.AtomCardinal, 0, 1).Reply()
	if err != nil || len(r.Value) < 4 {
		return 0, false
	}
	return binary.NativeEndian.Uint32(r.Value), true
}

// Atom is the server's number of a name.
func Atom(c *xgb.Conn, name string) (xproto.Atom, error) {
	r, err := xproto.InternAtom(c, false, uint16(len(name)), name).Reply()
	if err != nil {
		return 0, err
	}
	return r.Atom, nil
}
