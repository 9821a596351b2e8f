package dbusapi

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// BusState is where the connection to the session bus stands.
type BusState string

// The states of the session bus.
const (
	BusConnected BusState = "connected"
	BusAbsent    BusState = "absent"     // no address, or nobody answers there
	BusLost      BusState = "lost"       // it went away; KeepBus waits for it
	BusNameTaken BusState = "name-taken" // the error is a *NameTaken; KeepBus waits for the name
)

// NameTaken says who else has midimon's name on the bus.
type NameTaken struct {
	Owner string // unique name
	Pid   uint32 // 0: not known
	Comm  string // name of its process, or empty
}

func (n *NameTaken) Error() string {
	who := n.Owner
	if n.Pid != 0 {
		who = fmt.Sprintf("process %d", n.Pid)
	}
	if n.Comm != "" {
		who += " (" + n.Comm + ")"
	}
	return fmt.Sprintf("the bus name %s belongs to %s", BusName, who)
}

var errNoAddress = errors.New("no session bus: neither DBUS_SESSION_BUS_ADDRESS nor XDG_RUNTIME_DIR is set")

// KeepBus serves the objects on the session bus at address (see SessionAddress) until ctx is
// done, and connects again whenever the bus comes back. It calls tell, from its own goroutine,
// with the first outcome within a second and then with every change; tell must not block.
func (s *Server) KeepBus(ctx context.Context, address string, tell func(BusState, error)) {
	if address == "" {
		tell(BusAbsent, errNoAddress)
		<-ctx.Done()
		return
	}
	said := BusState("")
	say := func(state BusState, err error) {
		if state != said {
			said = state
			tell(state, err)
		}
	}
	pause, way := minPause, wayTo(address)
	defer way.forget()
	for ctx.Err() == nil {
		connected := false
		err := s.serveBus(ctx, address, func(state BusState, err error) {
			connected = true
			way.forget()
			say(state, err)
		})
		switch {
		case ctx.Err() != nil:
			return
		case connected:
			pause = minPause
			say(BusLost, err)
		case said != BusLost: // which stays said until the bus is back
			say(BusAbsent, err)
		}
		if way.await(ctx, errors.Is(err, fs.ErrNotExist), pause) {
			pause = minPause
		} else {
			pause = min(2*pause, maxPause)
		}
		afterNotes()
	}
}

// A greeting is a connection to the bus that has said Hello, or why there is none.
type greeting struct {
	conn *conn
	err  error
}

// Greet begins to connect to the session bus at address, so that KeepBus, which must follow, finds that done.
func (s *Server) Greet(address string) {
	s.greeted = make(chan greeting, 1)
	go func() { s.greeted <- s.greet(context.Background(), address) }()
}

// greet takes the dialTimeout at most. The connection, and its socket, end with ctx.
func (s *Server) greet(ctx context.Context, address string) greeting {
	dialing, done := context.WithTimeout(ctx, s.dialTimeout)
	defer done()
	socket, err := DialSocket(dialing, address)
	if err != nil {
		return greeting{err: fmt.Errorf("cannot reach the session bus: %w", err)}
	}
	// A bus that accepts and says nothing.
	deadline, _ := dialing.Deadline()
	if err := socket.SetReadDeadline(deadline); err != nil {
		_ = socket.Close()
		return greeting{err: err}
	}
	c, err := s.attach(ctx, newLink(socket, s.writeTimeout), false)
	if err != nil {
		return greeting{err: err}
	}
	if err = c.bus.Hello(); err == nil {
		err = socket.SetReadDeadline(time.Time{})
	}
	if err != nil {
		c.cancel()
		return greeting{err: fmt.Errorf("cannot greet the session bus: %w", err)}
	}
	return greeting{conn: c}
}

// serveBus is one connection to the bus, from its beginning to its end. The first may be made already.
func (s *Server) serveBus(ctx context.Context, address string, say func(BusState, error)) error {
	var g greeting
	if s.greeted == nil {
		g = s.greet(ctx, address)
	} else {
		select {
		case g = <-s.greeted:
			s.greeted = nil
		case <-ctx.Done(): // and the process is about to end
			return ctx.Err()
		}
	}
	if g.err != nil {
		return g.err
	}
	c := g.conn
	defer c.cancel()
	defer context.AfterFunc(ctx, c.cancel)()
	served := make(chan struct{})
	go func() { defer close(served); c.run() }()
	defer func() { c.cancel(); <-served }()

	asking, done := context.WithTimeout(ctx, s.dialTimeout)
	defer done()
	taken, err := c.requestName(asking)
	if err != nil {
		return fmt.Errorf("cannot request the bus name: %w", err)
	}
	if taken {
		if err := c.awaitName(say); err != nil {
			return err
		}
	}
	if c.ctx.Err() == nil {
		say(BusConnected, nil)
	}
	<-c.ctx.Done()
	return errors.New("the session bus is gone")
}

func (c *conn) requestName(ctx context.Context) (taken bool, err error) {
	var answer dbus.RequestNameReply
	err = c.bus.BusObject().CallWithContext(ctx, busInterface+".RequestName", 0,
		BusName, dbus.NameFlagDoNotQueue).Store(&answer)
	return answer != dbus.RequestNameReplyPrimaryOwner && answer != dbus.RequestNameReplyAlreadyOwner, err
}

// awaitName waits until the name is ours.
func (c *conn) awaitName(say func(BusState, error)) error {
	ctx, cancel := context.WithTimeout(c.ctx, c.server.dialTimeout)
	defer cancel()
	err := c.bus.AddMatchSignalContext(ctx, ownerChanges(BusName)...)
	if err != nil {
		return fmt.Errorf("cannot watch the bus name: %w", err)
	}
	for {
		ctx, cancel := context.WithTimeout(c.ctx, c.server.dialTimeout)
		taken, err := c.requestName(ctx)
		if err == nil && taken {
			// It may be free again by now. A connection of ours that the bus has not given up
			// yet is nobody else.
			if owner := c.owner(ctx); owner != nil && owner.Pid != uint32(os.Getpid()) {
				say(BusNameTaken, owner)
			}
		}
		cancel()
		if err != nil || !taken {
			return err
		}
		select {
		case <-c.freed:
		case <-c.ctx.Done():
			return errors.New("the session bus is gone")
		}
	}
}

// owner tells who has the name, nil if nobody has.
func (c *conn) owner(ctx context.Context) *NameTaken {
	n, bus := &NameTaken{}, c.bus.BusObject()
	if bus.CallWithContext(ctx, busInterface+".GetNameOwner", 0, BusName).Store(&n.Owner) != nil {
		return nil
	}
	if bus.CallWithContext(ctx, busInterface+".GetConnectionUnixProcessID", 0, n.Owner).Store(&n.Pid) != nil {
		return n
	}
	if comm, err := os.ReadFile(fmt.Sprintf("/proc/%d/comm", n.Pid)); err == nil {
		n.Comm = strings.TrimSpace(string(comm))
	}
	return n
}
