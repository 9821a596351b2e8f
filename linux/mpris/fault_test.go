//go:build linux

package mpris

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// silent is a player that answers nobody.
type silent struct {
	conn  *dbus.Conn
	asked atomic.Int64 // how often it was asked how it stands
	told  chan string  // what it was told to do
}

func newSilent(t *testing.T, d *desktoptest.Desktop) *silent {
	t.Helper()
	conn, err := dbus.Connect(d.Getenv("DBUS_SESSION_BUS_ADDRESS"))
	if err != nil {
		t.Fatal(err)
	}
	p := &silent{conn: conn, told: make(chan string, 4096)}
	if _, err := conn.RequestName(prefix+"silent", dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(bus.Serve(conn, 4096, func(m *dbus.Message) {
		if member, _ := m.Headers[dbus.FieldMember].Value().(string); member == "GetAll" {
			p.asked.Add(1)
		} else {
			p.told <- member
		}
	}))
	return p
}

func open(t *testing.T) (*Backend, *silent, chan string) {
	t.Helper()
	d := desktoptest.New(t)
	p := newSilent(t, d)
	session := bus.Session(d.Getenv)
	t.Cleanup(session.Close)
	b, failed := New(session), make(chan string, 4096)
	b.Defer(func(_ effect.Effect, err error) { failed <- err.Error() })
	if err := b.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = b.Close() })
	desktoptest.Until(t, "it is asked", func() bool { return p.asked.Load() > 0 })
	return b, p, failed
}

var pause = &effect.Effect{Kind: effect.Act, Action: &effect.Media{Operation: "PlayPause"}}

// TestChangesThatFlood: who says again and again that it has changed, and never says how, is asked a few times.
func TestChangesThatFlood(t *testing.T) {
	const changes = 5000
	b, p, _ := open(t)
	for range changes {
		if err := p.conn.Emit(object, propertyChange, playerIface, map[string]dbus.Variant{}, []string{"Metadata"}); err != nil {
			t.Fatal(err)
		}
	}
	if err := b.Do(pause); err != nil { // which comes after what it said
		t.Fatal(err)
	}
	select {
	case <-p.told:
	case <-time.After(desktoptest.Limit):
		t.Fatal("it is not told to pause")
	}
	n := p.asked.Load()
	t.Logf("asked %d times after %d changes", n, changes)
	if n > changes/10 {
		t.Errorf("asked %d times after %d changes", n, changes)
	}
}

// TestOperationsThatNobodyAnswers: a player that hangs is told a bounded number of things, and the rest fails.
func TestOperationsThatNobodyAnswers(t *testing.T) {
	b, _, failed := open(t)
	desktoptest.Until(t, "too many operations", func() bool {
		for range 2 * maxUnanswered {
			if err := b.Do(pause); err != nil {
				t.Fatal(err)
			}
		}
		for len(failed) > 0 {
			if strings.Contains(<-failed, "64 operations wait for their answer") {
				return true
			}
		}
		return false
	})
}
