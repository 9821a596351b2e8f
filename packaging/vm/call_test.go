//go:build linux && vm

package vm

import (
	"fmt"
	"strings"
	"testing"
)

const calls = `
[device]
name = "LPD8"

[[global_mappings]]
name = "user"
trigger = { type = "Note", note = 36 }
action = { type = "DBusCall", bus = "system", destination = "org.freedesktop.login1", path = "/org/freedesktop/login1", interface = "org.freedesktop.login1.Manager", method = "GetUser", args = [424242] }

[[global_mappings]]
name = "name"
trigger = { type = "Note", note = 37 }
action = { type = "DBusCall", bus = "system", destination = "org.freedesktop.hostname1", path = "/org/freedesktop/hostname1", interface = "org.freedesktop.hostname1", method = "SetPrettyHostname", args = ["pad", false] }

[[global_mappings]]
name = "fly"
trigger = { type = "Note", note = 38 }
action = { type = "DBusCall", bus = "system", destination = "org.freedesktop.login1", path = "/org/freedesktop/login1", interface = "org.freedesktop.login1.Manager", method = "Fly" }
`

// What the real ones of the system's bus take, one of them started by the call. Both refuse, and
// not for the types of what they got.
func TestCallsOnTheSystemBus(t *testing.T) {
	c := plug(t)
	b := service(t)
	configure(t, calls)
	must(t, "systemctl", "--user", "restart", "midimon")
	b.await(t, "ConnectedDevices", soon, equals("[LPD8]"))
	b.await(t, "Health", soon, func(v any) bool {
		return strings.Contains(fmt.Sprint(v), "the call of fly to org.freedesktop.login1 cannot work: org.freedesktop.login1.Manager has no method Fly")
	})
	c.tap(t, 36, 100)
	has(t, b.failed(t, "user", "action-failed"), "org.freedesktop.login1.NoSuchUser")
	c.tap(t, 37, 100)
	// It asks polkit, which is not to be had here.
	has(t, b.failed(t, "name", "action-failed"), "org.freedesktop.hostname1.SetPrettyHostname: org.freedesktop.systemd1.UnitMasked")
}
