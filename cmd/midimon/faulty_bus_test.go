//go:build linux

package main

import (
	"fmt"
	"sync"
	"testing"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/linux/bus"
)

// faultyPeer is somebody on the bus whom back ends call, and who can be at fault: a player, a notification
// daemon, whoever is called, and the service manager, by the name that it takes.
type faultyPeer struct {
	bus   *dbustest.Bus
	name  string
	fault faultOf
	did   chan string

	mu   sync.Mutex
	conn *dbus.Conn // until end; nil: it is dead
	end  func()
	late []*dbus.Message // that came while it hung
}

func newFaultyPeer(t *testing.T, on *dbustest.Bus, name string) *faultyPeer {
	t.Helper()
	p := &faultyPeer{bus: on, name: name, did: make(chan string, 4096)}
	if err := p.come(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.die)
	return p
}

// come takes the name.
func (p *faultyPeer) come() error {
	conn, err := dbus.Connect(p.bus.Address)
	if err != nil {
		return err
	}
	p.mu.Lock()
	p.conn, p.end = conn, bus.Serve(conn, 4096, func(m *dbus.Message) { p.take(conn, m) })
	p.mu.Unlock()
	conn.BusObject().Go("org.freedesktop.DBus.RequestName", 0, make(chan *dbus.Call, 1), p.name, uint32(dbus.NameFlagDoNotQueue))
	return nil
}

// die is its end, until it comes again.
func (p *faultyPeer) die() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.conn != nil {
		p.end()
		p.conn = nil
	}
}

func (p *faultyPeer) set(f string) {
	if p.fault.set(f); f == frozen {
		p.bus.Stop()
	}
}

func (p *faultyPeer) mend() error {
	dead := p.fault.is(dies)
	if p.fault.is(frozen) {
		p.bus.Continue()
	}
	p.set(well)
	if dead {
		p.die() // if nothing was asked of it meanwhile
		return p.come()
	}
	p.mu.Lock()
	late, conn := p.late, p.conn
	p.late = nil
	p.mu.Unlock()
	for _, m := range late {
		p.take(conn, m)
	}
	return nil
}

const methodGo = `<node><interface name="org.example.Faulty"><method name="Go"/></interface></node>`

// answers are what it says when it is well, by the method that is called.
var answers = map[string]any{
	"GetAll": map[string]dbus.Variant{
		"PlaybackStatus": dbus.MakeVariant("Playing"), "CanControl": dbus.MakeVariant(true), "CanPause": dbus.MakeVariant(true),
	},
	"Get": dbus.MakeVariant([]string{"A=b"}), "GetCapabilities": []string{"body"}, "Notify": uint32(1), "Introspect": methodGo,
	"StartTransientUnit": dbus.ObjectPath("/org/freedesktop/systemd1/job/1"),
}

// acts are the methods that do something.
var acts = map[string]bool{"PlayPause": true, "Notify": true, "Go": true, "StartTransientUnit": true}

// take answers a call.
func (p *faultyPeer) take(conn *dbus.Conn, m *dbus.Message) {
	member, _ := m.Headers[dbus.FieldMember].Value().(string)
	path, _ := m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	reply := bus.Reply(m)
	if body, ok := answers[member]; ok {
		reply = bus.Reply(m, body)
	}
	switch p.fault.now() {
	case hangs:
		p.mu.Lock()
		p.late = append(p.late, m)
		p.mu.Unlock()
		return
	case slow:
		time.Sleep(slowly)
	case fails:
		reply = bus.Refusal(m, "org.example.Error.No", "not today")
	case dies:
		p.die()
		return
	case lies:
		reply = bus.Reply(m, []uint64{1, 2, 3})
	case floods:
		for i := range flood {
			_ = conn.Emit(path, "org.freedesktop.DBus.Properties.PropertiesChanged", "org.mpris.MediaPlayer2.Player",
				map[string]dbus.Variant{"PlaybackStatus": dbus.MakeVariant("Playing")}, []string{fmt.Sprint("Nonsense", i)})
		}
	}
	if acts[member] && p.fault.is(well) {
		p.did <- member
	}
	conn.Send(reply, nil)
	if unit, ok := unitOf(m); ok {
		_ = conn.Emit(unit, "org.freedesktop.DBus.Properties.PropertiesChanged", "org.freedesktop.systemd1.Service",
			map[string]dbus.Variant{"ExecMainExitTimestamp": dbus.MakeVariant(uint64(1)), "Result": dbus.MakeVariant("success")}, []string{})
	}
}

// unitOf is the object of the unit that a call starts, if it starts one.
func unitOf(m *dbus.Message) (dbus.ObjectPath, bool) {
	if m.Headers[dbus.FieldMember].Value() != "StartTransientUnit" || len(m.Body) == 0 {
		return "", false
	}
	name, ok := m.Body[0].(string)
	return dbus.ObjectPath("/org/freedesktop/systemd1/unit/" + systemd.PathBusEscape(name)), ok
}
