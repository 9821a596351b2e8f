//go:build linux

package desktoptest

import (
	"testing"
	"time"

	"github.com/godbus/dbus/v5"
)

// A Monitor hears everything on the session bus of a desktop, as dbus-monitor does.
type Monitor struct {
	t     testing.TB
	heard chan *dbus.Message
}

// Monitor begins to hear.
func (d *Desktop) Monitor() *Monitor {
	d.t.Helper()
	conn := d.Dial()
	d.t.Cleanup(func() { conn.Eavesdrop(nil) }) // before it is closed: else godbus may send into what it has closed
	m := &Monitor{d.t, make(chan *dbus.Message, 10000)}
	if err := conn.BusObject().Call("org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, []string{}, uint32(0)).Err; err != nil {
		d.t.Fatal(err)
	}
	conn.Eavesdrop(m.heard)
	return m
}

// Next takes what was heard up to what is wanted, which must come.
func (m *Monitor) Next(what string, wanted func(*dbus.Message) bool) *dbus.Message {
	m.t.Helper()
	late := time.After(Limit)
	for {
		select {
		case heard := <-m.heard:
			if wanted(heard) {
				return heard
			}
		case <-late:
			m.t.Fatalf("nobody hears %s", what)
		}
	}
}

// Notify is the next call that shows a notification with that body.
func (m *Monitor) Notify(body string) *dbus.Message {
	m.t.Helper()
	return m.Next("a notification "+body, func(heard *dbus.Message) bool {
		return heard.Type == dbus.TypeMethodCall && heard.Headers[dbus.FieldMember].Value() == "Notify" && len(heard.Body) > 4 && heard.Body[4] == body
	})
}
