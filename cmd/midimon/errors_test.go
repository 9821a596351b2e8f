//go:build linux

package main

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/godbus/dbus/v5"
	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/introspection/manual"
)

const faulty = `
[input]
backend = "portal"
[[devices]]
name = "LPD8"
match = "raw:$PADS"
[[devices]]
name = "Held"
match = "raw:$HELD"
[[devices]]
name = "Gone"
match = "raw:$DIR/gone"
[[devices]]
name = "Pipe"
match = "raw:$DIR/pipe"
[[devices]]
name = "Off"
enabled = false
match = "raw:$DIR/off"
[[modes]]
name = "One"
[[global_mappings]]
name = "play"
trigger = { type = "Note", note = 36 }
action = { type = "Emit", name = "play", value = 1 }
[[global_mappings]]
name = "disabled"
enabled = false
trigger = { type = "Note", note = 37 }
action = { type = "Emit", name = "x", value = 1 }
[[global_mappings]]
name = "often"
trigger = { type = "Note", note = 38 }
action = { type = "Shell", command = "true" }
[[global_mappings]]
name = "key"
trigger = { type = "Note", note = 39 }
action = { type = "Keystroke", keys = "a" }
`

// refusable starts a program to which the kernel says that a terminal is busy: it says so to nobody
// who administers the system.
func refusable(t *testing.T, configuration string) (p *process) {
	t.Helper()
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread() // and never unlock it: the thread ends with this goroutine
		// Who may not do that does not administer anyway.
		_ = unix.Prctl(unix.PR_CAPBSET_DROP, unix.CAP_SYS_ADMIN, 0, 0, 0)
		p = spawn(t, configuration)
	}()
	if <-done; p == nil {
		t.FailNow()
	}
	return p
}

// hold keeps everybody else from opening a terminal.
func hold(t *testing.T, path string) {
	t.Helper()
	f, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	if err := unix.IoctlSetInt(int(f.Fd()), unix.TIOCEXCL, 0); err != nil {
		t.Fatal(err)
	}
}

