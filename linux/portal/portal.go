//go:build linux

package portal

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/held"
)

const (
	name       = "org.freedesktop.portal.Desktop"
	root       = dbus.ObjectPath("/org/freedesktop/portal/desktop")
	remote     = "org.freedesktop.portal.RemoteDesktop"
	cast       = "org.freedesktop.portal.ScreenCast"
	requested  = "org.freedesktop.portal.Request"
	sessions   = "org.freedesktop.portal.Session"
	driver     = "org.freedesktop.DBus"
	properties = driver + ".Properties"

	// answerWithin is how long a call may take, startWithin those before the session: they start the portal.
	// The user's answer may take askWithin.
	answerWithin = 2 * time.Second
	startWithin  = 10 * time.Second
	askWithin    = 2 * time.Minute
	// atOnce is how long the first who needs it waits, for desktops that do not ask.
	atOnce = 500 * time.Millisecond
)

// What a Portal cannot do yet, or not at all.
var (
	ErrAsked   = errors.New("the desktop asks whether midimon may control the computer: allow it there")
	ErrRefused = errors.New("midimon may not control the computer, the desktop was told; midimonctl restart asks again")
)

// A Portal is the desktop's. Its methods may be called from anywhere.
type Portal struct {
	bus   *bus.Bus
	token string // the file of the permission that lasts; empty: it is not kept
	path  string // the file of what is down
	wait  time.Duration

	mu      sync.Mutex
	conn    *dbus.Conn // the session's own: it ends with it
	session dbus.ObjectPath
	screens []screen      // by which places are told; none: the session has only keys and what moves by so much
	blind   error         // why there are none, for good
	asking  chan struct{} // not nil: under way, and closed at the end
	patient bool          // somebody has waited for the answer
	failed  error         // why asking led to nothing
	refused bool
	down    []uint16      // what the desktop holds down for us, sessions that ended included
	held    *held.File    // nil: not opened
	over    chan struct{} // closed at the end of a session, and when one is refused
}

// New is the portal on a bus. Nothing is asked. Token is the file in which the permission is kept, held
// that of what is down; empty, and there is none.
func New(desk *bus.Bus, token, held string) *Portal {
	return &Portal{bus: desk, token: token, path: held, wait: atOnce, over: make(chan struct{})}
}

// Available says why there is no such portal, or none for us. It starts the portal.
func (p *Portal) Available(ctx context.Context) error {
	if p.Refused() {
		return ErrRefused
	}
	c, err := p.bus.Conn(ctx)
	if err != nil {
		return err
	}
	_, err = version(ctx, c)
	return err
}

// Refused says whether the user does not allow it.
func (p *Portal) Refused() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refused
}

// Granted says whether the user has allowed it already.
func (p *Portal) Granted() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.session != "" {
		return true
	}
	return !p.refused && slices.ContainsFunc(p.tokens(), exists)
}

// Over is closed when the session that there is or will be ends, or is refused.
func (p *Portal) Over() <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.over
}

func version(ctx context.Context, c *dbus.Conn) (uint32, error) {
	ctx, cancel := context.WithTimeout(ctx, startWithin)
	defer cancel()
	var v dbus.Variant
	if err := c.Object(name, root).CallWithContext(ctx, properties+".Get", 0, remote, "version").Store(&v); err != nil {
		return 0, fmt.Errorf("the desktop has no portal for remote control: %w", err)
	}
	n, _ := v.Value().(uint32)
	return n, nil
}

// ready returns the session, which has screens if they are needed. Without one it is asked for, unless
// that was refused.
func (p *Portal) ready(ctx context.Context, screens bool) (*dbus.Conn, dbus.ObjectPath, error) {
	p.mu.Lock()
	if c, session, err := p.known(screens); c != nil || err != nil {
		p.mu.Unlock()
		return c, session, err
	}
	if p.asking == nil {
		p.asking, p.patient = make(chan struct{}), false
		// What was allowed before is asked for at once: one question is enough.
		go p.ask(p.asking, screens || p.blind == nil && p.token != "" && exists(p.token+withScreens))
	}
	asking, waited := p.asking, p.patient
	p.patient = true
	p.mu.Unlock()
	if waited { // who presses now is not kept waiting again
		return nil, "", ErrAsked
	}
	late := time.NewTimer(p.wait)
	defer late.Stop()
	select {
	case <-asking:
	case <-late.C:
		return nil, "", ErrAsked
	case <-ctx.Done():
		return nil, "", ctx.Err()
	}
	p.mu.Lock()
	c, session, err := p.known(screens)
	failed := p.failed
	p.mu.Unlock()
	switch {
	case c != nil || err != nil:
		return c, session, err
	case failed == nil, !screens && errors.Is(failed, errNoScreens): // it was asked for something else
		return p.ready(ctx, screens)
	}
	return nil, "", failed
}

// known is what needs no question: the session, or the answer that there will be none. The lock is held.
func (p *Portal) known(screens bool) (*dbus.Conn, dbus.ObjectPath, error) {
	switch {
	case p.session != "" && (!screens || len(p.screens) > 0):
		return p.conn, p.session, nil
	case p.refused:
		return nil, "", ErrRefused
	case screens && p.blind != nil:
		return nil, "", p.blind
	}
	return nil, "", nil
}

