//go:build linux

package desktoptest

import "github.com/godbus/dbus/v5"

// Manager takes the name of the service manager on the session bus of a desktop, and gives those that it
// starts that environment.
func Manager(d *Desktop, environment ...string) {
	d.t.Helper()
	const name = "org.freedesktop.systemd1"
	conn := d.Dial()
	get := func(_, property string) (dbus.Variant, *dbus.Error) {
		if property != "Environment" {
			return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", nil)
		}
		return dbus.MakeVariant(environment), nil
	}
	if err := conn.ExportMethodTable(map[string]any{"Get": get}, "/org/freedesktop/systemd1", "org.freedesktop.DBus.Properties"); err != nil {
		d.t.Fatal(err)
	}
	if r, err := conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		d.t.Fatal(r, err)
	}
}
