package dbusapi

import (
	"fmt"
	"reflect"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
)

// events are the arguments of a signal Events.
func events(t testing.TB, s *dbus.Signal) (first uint64, dropped uint32, rows []SeenEvent) {
	t.Helper()
	if s.Name != MonitorInterface+".Events" {
		t.Fatalf("signal %s%v", s.Name, s.Body)
	}
	if err := dbus.Store(s.Body, &first, &dropped, &rows); err != nil {
		t.Fatal(err)
	}
	return first, dropped, rows
}

func seen(device, mapping string, note byte) report.Seen {
	return report.Seen{Time: time.UnixMicro(1_700_000_000_000_001), Device: device, Status: 0x99, Data1: note, Value: 100, Mapping: mapping}
}

func TestSubscribe(t *testing.T) {
	b := dbustest.NewBackend()
	s := newServer(t, b)
	address := onSocket(t, s)
	c, other := dialPeer(t, address), dialPeer(t, address)
	signals, others := listen(t, c), listen(t, other)
	device := cookieOf(t, callRoot(t, c, MonitorInterface+".Subscribe", values{"device": dbus.MakeVariant("LPD8"), "mapped": dbus.MakeVariant(true)}))
	mapping := cookieOf(t, callRoot(t, c, MonitorInterface+".Subscribe", values{"mapping": dbus.MakeVariant("stop")}))
	b.See(seen("Fader", "play", 1), seen("LPD8", "", 2), seen("LPD8", "play", 3), seen("Fader", "stop", 4))
	first, dropped, rows := events(t, receive(t, signals))
	for len(rows) < 2 {
		_, _, more := events(t, receive(t, signals))
		rows = append(rows, more...)
	}
	want := []SeenEvent{
		{1_700_000_000_000_001, "LPD8", 0x99, 3, 100, "play"}, {1_700_000_000_000_001, "Fader", 0x99, 4, 100, "stop"},
	}
	if first != 1 || dropped != 0 || !reflect.DeepEqual(rows, want) {
		t.Errorf("%d %d %v", first, dropped, rows)
	}
	for _, id := range []uint32{device, mapping} {
		if k := callRoot(t, c, MonitorInterface+".Unsubscribe", id); k.Err != nil {
			t.Error(k.Err)
		}
	}
	if k := callRoot(t, c, MonitorInterface+".Unsubscribe", device); errorName(k.Err) != ErrorPrefix+"UnknownCookie" {
		t.Errorf("again: %v", k.Err)
	}
	if n := b.Watchers(); n != 0 {
		t.Errorf("%d still watch", n)
	}
	b.Publish(nil, report.Event{Kind: report.ModeChanged})
	if got := receive(t, others); got.Name != BusName+".ModeChanged" {
		t.Errorf("who did not subscribe hears %s", got.Name)
	}
	for range maxSubscriptions {
		cookieOf(t, callRoot(t, c, MonitorInterface+".Subscribe", values{}))
	}
	for filter, want := range map[string]values{
		"LimitsExceeded": {}, "InvalidArgs": {"colour": dbus.MakeVariant("red")},
	} {
		if k := callRoot(t, c, MonitorInterface+".Subscribe", want); errorName(k.Err) != filter {
			t.Errorf("%v: %v", want, k.Err)
		}
	}
	if k := callRoot(t, c, MonitorInterface+".Subscribe", values{"mapped": dbus.MakeVariant("yes")}); errorName(k.Err) != "InvalidArgs" {
		t.Errorf("wrong type: %v", k.Err)
	}
	hangUp(t, c)
	steady(t, "watchers", 0, b.Watchers)
}

