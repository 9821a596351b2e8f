//go:build linux

package desktoptest

import (
	"context"
	"strings"
	"time"

	"github.com/godbus/dbus/v5"
)

// accessible is a thing that AT-SPI tells of: whose it is, and which.
type accessible struct {
	Owner string
	Path  dbus.ObjectPath
}

const (
	accessibility  = "org.a11y.atspi.Accessible"
	stateSelected  = 1 << 23
	stateSensitive = 1 << 24
)

// Click does what a click does to the first thing of that role whose name contains a text, in an application,
// as soon as it takes clicks. Names are those of screen readers, by which it is found.
func (d *Desktop) Click(app, role, name string) {
	d.t.Helper()
	Until(d.t, "the "+role+" "+name+" of "+app, func() bool {
		return d.find(app, role, name, stateSensitive, func(o dbus.BusObject) error { return ask(o, "org.a11y.atspi.Action.DoAction", int32(0)).Err })
	})
}

// Shows says whether there is such a thing, and it takes clicks.
func (d *Desktop) Shows(app, role, name string) bool {
	d.t.Helper()
	return d.find(app, role, name, stateSensitive, func(dbus.BusObject) error { return nil })
}

// Selected returns when there is such a thing in a list, and it is the one that is selected.
func (d *Desktop) Selected(app, role, name string) {
	d.t.Helper()
	Until(d.t, "the "+role+" "+name+" of "+app, func() bool {
		return d.find(app, role, name, stateSelected, func(dbus.BusObject) error { return nil })
	})
}

// find says whether there is such a thing in that state and use had no error with it.
func (d *Desktop) find(app, role, name string, state uint32, use func(dbus.BusObject) error) bool {
	d.t.Helper()
	session := d.Dial()
	defer session.Close() //nolint:errcheck // what was asked is answered
	var address string
	if ask(session.Object("org.a11y.Bus", "/org/a11y/bus"), "org.a11y.Bus.GetAddress").Store(&address) != nil {
		return false
	}
	conn, err := dbus.Connect(address)
	if err != nil {
		return false
	}
	defer conn.Close() //nolint:errcheck // what was asked is answered
	wanted := func(a accessible) bool {
		var is string
		var states []uint32
		o := conn.Object(a.Owner, a.Path)
		return ask(o, accessibility+".GetRoleName").Store(&is) == nil && is == role && strings.Contains(named(conn, a), name) &&
			ask(o, accessibility+".GetState").Store(&states) == nil && len(states) > 0 && states[0]&state != 0
	}
	for _, a := range children(conn, accessible{"org.a11y.atspi.Registry", "/org/a11y/atspi/accessible/root"}) {
		if named(conn, a) != app {
			continue
		}
		if found, ok := within(conn, a, wanted); ok {
			return use(conn.Object(found.Owner, found.Path)) == nil
		}
	}
	return false
}

// within is the first thing in a thing, itself included, that is wanted.
func within(conn *dbus.Conn, a accessible, wanted func(accessible) bool) (accessible, bool) {
	if wanted(a) {
		return a, true
	}
	for _, child := range children(conn, a) {
		if found, ok := within(conn, child, wanted); ok {
			return found, true
		}
	}
	return accessible{}, false
}

// children are what is in a thing: nothing, if it has gone.
func children(conn *dbus.Conn, a accessible) (all []accessible) {
	_ = ask(conn.Object(a.Owner, a.Path), accessibility+".GetChildren").Store(&all)
	return all
}

// named is what a thing is called, or empty.
func named(conn *dbus.Conn, a accessible) string {
	var v dbus.Variant
	_ = ask(conn.Object(a.Owner, a.Path), "org.freedesktop.DBus.Properties.Get", accessibility, "Name").Store(&v)
	s, _ := v.Value().(string)
	return s
}

// ask calls, and does not wait long for who may be about to go.
func ask(o dbus.BusObject, method string, args ...any) *dbus.Call {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return o.CallWithContext(ctx, method, 0, args...)
}
