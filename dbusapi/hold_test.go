package dbusapi

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
)

// call calls a method of the root object and stores what it returns.
func callRoot(t testing.TB, c *dbus.Conn, method string, args ...any) *dbus.Call {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	return c.Object(BusName, RootPath).CallWithContext(ctx, method, 0, args...)
}

func cookieOf(t testing.TB, k *dbus.Call) (cookie uint32) {
	t.Helper()
	if err := k.Store(&cookie); err != nil {
		t.Fatal(err)
	}
	return cookie
}

// hangUp closes a client's connection.
func hangUp(t testing.TB, c *dbus.Conn) {
	t.Helper()
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
}

// clientsOf gives a test new clients, over the bus and over the private socket.
func clientsOf(t *testing.T, test func(t *testing.T, b *dbustest.Backend, dial func() *dbus.Conn)) {
	t.Run("bus", func(t *testing.T) {
		b := dbustest.NewBackend()
		bus, _ := onBus(t, b)
		test(t, b, bus.Dial)
	})
	t.Run("socket", func(t *testing.T) {
		b := dbustest.NewBackend()
		address := onSocket(t, newServer(t, b))
		test(t, b, func() *dbus.Conn { return dialPeer(t, address) })
	})
}

// What a caller holds ends with it, however it goes, and nobody else's does.
func TestHoldersThatLeave(t *testing.T) {
	clientsOf(t, func(t *testing.T, b *dbustest.Backend, dial func() *dbus.Conn) {
		stays := dial()
		hold := cookieOf(t, callRoot(t, stays, BusName+".HoldMode", "Media", "why", "app"))
		for range 3 {
			leaves := dial()
			for _, k := range []*dbus.Call{
				callRoot(t, leaves, BusName+".HoldMode", "Media", "", ""), callRoot(t, leaves, BusName+".Inhibit", "who", "why"),
				callRoot(t, leaves, BusName+".ReportFocus", "app", "title"),
			} {
				if k.Err != nil {
					t.Fatal(k.Err)
				}
			}
			if b.Held() != 3 || b.Focus() == "" {
				t.Fatalf("%d held, focus by %q", b.Held(), b.Focus())
			}
			hangUp(t, leaves)
			steady(t, "cookies", 1, b.Held)
			steady(t, "focus", 0, func() int { return len(b.Focus()) })
		}
		// One that does not wait for its reply, as a tool that is killed.
		hasty := dial()
		hasty.Object(BusName, RootPath).Go(BusName+".Inhibit", dbus.FlagNoReplyExpected, nil, "who", "why")
		if k := callRoot(t, hasty, peerInterface+".Ping"); k.Err != nil {
			t.Fatal(k.Err)
		}
		hangUp(t, hasty)
		steady(t, "cookies", 1, b.Held)
		if k := callRoot(t, stays, BusName+".ReleaseMode", hold); k.Err != nil {
			t.Error(k.Err)
		}
	})
}

func TestCookiesAreTheCallersOwn(t *testing.T) {
	clientsOf(t, func(t *testing.T, b *dbustest.Backend, dial func() *dbus.Conn) {
		mine, other := dial(), dial()
		hold := cookieOf(t, callRoot(t, mine, BusName+".HoldMode", "Media", "", ""))
		quiet := cookieOf(t, callRoot(t, mine, BusName+".Inhibit", "who", "why"))
		for method, cookie := range map[string]uint32{"ReleaseMode": hold, "Uninhibit": quiet} {
			if k := callRoot(t, other, BusName+"."+method, cookie); errorName(k.Err) != ErrorPrefix+"UnknownCookie" {
				t.Errorf("another's %s: %v", method, k.Err)
			}
			if k := callRoot(t, mine, BusName+"."+method, cookie); k.Err != nil {
				t.Errorf("%s: %v", method, k.Err)
			}
			if k := callRoot(t, mine, BusName+"."+method, cookie); errorName(k.Err) != ErrorPrefix+"UnknownCookie" {
				t.Errorf("%s again: %v", method, k.Err)
			}
		}
		if n := b.Held(); n != 0 {
			t.Errorf("%d are held", n)
		}
	})
}

// That a hold was lost is told to its holder alone.
func TestLostHoldIsTheHoldersBusiness(t *testing.T) {
	clientsOf(t, func(t *testing.T, b *dbustest.Backend, dial func() *dbus.Conn) {
		holder, other := dial(), dial()
		mine, others := listen(t, holder), listen(t, other)
		cookie := cookieOf(t, callRoot(t, holder, BusName+".HoldMode", "Media", "", ""))
		b.LoseHolds()
		b.Publish(nil, report.Event{Kind: report.ModeChanged, Old: "a", New: "b"})
		if got := receive(t, mine); got.Name != BusName+".ModeHoldReleased" || got.Body[0] != cookie {
			t.Errorf("the holder hears %s%v", got.Name, got.Body)
		}
		if got := receive(t, others); got.Name != BusName+".ModeChanged" {
			t.Errorf("another hears %s%v", got.Name, got.Body)
		}
	})
}

