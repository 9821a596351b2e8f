//go:build linux

package launch_test

import (
	"context"
	"sync/atomic"
	"testing"
	"time"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/launch"
)

const (
	managerName = "org.freedesktop.systemd1"
	managerPath = dbus.ObjectPath("/org/freedesktop/systemd1")
	job         = managerPath + "/job/1"
)

// A manager is a service manager that starts nothing, and may go away as no real one can be made to while
// its bus stays.
type manager struct {
	conn  *dbus.Conn
	asked atomic.Bool // to tell of its units
	began chan string
}

func newManager(t *testing.T, d *desktoptest.Desktop) *manager {
	t.Helper()
	m := &manager{conn: d.Dial(), began: make(chan string, 1)}
	if err := m.conn.Export(m, managerPath, managerName+".Manager"); err != nil {
		t.Fatal(err)
	}
	if _, err := m.conn.RequestName(managerName, dbus.NameFlagDoNotQueue); err != nil {
		t.Fatal(err)
	}
	return m
}

func (m *manager) Subscribe() *dbus.Error {
	m.asked.Store(true)
	return nil
}

func (m *manager) StartTransientUnit(name, _ string, _ []struct {
	Name  string
	Value dbus.Variant
}, _ []struct {
	Name  string
	Units []struct {
		Name  string
		Value dbus.Variant
	}
},
) (dbus.ObjectPath, *dbus.Error) {
	if !m.asked.Load() {
		return "", dbus.MakeFailedError(context.Canceled) // it would tell nobody
	}
	m.began <- name
	return job, nil
}

// says tells how a unit has changed.
func (m *manager) says(t *testing.T, name string, changed map[string]any) {
	t.Helper()
	values := map[string]dbus.Variant{}
	for k, v := range changed {
		values[k] = dbus.MakeVariant(v)
	}
	path := managerPath + "/unit/" + dbus.ObjectPath(systemd.PathBusEscape(name))
	if err := m.conn.Emit(path, "org.freedesktop.DBus.Properties.PropertiesChanged", managerName+".Service", values, []string{}); err != nil {
		t.Error(err)
	}
}

// ends says of a unit that it has, with status 3.
func (m *manager) ends(t *testing.T, name string) {
	t.Helper()
	m.says(t, name, map[string]any{"ExecMainExitTimestamp": uint64(5), "ExecMainCode": int32(1), "ExecMainStatus": int32(3)})
}

// What a command has become nobody tells when the service manager is gone. It is not waited for then, and
// the next manager is asked to tell of what comes after.
func TestServiceManagerIsGone(t *testing.T) {
	d := desktoptest.New(t)
	b := bus.Session(d.Getenv)
	t.Cleanup(b.Close)
	p := launch.New(b, d.Getenv, nil)
	ran := make(chan error, 1)
	run := func() { ran <- p.Run(t.Context(), &effect.Command{Name: "p", Argv: []string{"/bin/p"}}, nil) }
	wait := func(what string) error {
		t.Helper()
		select {
		case err := <-ran:
			return err
		case <-time.After(desktoptest.Limit):
			t.Fatalf("%s is waited for", what)
			return nil
		}
	}
	first := newManager(t, d)
	for range 2 {
		go run()
		first.ends(t, <-first.began)
		if err := wait("one that has ended"); err == nil || err.Error() != "p: exit status 3" {
			t.Errorf("how it ended: %v", err)
		}
	}
	heard := d.Monitor()
	go run()
	<-first.began
	heard.Next("that it has begun", func(m *dbus.Message) bool {
		return m.Type == dbus.TypeMethodReply && len(m.Body) == 1 && m.Body[0] == job
	})
	_ = first.conn.Close()
	if err := wait("one that nobody tells of"); err != nil {
		t.Errorf("how it ended is known: %v", err)
	}
	second := newManager(t, d)
	go run()
	second.ends(t, <-second.began)
	if err := wait("one of the second manager"); err == nil || err.Error() != "p: exit status 3" {
		t.Errorf("how it ended: %v", err)
	}
}
