//go:build linux

package tray

import (
	"reflect"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
)

// methods are functions by the names of the calls that they answer. The last result of each is a *dbus.Error.
type methods map[string]any

// objects are the interfaces of each path.
type objects map[dbus.ObjectPath]map[string]methods

// answer answers a call.
func (o objects) answer(conn *dbus.Conn, m *dbus.Message) {
	body, failed := o.call(m)
	if m.Flags&dbus.FlagNoReplyExpected != 0 {
		return
	}
	reply := bus.Reply(m, body...)
	if failed != nil {
		reply = bus.Refusal(m, failed.Name, failed.Body...)
	}
	conn.Send(reply, nil)
}

func (o objects) call(m *dbus.Message) ([]any, *dbus.Error) {
	path, _ := m.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	iface, _ := m.Headers[dbus.FieldInterface].Value().(string)
	member, _ := m.Headers[dbus.FieldMember].Value().(string)
	interfaces, ok := o[path]
	if !ok {
		return nil, wrong(unknownObject, "there is nothing at %s", path)
	}
	var method any
	for name, all := range interfaces { // the interface may be left out
		if f, ok := all[member]; ok && (iface == "" || iface == name) {
			method = f
		}
	}
	if method == nil {
		return nil, wrong(unknownMethod, "there is no method %s of %q", member, iface)
	}
	f := reflect.ValueOf(method)
	args, into := make([]reflect.Value, f.Type().NumIn()), make([]any, f.Type().NumIn())
	for i := range args {
		p := reflect.New(f.Type().In(i))
		args[i], into[i] = p.Elem(), p.Interface()
	}
	if err := dbus.Store(m.Body, into...); err != nil {
		return nil, wrong(invalidArgs, "%s: %v", member, err)
	}
	results := f.Call(args)
	last := len(results) - 1
	if failed, _ := results[last].Interface().(*dbus.Error); failed != nil {
		return nil, failed
	}
	var body []any
	for _, r := range results[:last] {
		body = append(body, r.Interface())
	}
	return body, nil
}
