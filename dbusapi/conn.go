package dbusapi

import (
	"context"
	"fmt"
	"io"
	"os"
	"runtime"
	"slices"
	"strconv"
	"time"

	"github.com/godbus/dbus/v5"
)

// A conn is one connection: the session bus, or one client of the private socket. A single
// goroutine answers its calls and sends its signals, so what a call changes is told before its
// reply without any lock. Only calls that may take long are performed beside it; their callers'
// next ones wait, others' do not.
type conn struct {
	server  *Server
	id      string // tells connections apart
	private bool
	bus     *dbus.Conn
	out     io.Writer       // takes whole messages
	ctx     context.Context // ends with the connection
	cancel  context.CancelFunc
	calls   chan *call    // bounded: a client that does not wait for replies is not read
	done    chan answer   // of calls that took long
	gone    chan string   // callers that left the bus
	freed   chan struct{} // has a value after the bus said that nobody has our name

	// The rest is run's own.
	changes changes
	callers map[string]*caller // who calls, holds or wants something
	monitor monitor
	said    uint32 // messages
	unsent  wire   // those that are still to be written
	row     int    // calls served since there was a rest
}

// A call is a method call, taken out of its message. body is only read.
type call struct {
	conn      *conn
	path      dbus.ObjectPath
	iface     string // may be empty
	member    string
	sender    string // empty on a private connection
	signature string
	body      []any
	serial    uint32
	silent    bool // no reply is expected

	// Found by serve.
	target target
	ifaces []*iface
}

// An answer is what came of a call.
type answer struct {
	call    *call
	results []any
	err     error
}

const maxCalls = 64

// A client that does not wait for replies is read so far ahead, is served so many calls in a row, and then
// has a rest: notes are looked for only when nobody else has work, and have one processor. It
// gets some thousand calls a second all the same.
const (
	readAhead = 16
	inARow    = 8
	rest      = 300 * time.Microsecond
)

// helloWithin is how long a client of the private socket may take until it says Hello, if it does:
// sd-bus takes whatever comes before the answer for a fault. One that only listens hears nothing so long.
const helloWithin = time.Second

// A line is a link, or a peerLink.
type line interface {
	io.ReadWriteCloser
	deliver(take func(*call))
}

// attach makes a connection of a socket on which both sides may speak D-Bus messages once
// godbus has had its handshake. run must follow.
func (s *Server) attach(ctx context.Context, rw line, private bool) (*conn, error) {
	c := &conn{
		server: s, id: strconv.FormatUint(s.connections.Add(1), 10), private: private, out: rw,
		calls: make(chan *call, readAhead), done: make(chan answer), gone: make(chan string), freed: make(chan struct{}, 1), callers: map[string]*caller{},
	}
	c.monitor = monitor{conn: c}
	rw.deliver(c.accept)
	c.ctx, c.cancel = context.WithCancel(ctx)
	// godbus waits for its writer before it closes; closing the socket ends the write.
	context.AfterFunc(c.ctx, func() { _ = rw.Close() })
	var err error
	c.bus, err = dbus.NewConn(rw, dbus.WithContext(c.ctx), dbus.WithHandler(noCalls{}),
		dbus.WithSignalHandler(c), dbus.WithIncomingInterceptor(c.intercept))
	if err == nil {
		err = c.bus.Auth([]dbus.Auth{dbus.AuthExternal(strconv.Itoa(os.Getuid()))})
	}
	if err != nil {
		c.cancel()
		return nil, fmt.Errorf("cannot speak to the bus: %w", err)
	}
	context.AfterFunc(c.bus.Context(), c.cancel)
	return c, nil
}