// A bus that goes takes all callers with it.
func TestBusThatEndsTakesTheHolders(t *testing.T) {
	b := dbustest.NewBackend()
	bus := dbustest.New(t)
	told := keep(t, newServer(t, b), bus.Address)
	expect(t, told, BusConnected)
	c := bus.Dial()
	cookieOf(t, callRoot(t, c, BusName+".HoldMode", "Media", "", ""))
	cookieOf(t, callRoot(t, c, BusName+".Inhibit", "who", "why"))
	bus.Kill()
	expect(t, told, BusLost)
	steady(t, "cookies", 0, b.Held)
}

// A call that takes long holds up its caller's next ones, which keep their order, and nobody
// else's; changes are told meanwhile.
func TestSlowCall(t *testing.T) {
	clientsOf(t, func(t *testing.T, b *dbustest.Backend, dial func() *dbus.Conn) {
		slow, quick := dial(), dial()
		signals := listen(t, slow)
		begun, done := make(chan struct{}), make(chan struct{})
		b.OnCall(func(method, _ string) error {
			if method == "Reload" {
				close(begun)
				<-done
			}
			return nil
		})
		root := slow.Object(BusName, RootPath)
		replies := make(chan *dbus.Call, 2*maxCalls+8)
		root.Go(BusName+".Reload", 0, replies)
		receive(t, begun)
		root.Go(propsInterface+".Set", 0, replies, BusName, "Mode", dbus.MakeVariant("Media"))
		root.Go(BusName+".Pause", 0, replies)
		for range 3 {
			if k := callRoot(t, quick, peerInterface+".Ping"); k.Err != nil {
				t.Fatal(k.Err)
			}
		}
		b.Publish(func(s *report.Status) { s.ConfigStatus = "defaults" })
		if got := receive(t, signals); got.Name != propsInterface+".PropertiesChanged" {
			t.Errorf("%s", got.Name)
		}
		if mode := b.Status().Mode; mode != "Default" {
			t.Errorf("the next call did not wait: mode %s", mode)
		}
		close(done)
		for _, want := range []string{BusName + ".Reload", propsInterface + ".Set", BusName + ".Pause"} {
			if got := receive(t, replies); got.Err != nil || got.Method != want {
				t.Errorf("reply to %s (%v), want %s", got.Method, got.Err, want)
			}
		}
	})
}

// On the bus nobody can have more than so many calls wait.
func TestTooManyCalls(t *testing.T) {
	b := dbustest.NewBackend()
	bus, _ := onBus(t, b)
	c := bus.Dial()
	begun, done := make(chan struct{}), make(chan struct{})
	b.OnCall(func(method, _ string) error {
		if method == "Reload" {
			close(begun)
			<-done
		}
		return nil
	})
	root := c.Object(BusName, RootPath)
	const over = 10
	replies := make(chan *dbus.Call, maxCalls+over+1)
	root.Go(BusName+".Reload", 0, replies)
	receive(t, begun)
	for range maxCalls + over {
		root.Go(peerInterface+".Ping", 0, replies)
	}
	for range over {
		if k := receive(t, replies); errorName(k.Err) != "LimitsExceeded" {
			t.Fatalf("%s: %v", k.Method, k.Err)
		}
	}
	close(done)
	for range maxCalls + 1 {
		if k := receive(t, replies); k.Err != nil {
			t.Fatalf("%s: %v", k.Method, k.Err)
		}
	}
}

// A call that takes too long has an error, as one has that is too long itself.
func TestLimitsOfCalls(t *testing.T) {
	b := dbustest.NewBackend()
	s := newServer(t, b)
	s.callTimeout = 50 * time.Millisecond
	c := dialPeer(t, onSocket(t, s))
	b.OnCall(func(method, _ string) error {
		if method == "Revert" {
			ctx, cancel := context.WithTimeout(context.Background(), s.callTimeout)
			defer cancel()
			<-ctx.Done()
			return ctx.Err()
		}
		return nil
	})
	if k := callRoot(t, c, BusName+".Revert"); errorName(k.Err) != ErrorPrefix+"TimedOut" {
		t.Errorf("Revert: %v", k.Err)
	}
	if k := callRoot(t, c, BusName+".Validate", strings.Repeat("#", maxText)); k.Err != nil {
		t.Errorf("1 MiB: %v", k.Err)
	}
	if k := callRoot(t, c, BusName+".Validate", strings.Repeat("#", maxText+1)); errorName(k.Err) != "LimitsExceeded" {
		t.Errorf("1 MiB and a byte: %v", k.Err)
	}
	var ok bool
	var found []Diagnostic
	if err := callRoot(t, c, BusName+".Validate", "wrong: secret").Store(&ok, &found); err != nil || ok || len(found) != 1 || found[0].Code != "syntax" {
		t.Errorf("%v %v %v", ok, found, err)
	}
	if len(found[0].Extra) != 0 {
		t.Errorf("more is told: %v", found[0].Extra)
	}
}
