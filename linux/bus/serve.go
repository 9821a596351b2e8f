//go:build linux

package bus

import "github.com/godbus/dbus/v5"

// Serve has the calls that come on a connection answered one by one, in their order, until end is called,
// which closes the connection, or that is lost: godbus by itself answers each from a goroutine of its own.
// As many as room may wait; what is more gets no answer, and neither does what we ask on this connection
// from now on.
func Serve(conn *dbus.Conn, room int, answer func(call *dbus.Message)) (end func()) {
	calls := make(chan *dbus.Message, room)
	conn.Eavesdrop(calls)
	go func() {
		for {
			select {
			case <-conn.Context().Done():
				return
			case m, ok := <-calls:
				if !ok {
					return
				}
				if m.Type == dbus.TypeMethodCall {
					answer(m)
				}
			}
		}
	}()
	return func() {
		conn.Eavesdrop(nil) // else godbus may send into what it has closed
		_ = conn.Close()
	}
}

// Reply is the answer to a call, with what it returns.
func Reply(call *dbus.Message, body ...any) *dbus.Message {
	m := &dbus.Message{Type: dbus.TypeMethodReply, Flags: dbus.FlagNoReplyExpected, Body: body, Headers: map[dbus.HeaderField]dbus.Variant{
		dbus.FieldReplySerial: dbus.MakeVariant(call.Serial()), dbus.FieldDestination: call.Headers[dbus.FieldSender],
	}}
	if len(body) > 0 {
		m.Headers[dbus.FieldSignature] = dbus.MakeVariant(dbus.SignatureOf(body...))
	}
	return m
}

// Refusal is the answer to a call that failed with an error of that name.
func Refusal(call *dbus.Message, name string, body ...any) *dbus.Message {
	m := Reply(call, body...)
	m.Type = dbus.TypeError
	m.Headers[dbus.FieldErrorName] = dbus.MakeVariant(name)
	return m
}
