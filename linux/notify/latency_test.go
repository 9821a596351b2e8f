//go:build linux && desktop

package notify_test

import (
	"slices"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// monitor hears everything on the session bus.
func monitor(t *testing.T, d *desktoptest.Desktop) <-chan *dbus.Message {
	t.Helper()
	conn, err := dbus.Connect(d.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		conn.Eavesdrop(nil) // else godbus may send into what it has closed
		_ = conn.Close()
	})
	heard := make(chan *dbus.Message, 10000)
	if err := conn.BusObject().Call("org.freedesktop.DBus.Monitoring.BecomeMonitor", 0, []string{}, uint32(0)).Err; err != nil {
		t.Fatal(err)
	}
	conn.Eavesdrop(heard)
	return heard
}

// until takes what was heard up to what is wanted.
func until(t *testing.T, heard <-chan *dbus.Message, what string, wanted func(*dbus.Message) bool) *dbus.Message {
	t.Helper()
	late := time.After(desktoptest.Limit)
	for {
		select {
		case m := <-heard:
			if wanted(m) {
				return m
			}
		case <-late:
			t.Fatalf("nobody hears %s", what)
		}
	}
}

// notified says whether a message is the call that shows a notification with that body.
func notified(m *dbus.Message, body string) bool {
	return m.Type == dbus.TypeMethodCall && m.Headers[dbus.FieldMember].Value() == "Notify" && len(m.Body) > 4 && m.Body[4] == body
}

// TestNotifyLatency: from the effect to the daemon's answer that it shows it, beside notify-send.
func TestNotifyLatency(t *testing.T) {
	d := desktoptest.X11(t)
	d.Dunst()
	s := newStage(t, d)
	heard := monitor(t, d)
	measure := func(name string, act func()) {
		var took []time.Duration
		for range 60 {
			began := time.Now()
			act()
			call := until(t, heard, "the notification", func(m *dbus.Message) bool { return notified(m, "body") })
			until(t, heard, "the answer", func(m *dbus.Message) bool {
				return m.Type == dbus.TypeMethodReply && m.Headers[dbus.FieldReplySerial].Value() == call.Serial() &&
					m.Headers[dbus.FieldDestination] == call.Headers[dbus.FieldSender]
			})
			took = append(took, time.Since(began))
		}
		slices.Sort(took)
		t.Logf("%-11s effect to observed event: p50 %v, p99 %v", name, took[len(took)/2], took[len(took)*99/100])
	}
	measure("midimon", func() { s.do(effect.Notify{Summary: "summary", Body: "body", Timeout: time.Second}) })
	measure("notify-send", func() { s.Output("notify-send", "-t", "1000", "summary", "body") })
}