// intercept runs in godbus' reader and takes calls that are not plain out of its hands: it would answer each in
// a goroutine of its own, in any order.
func (c *conn) intercept(m *dbus.Message) {
	if m.Type != dbus.TypeMethodCall {
		return
	}
	k := &call{body: m.Body, serial: m.Serial(), silent: m.Flags&dbus.FlagNoReplyExpected != 0}
	k.path, _ = m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	k.iface, _ = m.Headers[dbus.FieldInterface].Value().(string)
	k.member, _ = m.Headers[dbus.FieldMember].Value().(string)
	k.sender, _ = m.Headers[dbus.FieldSender].Value().(string)
	if signature, ok := m.Headers[dbus.FieldSignature].Value().(dbus.Signature); ok {
		k.signature = signature.String()
	}
	// What remains goes to noCalls, which says nothing. godbus itself would answer Peer.
	m.Flags |= dbus.FlagNoReplyExpected
	delete(m.Headers, dbus.FieldInterface)
	c.accept(k)
}

// accept takes a call, as soon as there is a place for it. The reader calls it.
func (c *conn) accept(k *call) {
	k.conn = c
	select {
	case c.calls <- k:
	case <-c.ctx.Done():
	}
}

// run serves until the connection ends.
func (c *conn) run() {
	wake, drain, unsubscribe := c.server.backend.Subscribe()
	defer unsubscribe()
	defer c.leave()
	defer c.cancel()
	c.changes = changes{conn: c, drain: drain, last: c.server.backend.Status(), diff: values{}}
	if c.private {
		c.changes.from = time.Now().Add(helloWithin)
	}
	later := time.NewTimer(0)
	defer later.Stop()
	for {
		now := time.Now()
		if wait := sooner(c.changes.due(now), c.monitor.due(now)); wait > 0 {
			later.Reset(wait)
		} else {
			later.Stop()
		}
		calls := c.calls
		if c.private && c.callers[""].waiting() {
			calls = nil // it is not read until it has its reply
		}
		c.write()
		c.rest()
		select {
		case <-c.ctx.Done():
			return
		case k := <-calls:
			afterNotes()
			c.take(k)
			c.row++
		case o := <-c.done:
			c.finish(o)
		case name := <-c.gone:
			c.forget(name)
		case x := <-c.monitor.seen:
			c.monitor.take(x, time.Now())
		case <-wake:
			afterNotes()
			c.changes.flush(time.Now())
		case <-later.C:
			afterNotes()
			c.changes.flush(time.Now())
			c.monitor.flush(time.Now())
		}
	}
}

// afterNotes has a note that waits for the processor go first: who is woken by a timer or a socket would go
// before one that came a moment ago. One time in 61 Go's scheduler takes who steps back before anybody else; it does not
// do so twice.
func afterNotes() {
	runtime.Gosched()
	runtime.Gosched()
}

// rest lets notes be looked for when many calls follow each other.
func (c *conn) rest() {
	switch {
	case len(c.calls) == 0:
		c.row = 0
	case c.row >= inARow:
		c.row = 0
		time.Sleep(rest)
		afterNotes()
	}
}

