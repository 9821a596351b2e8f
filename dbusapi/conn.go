package dbusapi

import (
	"context"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/godbus/dbus/v5"
)

// A conn is one connection: the session bus, or one client of the private socket. A single
// goroutine answers its calls, in order, and sends its signals, so what a call changes is
// told before its reply without any lock.
type conn struct {
	server  *Server
	private bool
	bus     *dbus.Conn
	ctx     context.Context // ends with the connection
	cancel  context.CancelFunc
	calls   chan *call // bounded: a client that does not wait for replies is not read
	changes changes
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

const maxCalls = 64

// attach makes a connection of a socket on which both sides may speak D-Bus messages once
// godbus has had its handshake. run must follow. Signals of the bus go to signals, which may
// be nil.
func (s *Server) attach(ctx context.Context, rw io.ReadWriteCloser, private bool, signals dbus.SignalHandler) (*conn, error) {
	c := &conn{server: s, private: private, calls: make(chan *call, maxCalls)}
	c.ctx, c.cancel = context.WithCancel(ctx)
	// godbus waits for its writer before it closes; closing the socket ends the write.
	context.AfterFunc(c.ctx, func() { _ = rw.Close() })
	if signals == nil {
		signals = noSignals{}
	}
	var err error
	c.bus, err = dbus.NewConn(rw, dbus.WithContext(c.ctx), dbus.WithHandler(noCalls{}),
		dbus.WithSignalHandler(signals), dbus.WithIncomingInterceptor(c.intercept))
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

// intercept runs in godbus' reader and takes calls out of its hands: it would answer each in
// a goroutine of its own, in any order.
func (c *conn) intercept(m *dbus.Message) {
	if m.Type != dbus.TypeMethodCall {
		return
	}
	k := &call{conn: c, body: m.Body, serial: m.Serial(), silent: m.Flags&dbus.FlagNoReplyExpected != 0}
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
	select {
	case c.calls <- k:
	case <-c.ctx.Done():
	}
}

// run serves until the connection ends.
func (c *conn) run() {
	wake, drain, unsubscribe := c.server.backend.Subscribe()
	defer unsubscribe()
	defer c.cancel()
	c.changes = changes{conn: c, drain: drain, last: c.server.backend.Status()}
	later := time.NewTimer(0)
	defer later.Stop()
	for {
		if wait := c.changes.due(time.Now()); wait > 0 {
			later.Reset(wait)
		} else {
			later.Stop()
		}
		select {
		case <-c.ctx.Done():
			return
		case k := <-c.calls:
			c.serve(k)
		case <-wake:
			c.changes.flush(time.Now())
		case <-later.C:
			c.changes.flush(time.Now())
		}
	}
}

// serve answers one call, after the signals of what it changed.
func (c *conn) serve(k *call) {
	results, err := c.perform(k)
	c.changes.flush(time.Now())
	if k.silent {
		return
	}
	to := k.sender
	if c.private { // godbus wants one when a reply cannot be encoded
		to = peerName
	}
	m := &dbus.Message{Type: dbus.TypeMethodReply, Body: results, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(k.serial),
		dbus.FieldDestination: dbus.MakeVariant(to),
	}}
	if err != nil {
		name, text := busError(err)
		m.Type, m.Body = dbus.TypeError, []any{text}
		m.Headers[dbus.FieldErrorName] = dbus.MakeVariant(name)
	}
	c.send(m)
}

// perform finds the member and calls it. A panic is an error of the call, not the end of
// the daemon.
func (c *conn) perform(k *call) (results []any, err error) {
	defer func() {
		if fault := recover(); fault != nil {
			c.server.log.Error("a call panicked", "member", k.member, "err", fault)
			results, err = nil, fmt.Errorf("internal error in %s", k.member)
		}
	}()
	s := c.server
	var found bool
	k.target, k.ifaces, found = s.lookup(k.path, s.backend.Status(), c.private)
	switch {
	case k.iface == peerInterface: // every path answers it
		k.ifaces = []*iface{s.ifaces.peer}
	case !found:
		return nil, errUnknownObject(k.path)
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
			return nil, errInvalidArgs("%s takes %q, not %q", k.member, want, k.signature)
		}
		ctx, cancel := context.WithTimeout(c.ctx, s.callTimeout)
		defer cancel()
		return invoke(ctx, method, k)
	}
	if !known {
		return nil, errUnknownInterface(k.path, k.iface)
	}
	return nil, errUnknownMethod(k.member)
}

// emit sends a signal to everybody who listens.
func (c *conn) emit(path dbus.ObjectPath, iface, member string, args ...any) {
	c.send(&dbus.Message{Type: dbus.TypeSignal, Body: args, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldPath:      dbus.MakeVariant(path),
		dbus.FieldInterface: dbus.MakeVariant(iface),
		dbus.FieldMember:    dbus.MakeVariant(member),
	}})
}

// send blocks for at most the time a write may take; then the connection ends.
func (c *conn) send(m *dbus.Message) {
	if len(m.Body) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(m.Body...))
	}
	if c.private { // gdbus shows no signals without a sender
		m.Headers[dbus.FieldSender] = dbus.MakeVariant(ourName)
	}
	c.bus.Send(m, nil)
}

// noSignals ignores what the bus tells.
type noSignals struct{}

func (noSignals) DeliverSignal(string, string, *dbus.Signal) {}

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