// What only the owner of the session may see is not to be had on the bus, where a sandboxed
// application may call.
func TestPrivateOnly(t *testing.T) {
	b := dbustest.NewBackend()
	bus, _ := onBus(t, b)
	c := bus.Dial()
	b.OnCall(func(method, _ string) error { return fmt.Errorf("%s was called", method) })
	device := c.Object(BusName, DevicePath("LPD8"))
	for name, k := range map[string]*dbus.Call{
		"Subscribe": callRoot(t, c, MonitorInterface+".Subscribe", values{}), "SendMessage": device.Call(DeviceInterface+".SendMessage", 0, []byte{0x90, 1, 1}),
	} {
		if errorName(k.Err) != ErrorPrefix+"NotSupported" {
			t.Errorf("%s: %v", name, k.Err)
		}
	}
	if n := b.Watchers(); n != 0 {
		t.Errorf("%d watch", n)
	}
}

// Whoever reads too slowly loses events, and is told how many.
func TestDroppedEvents(t *testing.T) {
	b := dbustest.NewBackend()
	c := dialPeer(t, onSocket(t, newServer(t, b)))
	signals := listen(t, c)
	cookieOf(t, callRoot(t, c, MonitorInterface+".Subscribe", values{}))
	const all = 5000 // 256 may wait
	var burst []report.Seen
	for i := range all {
		burst = append(burst, seen("LPD8", "", byte(i&127)))
	}
	b.See(burst...)
	for next, got, lost := uint64(1), 0, 0; got+lost < all; {
		first, dropped, rows := events(t, receive(t, signals))
		if len(rows) > maxBatch {
			t.Fatalf("%d in a signal", len(rows))
		}
		if first != next+uint64(dropped) {
			t.Fatalf("number %d after %d with %d dropped", first, next-1, dropped)
		}
		next, got, lost = first+uint64(len(rows)), got+len(rows), lost+int(dropped)
		if got+lost < all && len(signals) == 0 {
			b.See(seen("LPD8", "", 0)) // what was lost is told with what comes next
		}
		if got+lost >= all && lost == 0 {
			t.Error("nothing was lost")
		}
	}
}

// Signals on the bus end by themselves and never are more than was granted.
func TestEnableSignals(t *testing.T) {
	b := dbustest.NewBackend()
	bus, _ := onBus(t, b)
	c, other := bus.Dial(), bus.Dial()
	signals := listen(t, other)
	enable := func(c *dbus.Conn, seconds, hz uint32, filter values) *dbus.Call {
		return callRoot(t, c, MonitorInterface+".EnableSignals", seconds, hz, filter)
	}
	if hz := cookieOf(t, enable(c, 60, 1000, values{})); hz != maxHz {
		t.Errorf("%d Hz granted", hz)
	}
	began, count, got := time.Now(), 0, 0
	for (time.Since(began) < time.Second || count < 3) && time.Since(began) < patience {
		b.See(seen("LPD8", "play", 1))
		got++
		select {
		case s := <-signals:
			if s.Name == MonitorInterface+".Events" {
				count++
			}
		case <-time.After(time.Millisecond):
		}
	}
	if took := time.Since(began); count > int(took.Seconds()*maxHz)+2 || count < 3 {
		t.Errorf("%d signals in %v of %d events", count, took, got)
	}
	_ = cookieOf(t, enable(c, 1, 1, values{}))
	steady(t, "watchers", 0, b.Watchers) // the lease ends
	for name, k := range map[string]*dbus.Call{
		"too long": enable(c, 301, 1, values{}), "never": enable(c, 1, 0, values{}), "filter": enable(c, 1, 1, values{"a": dbus.MakeVariant("b")}),
	} {
		if errorName(k.Err) != "InvalidArgs" {
			t.Errorf("%s: %v", name, k.Err)
		}
	}
	cookieOf(t, enable(c, 300, 1, values{}))
	if hz := cookieOf(t, enable(c, 0, 1, values{})); hz != 0 || b.Watchers() != 0 {
		t.Errorf("%d Hz, %d watch after the end", hz, b.Watchers())
	}
	var many []*dbus.Conn
	for range maxLeases {
		many = append(many, bus.Dial())
		cookieOf(t, enable(many[len(many)-1], 300, 1, values{}))
	}
	if k := enable(c, 1, 1, values{}); errorName(k.Err) != "LimitsExceeded" {
		t.Errorf("one more: %v", k.Err)
	}
}