// Every error that the contract documents is raised by a call of the member that it stands with.
func TestDocumentedErrors(t *testing.T) {
	path, _ := terminal(t)
	held, _ := terminal(t)
	p := refusable(t, strings.NewReplacer("$PADS", path, "$HELD", held).Replace(faulty))
	if err := syscall.Mkfifo(filepath.Join(p.dir, "pipe"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.awaitDevice("LPD8", "connected")
	p.awaitDevice("Pipe", "connected")
	p.awaitDevice("Held", "connected")
	hold(t, held)
	bus, socket := p.bus.Dial(), p.dial()

	raised := map[string]bool{}
	const (
		own  = dbusapi.BusName
		spec = "org.freedesktop.DBus.Error."
	)
	tries := 1 // until there is an error
	try := func(c *dbus.Conn, at dbus.ObjectPath, method, want string, args ...any) {
		t.Helper()
		var err error
		for n := 0; err == nil && n < tries; n++ {
			err = c.Object(own, at).Call(method, 0, args...).Err
		}
		e, ok := errors.AsType[dbus.Error](err)
		name := strings.TrimPrefix(e.Name, dbusapi.ErrorPrefix)
		if !ok || name != want || len(e.Body) != 1 || e.Body[0] == "" {
			t.Errorf("%s%.100v: %v, want %s", method, args, err, want)
			return
		}
		member := method[strings.LastIndexByte(method, '.')+1:]
		if member == "Set" {
			member, _ = args[1].(string)
		}
		raised[member+" "+want] = true
	}
	root := func(method, want string, args ...any) {
		t.Helper()
		try(bus, dbusapi.RootPath, own+"."+method, want, args...)
	}
	set := func(at dbus.ObjectPath, iface, name, want string, v any) {
		t.Helper()
		try(bus, at, "org.freedesktop.DBus.Properties.Set", want, iface, name, dbus.MakeVariant(v))
	}
	device := func(id, method, want string, args ...any) {
		t.Helper()
		try(socket, dbusapi.DevicePath(id), dbusapi.DeviceInterface+"."+method, want, args...)
	}
	configure := func(change func(path string) error) {
		t.Helper()
		if err := change(filepath.Join(p.dir, "config.toml")); err != nil {
			t.Fatal(err)
		}
	}
	filter := func(key string, v any) map[string]dbus.Variant {
		return map[string]dbus.Variant{key: dbus.MakeVariant(v)}
	}
	note := []byte{0x90, 1, 1}

	root("ArmRevert", "NotSupported", uint32(1000))
	root("Revert", "NotSupported")
	root("Keep", "UnknownCookie", uint64(7))
	root("Validate", spec+"LimitsExceeded", strings.Repeat("#", 1<<20+1))
	root("HoldMode", "UnknownMode", "None", "", "")
	root("ReleaseMode", "UnknownCookie", uint32(7))
	root("Uninhibit", "UnknownCookie", uint32(7))
	set(dbusapi.RootPath, own, "Mode", "UnknownMode", "None")
	set("/org/freedesktop/LogControl1", "org.freedesktop.LogControl1", "LogLevel", spec+"InvalidArgs", "loud")
	for range 32 {
		p.call(bus, own+".HoldMode", []any{new(uint32)}, "One", "", "")
	}
	root("HoldMode", spec+"LimitsExceeded", "One", "", "")
	root("Inhibit", spec+"LimitsExceeded", "who", "why")

	root("Mappings.List", "UnknownMode", filter("mode", "None"))
	root("Mappings.List", "UnknownDevice", filter("device", "None"))
	root("Mappings.List", spec+"InvalidArgs", filter("colour", "red"))
	root("Mappings.Get", "UnknownMapping", "none")
	root("Mappings.SetEnabled", "UnknownMapping", "none", true)
	root("Mappings.Trigger", "UnknownMapping", "none")
	root("Mappings.Trigger", "MappingDisabled", "disabled")
	tries = 10
	root("Mappings.Trigger", "Busy", "often")
	tries = 1
	root("Mappings.Trigger", "ActionFailed", "key") // no portal is on this bus
	p.call(bus, own+".Pause", nil)
	root("Mappings.Trigger", "Paused", "play")
	p.call(bus, own+".Resume", nil)

	root("Monitor.Subscribe", "NotSupported", filter("device", "LPD8"))
	root("Monitor.EnableSignals", spec+"InvalidArgs", uint32(301), uint32(1), map[string]dbus.Variant{})
	try(socket, dbusapi.RootPath, own+".Monitor.Subscribe", spec+"InvalidArgs", filter("colour", "red"))
	for range 4 {
		p.call(socket, own+".Monitor.Subscribe", []any{new(uint32)}, map[string]dbus.Variant{})
	}
	try(socket, dbusapi.RootPath, own+".Monitor.Subscribe", spec+"LimitsExceeded", map[string]dbus.Variant{})
	root("Monitor.Unsubscribe", "UnknownCookie", uint32(7))
	for range 8 {
		p.call(p.bus.Dial(), own+".Monitor.EnableSignals", []any{new(uint32)}, uint32(10), uint32(1), map[string]dbus.Variant{})
	}
	root("Monitor.EnableSignals", spec+"LimitsExceeded", uint32(1), uint32(1), map[string]dbus.Variant{})

	set(dbusapi.DevicePath("Off"), dbusapi.DeviceInterface, "Enabled", "NotSupported", true)
	device("Gone", "Reconnect", "DeviceAbsent")
	device("Off", "Reconnect", "NotSupported")
	device("Held", "Reconnect", "DeviceBusy")
	device("Pipe", "Identify", "NotSupported")
	device("Gone", "Identify", "DeviceAbsent")
	device("Gone", "SendMessage", "DeviceAbsent", note)
	device("Pipe", "SendMessage", "NotSupported", note)
	device("LPD8", "SendMessage", spec+"InvalidArgs", note[:2])
	device("LPD8", "SendMessage", spec+"LimitsExceeded", make([]byte, 1025))
	try(bus, dbusapi.DevicePath("LPD8"), dbusapi.DeviceInterface+".SendMessage", "NotSupported", note)
	full := slices.Repeat([]byte{0xFE}, 1024) // active sensing, which nobody reads
	tries = 100
	device("LPD8", "SendMessage", "DeviceBusy", full)
	device("LPD8", "Identify", "DeviceBusy")
	tries = 1

	configure(func(path string) error { return os.WriteFile(path, []byte("modes = 3"), 0o600) })
	root("Reload", "ConfigInvalid")
	configure(os.Remove)
	root("Reload", "ConfigUnreadable")

	documented := map[string]bool{}
	for _, iface := range manual.Interfaces {
		members, err := manual.Errors(iface)
		if err != nil {
			t.Fatal(err)
		}
		for member, names := range members {
			for _, name := range names {
				documented[member+" "+name] = true
				if !raised[member+" "+name] {
					t.Errorf("%s documents %s, which nothing raises", member, name)
				}
			}
		}
	}
	if len(documented) < 35 {
		t.Errorf("only %d errors are documented", len(documented))
	}
	for what := range raised {
		if !documented[what] {
			t.Errorf("%s is raised and not documented", what)
		}
	}
}
