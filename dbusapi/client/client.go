// Package client talks to a running midimon: it finds it, calls it and turns what it answers
// into plain data. It prints nothing and knows no command line.
package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"syscall"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
)

// ErrNotRunning says that there is no daemon to talk to, and that none was started.
var ErrNotRunning = errors.New("midimon is not running")

// An Error is what the daemon or the bus answered instead of a result.
type Error struct {
	Name string // of the D-Bus error
	Text string // for people
}

func (e *Error) Error() string { return e.Text }

// Is says whether e has that name below com.amiable.Midimon1.Error.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && e.Name == dbusapi.ErrorPrefix+t.Name
}

// Errors that callers tell apart; for errors.Is.
var (
	ErrConfigInvalid error = &Error{Name: "ConfigInvalid"} // Reload: the file has errors
	ErrUnknownCookie error = &Error{Name: "UnknownCookie"} // Keep: that generation does not wait to be kept
)

// A Client is a connection to the daemon, or to the bus on which it is to be.
type Client struct {
	conn  *dbus.Conn
	link  *eager
	heard *heard
	root  dbus.BusObject
	flag  dbus.Flags
}

// Dial connects to a D-Bus address: a bus or a private socket. The connection ends with ctx.
// With start, a call may make the bus start the daemon. That nobody speaks D-Bus there shows
// at the first call.
func Dial(ctx context.Context, address string, start bool) (*Client, error) {
	socket, err := dbusapi.DialSocket(ctx, address)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ECONNREFUSED):
		return nil, fmt.Errorf("%w: nobody answers at %s", ErrNotRunning, address)
	case err != nil:
		return nil, fmt.Errorf("cannot connect to %s: %w", address, err)
	}
	// godbus' own waits know no context; a closed socket ends them all.
	context.AfterFunc(ctx, func() { _ = socket.Close() })
	link := newEager(socket)
	heard := newHeard()
	conn, err := dbus.NewConn(link, dbus.WithContext(ctx), dbus.WithSignalHandler(heard))
	if err == nil {
		err = conn.Auth([]dbus.Auth{dbus.AuthExternal("")})
	}
	if err != nil {
		_ = socket.Close()
		return nil, fmt.Errorf("cannot connect to %s: %w", address, err)
	}
	// Its answer need not be waited for: it comes before that to any other call. The private
	// socket answers it too.
	conn.BusObject().Go("org.freedesktop.DBus.Hello", 0, make(chan *dbus.Call, 1))
	c := &Client{conn: conn, link: link, heard: heard, root: conn.Object(dbusapi.BusName, dbusapi.RootPath)}
	if !start {
		c.flag = dbus.FlagNoAutoStart
	}
	return c, nil
}

// ErrLost says that the connection ended before its context did: the daemon, or its bus, is gone.
var ErrLost = errors.New("midimon has ended")

// Close ends the connection.
func (c *Client) Close() error { return c.conn.Close() }

// call calls a method of the root object and stores its results.
func (c *Client) call(ctx context.Context, method string, args []any, results ...any) error {
	err := answer(ctx, c.root.CallWithContext(ctx, method, c.flag, args...), results...)
	if _, hung := errors.AsType[*lost](err); !hung {
		return err
	}
	// A call can be refused by the socket before why has been read from it.
	select {
	case <-c.conn.Context().Done():
	case <-ctx.Done():
	}
	if why := c.link.refusal.Load(); why != nil {
		return *why
	}
	return err
}

func answer(ctx context.Context, call *dbus.Call, results ...any) error {
	return cause(ctx, call.Store(results...))
}

// lost is the error of a connection that ended under a call, in words for people.
type lost struct{ cause error }

func (*lost) Error() string {
	return "midimon hung up: it is about to end, or has as many clients as it takes"
}
func (l *lost) Unwrap() error { return l.cause }

// hungUp says whether the other side ended the connection.
func hungUp(err error) bool {
	for _, end := range []error{io.EOF, syscall.ECONNRESET, syscall.EPIPE, dbus.ErrClosed} {
		if errors.Is(err, end) {
			return true
		}
	}
	return false
}

// cause makes of godbus' errors those of this package.
func cause(ctx context.Context, err error) error {
	var e dbus.Error
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case hungUp(err):
		return &lost{err}
	case !errors.As(err, &e):
		return err
	}
	switch e.Name {
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner":
		return fmt.Errorf("%w: nobody has the name %s on the bus", ErrNotRunning, dbusapi.BusName)
	}
	return &Error{Name: e.Name, Text: e.Error()}
}
