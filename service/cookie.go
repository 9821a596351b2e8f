package service

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// How many cookies a caller may hold, and all together.
const (
	cookiesEach = 32
	cookiesAll  = 1024
)

// cookies are what callers hold. The board's goroutine owns them.
type cookies struct {
	last  uint32
	holds []hold
	quiet []inhibition
}

// hold is a mode held for a caller.
type hold struct {
	cookie, id uint32 // the engine's
	caller     string
}

// inhibition is a caller's wish for quiet.
type inhibition struct {
	cookie uint32
	caller string
	report.Inhibitor
}

// next is a cookie that is not held.
func (c *cookies) next() uint32 {
	for {
		c.last++
		if c.last != 0 && !slices.ContainsFunc(c.holds, func(h hold) bool { return h.cookie == c.last }) &&
			!slices.ContainsFunc(c.quiet, func(i inhibition) bool { return i.cookie == c.last }) {
			return c.last
		}
	}
}

// room says whether a caller may have another cookie.
func (c *cookies) room(caller string) error {
	n := 0
	for _, h := range c.holds {
		if h.caller == caller {
			n++
		}
	}
	for _, i := range c.quiet {
		if i.caller == caller {
			n++
		}
	}
	switch {
	case n >= cookiesEach:
		return fmt.Errorf("%w: a caller holds at most %d cookies", report.ErrTooMany, cookiesEach)
	case len(c.holds)+len(c.quiet) >= cookiesAll:
		return fmt.Errorf("%w: there are at most %d cookies", report.ErrTooMany, cookiesAll)
	}
	return nil
}

// inhibitors are who asked for quiet.
func (c *cookies) inhibitors() []report.Inhibitor {
	var out []report.Inhibitor
	for _, i := range c.quiet {
		out = append(out, i.Inhibitor)
	}
	return out
}

// HoldMode makes the named mode act until ReleaseMode with the cookie, until a newer one is
// held, or until the caller is Gone. Reason and app are for people. Errors:
// report.ErrUnknownMode, report.ErrTooMany.
func (d *Daemon) HoldMode(ctx context.Context, caller, name, reason, app string) (cookie uint32, err error) {
	d.board.post(func() { err = d.board.cookies.room(caller) })
	if err != nil {
		return 0, err
	}
	var id uint32
	if err := d.inMode(ctx, name, func(e *engine.Engine, mode int, now time.Duration, out []effect.Effect) []effect.Effect {
		id, out = e.HoldMode(mode, now, out)
		return out
	}); err != nil {
		return 0, err
	}
	d.board.post(func() {
		c := &d.board.cookies
		cookie = c.next()
		c.holds = append(c.holds, hold{cookie, id, caller})
	})
	d.o.Log.Debug("mode held", "mode", name, "app", app, "reason", reason)
	return cookie, nil
}

// ReleaseMode ends a HoldMode of that caller. Error: report.ErrUnknownCookie.
func (d *Daemon) ReleaseMode(ctx context.Context, caller string, cookie uint32) error {
	held := d.takeHolds(func(h hold) bool { return h.cookie == cookie && h.caller == caller })
	if len(held) == 0 {
		return fmt.Errorf("%w: %d", report.ErrUnknownCookie, cookie)
	}
	return d.release(ctx, held)
}

// takeHolds takes holds off the board.
func (d *Daemon) takeHolds(which func(hold) bool) (taken []hold) {
	d.board.post(func() {
		c := &d.board.cookies
		c.holds = slices.DeleteFunc(c.holds, func(h hold) bool {
			if which(h) {
				taken = append(taken, h)
				return true
			}
			return false
		})
	})
	return taken
}

func (d *Daemon) release(ctx context.Context, held []hold) error {
	if len(held) == 0 {
		return nil
	}
	return d.change(ctx, func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
		for _, h := range held {
			_, out = e.ReleaseMode(h.id, now, out)
		}
		return out
	})
}

// Inhibit closes the gate of all actions until Uninhibit with the cookie, or until the caller
// is Gone. Error: report.ErrTooMany.
func (d *Daemon) Inhibit(ctx context.Context, caller string, by report.Inhibitor) (cookie uint32, err error) {
	d.board.post(func() {
		c := &d.board.cookies
		if err = c.room(caller); err == nil {
			cookie = c.next()
			c.quiet = append(c.quiet, inhibition{cookie, caller, by})
			d.board.quiet.Store(true)
		}
	})
	if err == nil {
		err = d.hush(ctx)
	}
	return cookie, err
}

// Uninhibit ends an Inhibit of that caller. Error: report.ErrUnknownCookie.
func (d *Daemon) Uninhibit(ctx context.Context, caller string, cookie uint32) error {
	if !d.speak(func(i inhibition) bool { return i.cookie == cookie && i.caller == caller }) {
		return fmt.Errorf("%w: %d", report.ErrUnknownCookie, cookie)
	}
	return d.hush(ctx)
}

// speak takes wishes for quiet off the board and says whether there were any.
func (d *Daemon) speak(which func(inhibition) bool) (any bool) {
	d.board.post(func() {
		c := &d.board.cookies
		before := len(c.quiet)
		c.quiet = slices.DeleteFunc(c.quiet, which)
		any = len(c.quiet) < before
		d.board.quiet.Store(len(c.quiet) > 0)
	})
	return any
}

// hush makes the gate what the board says now, which may be more than the caller's own wish.
func (d *Daemon) hush(ctx context.Context) error {
	return d.change(ctx, func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect {
		quiet := d.board.quiet.Load()
		if quiet == d.hushed {
			return out // closing a gate twice would let go twice
		}
		d.hushed = quiet
		return e.SetGate(effect.Inhibited, quiet, now, out)
	})
}

// Gone ends everything that a caller holds.
func (d *Daemon) Gone(ctx context.Context, caller string) error {
	if err := d.release(ctx, d.takeHolds(func(h hold) bool { return h.caller == caller })); err != nil {
		return err
	}
	if d.speak(func(i inhibition) bool { return i.caller == caller }) {
		if err := d.hush(ctx); err != nil {
			return err
		}
	}
	return d.forgetFocus(ctx, caller)
}

// lostHolds tells the holders of modes that are held no longer, though they did not let go.
func (b *board) lostHolds() {
	m := b.modes()
	if m == nil || len(b.cookies.holds) == 0 {
		return
	}
	var lost []hold
	b.cookies.holds = slices.DeleteFunc(b.cookies.holds, func(h hold) bool {
		if slices.Contains(m.Held, h.id) {
			return false
		}
		lost = append(lost, h)
		return true
	})
	for _, h := range lost {
		b.tell(report.Event{Kind: report.ModeHoldReleased, Caller: h.caller, Cookie: h.cookie})
	}
}