// sooner is the shorter of two times to wait, of which 0 is none.
func sooner(a, b time.Duration) time.Duration {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// reply answers a call, after the signals of what it changed. Before the answer to Hello there are none.
func (c *conn) reply(o answer) {
	k := o.call
	hello := c.private && k.iface == busInterface && k.member == "Hello"
	if !hello {
		c.changes.from = time.Time{}
	}
	c.changes.flush(time.Now())
	if k.silent {
		return
	}
	if o.err == nil {
		o.err = c.send(&message{kind: dbus.TypeMethodReply, replySerial: k.serial, to: c.nameOf(k), body: o.results})
	}
	if o.err != nil { // or what came of it cannot be said
		name, text := busError(o.err)
		_ = c.send(&message{kind: dbus.TypeError, replySerial: k.serial, to: c.nameOf(k), errorName: name, body: []any{text}})
	}
	if hello {
		c.changes.from = time.Time{}
		c.changes.flush(time.Now())
	}
}

// find finds the method that a call wants, and whether it may take long.
func (c *conn) find(k *call) (method any, slow bool, err error) {
	s := c.server
	var found bool
	k.target, k.ifaces, found = s.lookup(k.path, s.backend.Status(), c.private)
	switch {
	case k.iface == peerInterface: // every path answers it
		k.ifaces = []*iface{s.ifaces.peer}
	case !found:
		return nil, false, errUnknownObject(k.path)
	}
	known := k.iface == ""
	for _, i := range k.ifaces {
		if k.iface != "" && k.iface != i.spec.Name {
			continue
		}
		known = true
		method, ok := i.methods[k.member]
		if !ok {
			continue
		}
		if want := i.in(k.member); k.signature != want {
			return nil, false, errInvalidArgs("%s takes %q, not %q", k.member, want, k.signature)
		}
		return method, slices.Contains(i.slow, k.member) || i == s.ifaces.props && s.writesSlowly(k), nil
	}
	if !known {
		return nil, false, errUnknownInterface(k.path, k.iface)
	}
	return nil, false, errUnknownMethod(k.member)
}

// writesSlowly says whether a call is Properties.Set of what may take long.
func (s *Server) writesSlowly(k *call) bool {
	if k.member != "Set" {
		return false
	}
	iface, _ := k.body[0].(string)
	member, _ := k.body[1].(string)
	p, err := s.property(k, iface, member)
	return err == nil && p.slow
}

// perform calls a method. A panic is an error of the call, not the end of the daemon.
func (c *conn) perform(k *call, method any) (o answer) {
	o.call = k
	defer func() {
		if fault := recover(); fault != nil {
			c.server.log.Error("a call panicked", "member", k.member, "err", fault)
			o.results, o.err = nil, fmt.Errorf("internal error in %s", k.member)
		}
	}()
	ctx, cancel := context.WithTimeout(c.ctx, c.server.callTimeout)
	defer cancel()
	o.results, o.err = invoke(ctx, method, k)
	return o
}

// emit sends a signal to everybody who listens.
func (c *conn) emit(path dbus.ObjectPath, iface, member string, args ...any) {
	c.emitTo("", path, iface, member, args...)
}

// emitTo sends a signal to one caller, or to everybody if that is empty.
func (c *conn) emitTo(caller string, path dbus.ObjectPath, iface, member string, args ...any) {
	if err := c.send(&message{kind: dbus.TypeSignal, path: path, iface: iface, member: member, to: caller, body: args}); err != nil {
		c.server.log.Error("a signal cannot be sent", "member", member, "err", err)
	}
}

// nameOf is what the bus calls who called.
func (c *conn) nameOf(k *call) string {
	if c.private {
		return peerName
	}
	return k.sender
}

// ourSerials are above those of the few calls that godbus makes.
const ourSerials = 1 << 31

// send says something, which is written before anything is waited for: a change, what happened and the
// reply go together, and wake the other side once. The error is one of the message, and then nothing is sent.
func (c *conn) send(m *message) error {
	c.said++
	m.serial = ourSerials | c.said
	if c.private { // gdbus shows no signals without a sender
		m.from = ourName
	}
	c.unsent.grow()
	err := c.unsent.message(m)
	if len(c.unsent.b) >= largeWire {
		c.write()
	}
	return err
}

// write blocks for at most the time a write may take; then the connection ends.
func (c *conn) write() {
	if len(c.unsent.b) > 0 {
		_, _ = c.out.Write(c.unsent.b) // which ends the connection if it fails
		c.unsent.empty()
	}
}

// noCalls is godbus' handler for everything: it does nothing, for intercept did it.
type noCalls struct{}

func (h noCalls) LookupObject(dbus.ObjectPath) (dbus.ServerObject, bool) { return h, true }
func (h noCalls) LookupInterface(string) (dbus.Interface, bool)          { return h, true }
func (h noCalls) LookupMethod(string) (dbus.Method, bool)                { return h, true }
func (noCalls) Call(...any) ([]any, error)                               { return nil, nil }
func (noCalls) NumArguments() int                                        { return 0 }
func (noCalls) NumReturns() int                                          { return 0 }
func (noCalls) ArgumentValue(int) any                                    { return nil }
func (noCalls) ReturnValue(int) any                                      { return nil }
func (noCalls) DecodeArguments(*dbus.Conn, string, *dbus.Message, []any) ([]any, error) {
	return nil, nil
}
