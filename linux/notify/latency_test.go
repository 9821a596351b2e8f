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

// TestNotifyLatency: from the effect to the daemon's answer that it shows it, beside notify-send.
func TestNotifyLatency(t *testing.T) {
	d := desktoptest.X11(t)
	d.Dunst()
	s := newStage(t, d)
	heard := d.Monitor()
	measure := func(name string, act func()) {
		var took []time.Duration
		for range 60 {
			began := time.Now()
			act()
			call := heard.Notify("body")
			heard.Next("the answer", func(m *dbus.Message) bool {
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
