//go:build linux

package launch

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"path"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/unit"
	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// The service manager of the session (org.freedesktop.systemd1(5)).
const (
	managerName  = "org.freedesktop.systemd1"
	managerPath  = dbus.ObjectPath("/org/freedesktop/systemd1")
	managerIface = managerName + ".Manager"
	serviceIface = managerName + ".Service"
	unitIface    = managerName + ".Unit"
	unitsPath    = "/org/freedesktop/systemd1/unit/"
)

// maxTasks is how many processes and threads a command may have.
const maxTasks = 64

// thereWithin is how long after its start a program may say that it is there: desktops wait no longer.
const thereWithin = 30 * time.Second

// callTimeout bounds each call of the manager.
const callTimeout = 5 * time.Second

// A property of a transient unit, as StartTransientUnit takes it.
type property struct {
	Name  string
	Value dbus.Variant
}

// execStart is an element of the property ExecStart.
type execStart struct {
	Path          string
	Argv          []string
	IgnoreFailure bool
}

// unitName is a name for a program's unit (systemd's conventions for desktop environments).
func unitName(program string) string {
	return "app-midimon-" + unit.UnitNameEscape(cmp.Or(program, "command")) + "@" + strings.ToLower(rand.Text()[:10]) + ".service"
}

// properties are a command's unit.
func properties(c *effect.Command, home string, out *os.File) []property {
	p := []property{
		{"Description", dbus.MakeVariant(c.Name + " (midimon)")},
		{"Type", dbus.MakeVariant("exec")},
		{"ExitType", dbus.MakeVariant("cgroup")}, // what it leaves in the background goes on
		{"Slice", dbus.MakeVariant("app.slice")},
		{"CollectMode", dbus.MakeVariant("inactive-or-failed")},
		{"ExecStart", dbus.MakeVariant([]execStart{{c.Argv[0], c.Argv, false}})},
		{"Environment", dbus.MakeVariant(c.Env)},
		{"WorkingDirectory", dbus.MakeVariant(cmp.Or(c.Dir, home))},
		{"SyslogIdentifier", dbus.MakeVariant(path.Base(c.Name))},
	}
	if c.Lasting {
		return p
	}
	p = append(p, property{"TasksMax", dbus.MakeVariant(uint64(maxTasks))})
	if c.Timeout > 0 {
		p = append(p, property{"RuntimeMaxUSec", dbus.MakeVariant(uint64(c.Timeout.Microseconds()))},
			property{"TimeoutStopUSec", dbus.MakeVariant(uint64(time.Second.Microseconds()))})
	}
	if out != nil {
		fd := dbus.UnixFD(out.Fd())
		p = append(p, property{"StandardOutputFileDescriptor", dbus.MakeVariant(fd)},
			property{"StandardErrorFileDescriptor", dbus.MakeVariant(fd)})
	}
	return p
}

// outcome is what the signals of a unit have told of it.
type outcome struct {
	begun   bool   // it is no longer what it was before its start: inactive too
	started bool   // its program runs, or has run
	ended   bool   // its program, or the unit
	result  string // "success" or why it failed
	status  int32
	code    int32 // how it ended (CLD_EXITED ...); 0: it has not
}

// The codes of ExecMainCode (waitid(2)).
const cldExited = 1

// take takes a PropertiesChanged of the unit.
func (o *outcome) take(body []any) {
	if len(body) < 2 {
		return
	}
	changed, _ := body[1].(map[string]dbus.Variant)
	if v, ok := changed["Result"].Value().(string); ok {
		o.result = v
	}
	if v, ok := changed["ExecMainStatus"].Value().(int32); ok {
		o.status = v
	}
	if v, ok := changed["ExecMainCode"].Value().(int32); ok {
		o.code = v
	}
	if v, ok := changed["ExecMainExitTimestamp"].Value().(uint64); ok && v > 0 {
		o.ended = true
	}
	switch v, _ := changed["ActiveState"].Value().(string); v {
	case "activating", "deactivating":
		o.begun = true
	case "active":
		o.begun, o.started = true, true
	case "inactive":
		o.ended = o.ended || o.begun
	case "failed":
		o.ended = true
	}
}

