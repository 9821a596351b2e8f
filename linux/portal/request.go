//go:build linux

package portal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/godbus/dbus/v5"
)

const (
	keyboardAndPointer = 3
	untilRevoked       = 2
	persists           = 2 // the version of the interface that knows tokens

	// What a user answers: anything else is that the desktop could not ask.
	allowed   = 0
	cancelled = 1
)

type options = map[string]dbus.Variant

// start makes a session: three requests, and one more if it is to have screens.
func (p *Portal) start(ctx context.Context, screens bool) (*requests, dbus.ObjectPath, error) {
	c, err := p.bus.Another()
	if err != nil {
		return nil, "", err
	}
	r := &requests{conn: c, signals: make(chan *dbus.Signal, 16)}
	c.Signal(r.signals)
	session, err := p.negotiate(ctx, r, screens)
	if err != nil {
		_ = c.Close() // the session ends with it
		return nil, "", err
	}
	return r, session, nil
}

func (p *Portal) negotiate(ctx context.Context, r *requests, screens bool) (dbus.ObjectPath, error) {
	n, err := version(ctx, r.conn)
	if err != nil {
		return "", err
	}
	if err := r.conn.AddMatchSignalContext(ctx, dbus.WithMatchInterface(driver), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name)); err != nil {
		return "", err
	}
	results, err := r.do(ctx, remote, "CreateSession", options{"session_handle_token": dbus.MakeVariant("midimon")})
	if err != nil {
		return "", err
	}
	handle, _ := results["session_handle"].Value().(string) // a string, and in no version a path
	session := dbus.ObjectPath(handle)
	if !session.IsValid() {
		return "", fmt.Errorf("the desktop's portal made the session %q, which is none", handle)
	}
	match := []dbus.MatchOption{dbus.WithMatchObjectPath(session), dbus.WithMatchInterface(sessions)}
	if err := r.conn.AddMatchSignalContext(ctx, match...); err != nil {
		return "", err
	}
	wanted := options{"types": dbus.MakeVariant(uint32(keyboardAndPointer))}
	token := p.token
	if screens {
		token += withScreens
	}
	if n >= persists && p.token != "" {
		wanted["persist_mode"] = dbus.MakeVariant(uint32(untilRevoked))
		if b, err := os.ReadFile(token); err == nil {
			wanted["restore_token"] = dbus.MakeVariant(string(b))
		}
	}
	if _, err = r.do(ctx, remote, "SelectDevices", wanted, session); err != nil {
		return "", err
	}
	if screens {
		wanted := options{"types": dbus.MakeVariant(uint32(monitors)), "multiple": dbus.MakeVariant(true)}
		if _, err := r.do(ctx, cast, "SelectSources", wanted, session); err != nil {
			return "", noScreens(err)
		}
	}
	if results, err = r.do(ctx, remote, "Start", options{}, session, ""); err != nil {
		return "", err
	}
	if given, told := results["devices"].Value().(uint32); told && given&keyboardAndPointer == 0 {
		return "", ErrRefused // the screens may be looked at, and that is all
	}
	r.screens = screensOf(results["streams"].Value())
	if given, ok := results["restore_token"].Value().(string); ok && p.token != "" {
		_ = keep(token, given) // without it the desktop asks again, and that is all
	}
	return session, nil
}

// requests are calls that a signal answers, on a connection of their own.
type requests struct {
	conn    *dbus.Conn
	signals chan *dbus.Signal
	n       int
	screens []screen // that the session has
}

func (r *requests) do(ctx context.Context, iface, method string, o options, args ...any) (options, error) {
	r.n++
	token := fmt.Sprintf("midimon%d", r.n)
	o["handle_token"] = dbus.MakeVariant(token)
	sender := strings.ReplaceAll(strings.TrimPrefix(r.conn.Names()[0], ":"), ".", "_")
	path := root + dbus.ObjectPath("/request/"+sender+"/"+token)
	match := []dbus.MatchOption{dbus.WithMatchObjectPath(path), dbus.WithMatchInterface(requested)}
	if err := r.conn.AddMatchSignalContext(ctx, match...); err != nil {
		return nil, err
	}
	defer r.conn.RemoveMatchSignal(match...) //nolint:errcheck // it would only be in vain
	asked, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	if err := r.conn.Object(name, root).CallWithContext(asked, iface+"."+method, 0, append(args, o)...).Err; err != nil {
		return nil, fmt.Errorf("cannot ask the desktop's portal (%s): %w", method, err)
	}
	for {
		select {
		case s, ok := <-r.signals:
			switch {
			case !ok:
				return nil, errors.New("the message bus is gone")
			case s.Path == path && s.Name == requested+".Response" && len(s.Body) == 2:
				return answer(method, s.Body)
			case ends(s):
				return nil, errors.New("the desktop's portal has ended the session")
			}
		case <-ctx.Done():
			return nil, fmt.Errorf("nobody has answered the desktop's question within %v", askWithin)
		}
	}
}

// answer reads the body of a Response.
func answer(method string, body []any) (options, error) {
	code, ok := body[0].(uint32)
	results, isMap := body[1].(options)
	switch {
	case !ok || !isMap:
		return nil, fmt.Errorf("the desktop's portal answers %s with nonsense", method)
	case code == cancelled:
		return nil, ErrRefused
	case code != allowed:
		return nil, fmt.Errorf("the desktop could not ask whether midimon may control the computer (%s: %d)", method, code)
	}
	return results, nil
}

// until returns at the end of the session, which is also that of the connection.
func (r *requests) until() {
	for s := range r.signals {
		if ends(s) {
			return
		}
	}
}

// ends says whether a signal is the end of the session: a screen that is locked ends it on some desktops,
// and the portal itself may end.
func ends(s *dbus.Signal) bool {
	switch s.Name {
	case sessions + ".Closed":
		return true
	case driver + ".NameOwnerChanged":
		return len(s.Body) == 3 && s.Body[0] == name && s.Body[2] == ""
	}
	return false
}