// The widest wish of several counts; when the last ends, nobody watches.
func TestLeases(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := dbustest.NewBackend()
		m := monitor{conn: &conn{server: &Server{backend: b}}}
		now := time.Now()
		pad := "LPD8"
		for caller, l := range map[string]lease{
			"a": {now.Add(time.Second), 2, eventFilter{device: &pad}}, "b": {now.Add(3 * time.Second), 10, eventFilter{mapping: &pad}},
		} {
			if err := m.lease(t.Context(), caller, l, now); err != nil {
				t.Fatal(err)
			}
		}
		if m.every() != 100*time.Millisecond || m.due(now) != time.Second {
			t.Errorf("every %v, due in %v", m.every(), m.due(now))
		}
		x := seen("LPD8", "", 1)
		m.add(&x)
		m.expire(now.Add(time.Second))
		m.add(&x)
		if len(m.rows) != 1 {
			t.Errorf("%d events wanted", len(m.rows))
		}
		m.expire(now.Add(3 * time.Second))
		if b.Watchers() != 0 || m.due(now) != 0 {
			t.Errorf("%d watch, due in %v", b.Watchers(), m.due(now))
		}
	})
}

func TestWhyAndListing(t *testing.T) {
	routes(t, func(t *testing.T, b *dbustest.Backend, _ *Server, c *dbus.Conn) {
		var why []values
		if err := callRoot(t, c, MonitorInterface+".Why", uint32(2000)).Store(&why); err != nil || len(why) != 3 {
			t.Fatalf("%v, %v", why, err)
		}
		want := map[string]any{
			"seq": uint64(1), "at_us": uint64(1_000_000), "kind": "note-on", "device": "LPD8", "channel": uint32(9), "number": uint32(36),
			"value": uint32(100), "timed": false, "mode": "Media", "candidates": uint32(1), "outcome": "fired", "mapping": "play",
			"trigger": "Note", "taken_us": uint64(3), "handed_us": uint64(5),
		}
		for key, value := range want {
			if got := why[0][key].Value(); got != value {
				t.Errorf("%s is %v, want %v", key, got, value)
			}
		}
		if len(why[0]) != len(want) {
			t.Errorf("%v", why[0])
		}
		if got := why[1]["waits_for"].Value(); !reflect.DeepEqual(got, []string{"hold"}) || why[1]["until_us"].Value() != uint64(4_000_000) {
			t.Errorf("%v", why[1])
		}
		var rows []Mapping
		if err := callRoot(t, c, MappingsInterface+".List", values{"text": dbus.MakeVariant("play")}).Store(&rows); err != nil || len(rows) != 1 {
			t.Fatalf("%v, %v", rows, err)
		}
		trigger := values{"channel": dbus.MakeVariant(int64(9)), "note": dbus.MakeVariant(int64(36))}
		if r := rows[0]; r.ID != "play" || r.Mode != "Media" || r.Trigger != "Note" || r.Action != "Media" || !r.Enabled ||
			!reflect.DeepEqual(r.Extra["trigger"].Value(), trigger) {
			t.Errorf("%v", r)
		}
		var modes []Mode
		if err := callRoot(t, c, BusName+".ListModes").Store(&modes); err != nil || len(modes) != 2 || !modes[0].Active || modes[1].ID != "Media" {
			t.Errorf("%v, %v", modes, err)
		}
		var stats values
		if err := callRoot(t, c, StatisticsInterface+".Snapshot").Store(&stats); err != nil || len(stats) != 12 || stats["dispatch_p99_us"].Value() != uint64(80) {
			t.Errorf("%v, %v", stats, err)
		}
		var mode string
		if err := callRoot(t, c, BusName+".CycleMode", int32(-3)).Store(&mode); err != nil || mode != "Media" || b.Status().Mode != "Media" {
			t.Errorf("%s, %v", mode, err)
		}
	})
}