// err is how it went for a program of that name.
func (o *outcome) err(c *effect.Command) error {
	ended := func(how string, args ...any) error {
		return &report.Ended{Program: c.Name, How: fmt.Sprintf(how, args...), TimedOut: o.result == "timeout"}
	}
	switch {
	case o.result == "timeout":
		return ended("did not end within %v", c.Timeout)
	case o.result == "resources" || o.result == "exit-code" && o.status >= 200 && o.status <= 245 && !o.started:
		return fmt.Errorf("cannot start %s: the service manager says %s, status %d", c.Name, o.result, o.status)
	case o.result == "oom-kill":
		return ended("out of memory")
	case o.code > cldExited:
		return ended("killed by signal %d", o.status)
	case o.status != 0:
		return ended("exit status %d", o.status)
	case o.result != "" && o.result != "success":
		return ended("%s", o.result)
	}
	return nil
}

// start makes a transient unit of a command. Of one that says when it is there failed is called when it
// fails after that, before it can be expected to have said so.
func (p *Programs) start(ctx context.Context, conn *dbus.Conn, c *effect.Command, out *os.File, failed func()) error {
	name := unitName(c.Name)
	within, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	signals, forget, err := p.follow(within, conn, dbus.ObjectPath(unitsPath+escapePath(name)))
	if err != nil {
		return fmt.Errorf("cannot start %s: %w", c.Name, err)
	}
	defer func() { forget() }()
	manager := conn.Object(managerName, managerPath)
	call := manager.CallWithContext(within, managerIface+".StartTransientUnit", dbus.FlagNoAutoStart,
		name, "fail", properties(c, p.places.Home, out), []struct {
			Name       string
			Properties []property
		}{})
	if call.Err != nil {
		return fmt.Errorf("cannot start %s: %w", c.Name, call.Err)
	}
	var o outcome
	if err := o.follow(ctx, signals, func() bool { return o.ended || c.Lasting && o.started }); err != nil {
		return err
	}
	if c.Startup != nil && o.started && !o.ended {
		done := forget
		forget = func() {}
		go func() {
			defer done()
			within, cancel := context.WithTimeout(ctx, thereWithin)
			defer cancel()
			if o.follow(within, signals, func() bool { return o.ended }) == nil && o.err(c) != nil {
				failed()
			}
		}()
		return nil
	}
	return o.err(c)
}

// follow takes what is told of a unit until what is waited for, or until nothing more is told: how the
// program fares is not known then.
func (o *outcome) follow(ctx context.Context, signals <-chan []any, until func() bool) error {
	for !until() {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case body, ok := <-signals:
			if !ok { // the manager or the bus is lost
				return nil
			}
			o.take(body)
		}
	}
	return nil
}

// activate starts an application by the message bus (Desktop Entry Specification, D-Bus
// activation).
func (p *Programs) activate(ctx context.Context, conn *dbus.Conn, c *effect.Command, token string) error {
	within, cancel := context.WithTimeout(ctx, activateTimeout)
	defer cancel()
	object := "/" + strings.ReplaceAll(strings.ReplaceAll(c.BusName, ".", "/"), "-", "_")
	data := map[string]dbus.Variant{} // of the platform
	if token != "" {
		data["activation-token"], data["desktop-startup-id"] = dbus.MakeVariant(token), dbus.MakeVariant(token)
	}
	app := conn.Object(c.BusName, dbus.ObjectPath(object))
	var err error
	if len(c.Files) == 0 {
		err = app.CallWithContext(within, "org.freedesktop.Application.Activate", 0, data).Err
	} else {
		err = app.CallWithContext(within, "org.freedesktop.Application.Open", 0, addresses(c.Files), data).Err
	}
	if err != nil {
		return fmt.Errorf("cannot start %s: %w", c.Name, err)
	}
	return nil
}

// unknown says whether a call failed because nobody is there for it.
func unknown(err error) bool {
	e, ok := errors.AsType[dbus.Error](err)
	if !ok {
		return false
	}
	switch e.Name {
	case "org.freedesktop.DBus.Error.ServiceUnknown", "org.freedesktop.DBus.Error.NameHasNoOwner",
		"org.freedesktop.DBus.Error.UnknownMethod", "org.freedesktop.DBus.Error.UnknownObject", "org.freedesktop.DBus.Error.UnknownInterface":
		return true
	}
	return strings.HasPrefix(e.Name, "org.freedesktop.DBus.Error.Spawn.")
}
