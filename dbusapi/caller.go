package dbusapi

import (
	"context"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// A caller is who calls: the other end of a private connection, or a unique name on the bus.
type caller struct {
	busy  bool    // a call that takes long is under way
	queue []*call // what came meanwhile
	holds bool    // the Backend must be told when it is gone
}

func (w *caller) waiting() bool { return w != nil && w.busy }

// of is the caller of that name, made if it is new.
func (c *conn) of(name string) *caller {
	w := c.callers[name]
	if w == nil {
		w = &caller{}
		c.callers[name] = w
	}
	return w
}

// settle forgets a caller of whom nothing is to be remembered.
func (c *conn) settle(name string, w *caller) {
	if !w.busy && !w.holds && len(w.queue) == 0 {
		delete(c.callers, name)
	}
}

// take takes a call: it is served now, or when the caller's last one has its reply.
func (c *conn) take(k *call) {
	w := c.callers[k.sender]
	switch {
	case !w.waiting():
		c.serve(k)
	case len(w.queue) < maxCalls:
		w.queue = append(w.queue, k)
	default:
		c.reply(answer{call: k, err: standard("LimitsExceeded", "%d calls wait already", maxCalls)})
	}
}

// serve performs a call, or begins to.
func (c *conn) serve(k *call) {
	method, slow, err := c.find(k)
	switch {
	case err != nil:
		c.reply(answer{call: k, err: err})
	case slow:
		c.of(k.sender).busy = true
		go func() {
			o := c.perform(k, method)
			select {
			case c.done <- o:
			case <-c.ctx.Done():
			}
		}()
	default:
		c.reply(c.perform(k, method))
	}
}

// finish answers a call that took long and goes on with what its caller sent meanwhile.
func (c *conn) finish(o answer) {
	c.reply(o)
	name := o.call.sender
	w := c.of(name)
	w.busy = false
	for !w.busy && len(w.queue) > 0 {
		next := w.queue[0]
		w.queue = w.queue[1:]
		c.serve(next)
	}
	c.settle(name, w)
}

// holder is what the Backend knows a caller by: no two are the same, ever.
func (k *call) holder() string { return k.conn.id + "/" + k.sender }

// holds says, if err is nil, that the caller holds something from now on. It returns err.
func (k *call) holds(err error) error {
	w := k.conn.of(k.sender)
	if err == nil && !w.holds {
		w.holds = true
		if !k.conn.private {
			go k.conn.watch(k.sender)
		}
	}
	k.conn.settle(k.sender, w)
	return err
}

// mine is the caller that the Backend knows by that name, if it calls on this connection.
func (c *conn) mine(holder string) (caller string, ok bool) {
	return strings.CutPrefix(holder, c.id+"/")
}

// ownerChanges match when a caller leaves the bus.
func ownerChanges(name string) []dbus.MatchOption {
	return []dbus.MatchOption{
		dbus.WithMatchInterface(busInterface), dbus.WithMatchSender(busInterface),
		dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, name),
	}
}

// watch has the bus tell when a caller leaves it. One that has left already is gone; so is one
// of whom the bus will not tell, or what it holds would be held for ever.
func (c *conn) watch(name string) {
	ctx, cancel := context.WithTimeout(c.ctx, c.server.callTimeout)
	defer cancel()
	there := false
	err := c.bus.AddMatchSignalContext(ctx, ownerChanges(name)...)
	if err == nil {
		err = c.bus.BusObject().CallWithContext(ctx, busInterface+".NameHasOwner", 0, name).Store(&there)
	}
	if err != nil || !there {
		c.left(name)
	}
}

// left says that a caller is gone.
func (c *conn) left(name string) {
	select {
	case c.gone <- name:
	case <-c.ctx.Done():
	}
}

// DeliverSignal hears from the bus who left it, and that our name is free. The reader calls it.
func (c *conn) DeliverSignal(iface, member string, s *dbus.Signal) {
	if c.private || iface != busInterface || member != "NameOwnerChanged" || len(s.Body) != 3 || s.Body[2] != "" {
		return
	}
	switch name, _ := s.Body[0].(string); name {
	case "":
	case BusName:
		select {
		case c.freed <- struct{}{}:
		default:
		}
	default:
		c.left(name)
	}
}

// forget ends what a caller that is gone holds and waits for.
func (c *conn) forget(name string) {
	c.monitor.release(name)
	w := c.callers[name]
	if w == nil {
		return
	}
	w.queue = nil
	if w.holds {
		w.holds = false
		c.release(name)
		go func() {
			ctx, cancel := context.WithTimeout(c.ctx, c.server.callTimeout)
			defer cancel()
			_ = c.bus.RemoveMatchSignalContext(ctx, ownerChanges(name)...) // else the connection is at its end
		}()
	}
	c.settle(name, w)
	c.changes.flush(time.Now())
}

// leave ends what the callers of a connection that ended hold.
func (c *conn) leave() {
	c.monitor.close()
	for name, w := range c.callers {
		if w.holds {
			c.release(name)
		}
	}
}

func (c *conn) release(name string) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.ctx), c.server.callTimeout)
	defer cancel()
	if err := c.server.backend.Gone(ctx, c.id+"/"+name); err != nil {
		c.server.log.Debug("cannot end what a caller held", "caller", name, "err", err)
	}
}