// ask asks for a session and follows it to its end. One that has screens takes the place of one that has
// not, which is not touched when the screens are refused.
func (p *Portal) ask(done chan struct{}, screens bool) {
	ctx, cancel := context.WithTimeout(context.Background(), askWithin)
	r, session, err := p.start(ctx, screens)
	cancel()
	p.mu.Lock()
	refused := errors.Is(err, ErrRefused)
	switch {
	case err == nil:
		p.letGo(r.conn, session)
		if p.conn != nil {
			_ = p.conn.Close() // and with it the session
		}
		p.conn, p.session, p.screens = r.conn, session, r.screens
		if screens && len(p.screens) == 0 {
			p.blind = errNoScreens
		}
	case screens && (refused && p.session != "" || errors.Is(err, errNoScreens)):
		p.blind, refused = errNoScreens, false
	}
	p.failed, p.refused = err, p.refused || refused
	if refused {
		for _, path := range p.tokens() { // they are worth nothing any more
			_ = os.Remove(path)
		}
		p.ended()
	}
	p.asking = nil
	close(done)
	p.mu.Unlock()
	if err != nil {
		return
	}
	r.until()
	_ = r.conn.Close()
	p.mu.Lock()
	if p.conn == r.conn {
		p.ended()
	}
	p.mu.Unlock()
}

// ended forgets the session. The lock is held.
func (p *Portal) ended() {
	p.conn, p.session, p.screens = nil, "", nil
	close(p.over)
	p.over = make(chan struct{})
}

// Recover has whatever a midimon before left down released, which needs a session.
func (p *Portal) Recover(ctx context.Context) error {
	p.mu.Lock()
	err := p.open()
	left := len(p.down)
	p.mu.Unlock()
	if left > 0 && err == nil {
		_, _, err = p.ready(ctx, false)
	}
	return err
}

// open reads what was left down. The lock is held.
func (p *Portal) open() (err error) {
	if p.held == nil {
		p.held, p.down, err = held.Open(p.path)
	}
	return err
}

// record keeps what goes down and comes up.
func (p *Portal) record(code uint16, down bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.open(); err != nil {
		return err
	}
	p.down = slices.DeleteFunc(p.down, func(c uint16) bool { return c == code })
	if down {
		p.down = append(p.down, code)
	}
	return p.held.Write(p.down)
}

// letGo releases what is down of other sessions: desktops keep it so. The lock is held.
func (p *Portal) letGo(c *dbus.Conn, session dbus.ObjectPath) {
	_ = p.open() // there may be no place for it
	for i := len(p.down) - 1; i >= 0; i-- {
		_ = call(context.Background(), c, session, method(p.down[i]), []any{int32(p.down[i]), uint32(0)}) // the next session tries again
	}
	p.down = nil
	_ = p.held.Write(nil)
}

// method presses what has that code of the kernel.
func method(code uint16) string {
	if code >= 0x110 && code < 0x120 {
		return "NotifyPointerButton"
	}
	return "NotifyKeyboardKeycode"
}

// notify has one thing done.
func (p *Portal) notify(ctx context.Context, method string, args ...any) error {
	c, session, err := p.ready(ctx, false)
	if err != nil {
		return err
	}
	return call(ctx, c, session, method, args)
}

func call(ctx context.Context, c *dbus.Conn, session dbus.ObjectPath, method string, args []any) error {
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	err := c.Object(name, root).CallWithContext(ctx, remote+"."+method, 0, append([]any{session, options{}}, args...)...).Err
	if err != nil {
		return fmt.Errorf("the desktop's portal does not do it (%s): %w", method, err)
	}
	return nil
}

// Key presses or releases a key, or a button of the mouse, by the kernel's code.
func (p *Portal) Key(ctx context.Context, code uint16, down bool) error {
	if !down {
		return p.release(ctx, method(code), int32(code), func() error { return p.record(code, false) })
	}
	if _, _, err := p.ready(ctx, false); err != nil {
		return err
	}
	if err := p.record(code, true); err != nil {
		return err
	}
	return p.notify(ctx, method(code), int32(code), uint32(1))
}

// release is for what comes up again. Without a session it stays recorded, for the next.
func (p *Portal) release(ctx context.Context, method string, what int32, done func() error) error {
	p.mu.Lock()
	c, session := p.conn, p.session
	p.mu.Unlock()
	if session == "" {
		return nil
	}
	if err := call(ctx, c, session, method, []any{what, uint32(0)}); err != nil {
		return err
	}
	return done()
}

// Sym presses or releases what types a keysym, in the layout that is chosen.
func (p *Portal) Sym(ctx context.Context, sym uint32, down bool) error {
	if !down {
		return p.release(ctx, "NotifyKeyboardKeysym", int32(sym), func() error { return nil })
	}
	return p.notify(ctx, "NotifyKeyboardKeysym", int32(sym), uint32(1))
}

// MoveBy moves the mouse by so many pixels.
func (p *Portal) MoveBy(ctx context.Context, x, y int32) error {
	return p.notify(ctx, "NotifyPointerMotion", float64(x), float64(y))
}

// Scroll turns the wheel by so many notches, down and right if positive.
func (p *Portal) Scroll(ctx context.Context, x, y int32) error {
	for axis, n := range []int32{y, x} {
		if n == 0 {
			continue
		}
		if err := p.notify(ctx, "NotifyPointerAxisDiscrete", uint32(axis), n); err != nil {
			return err
		}
	}
	return nil
}
