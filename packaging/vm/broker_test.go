//go:build linux && vm

package vm

import (
	"context"
	"encoding/xml"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/introspection"
)

// broker is a bus of dbus-broker, which needs a systemd --user beside it.
func broker(t *testing.T) (address string) {
	t.Helper()
	units := "/home/tester/.config/systemd/user"
	must(t, "mkdir", "-p", units)
	for name, text := range map[string]string{
		"broker.socket": "[Socket]\nListenStream=%t/broker\n",
		"broker.service": "[Unit]\nRequires=broker.socket\n[Service]\nType=notify\nSockets=broker.socket\n" +
			"ExecStart=/usr/bin/dbus-broker-launch --scope user\n",
	} {
		path := filepath.Join(units, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(path, tester, tester); err != nil {
			t.Fatal(err)
		}
	}
	must(t, "systemctl", "--user", "daemon-reload")
	must(t, "systemctl", "--user", "start", "broker.service")
	t.Cleanup(func() {
		tidy(t, "systemctl", "--user", "stop", "broker.socket", "broker.service")
		root(t, "rm", filepath.Join(units, "broker.socket"), filepath.Join(units, "broker.service"))
	})
	return "unix:path=" + runtimeDir + "/broker"
}

// The contract holds on either message bus: what is introspected is the XML, every property that
// says it emits does, and every error that is documented is raised.
func TestContractOnEveryBus(t *testing.T) {
	for name, make := range map[string]func(*testing.T) string{
		"dbus-daemon": func(t *testing.T) string {
			address, run := laterBus(privateRuntime(t))
			run(t)
			return address
		},
		"dbus-broker": broker,
	} {
		t.Run(name, func(t *testing.T) {
			address := make(t)
			t.Run("introspection and properties", func(t *testing.T) { contract(t, address) })
			if name == "dbus-broker" { // on the other, everybody runs that test
				t.Run("errors", func(t *testing.T) { documentedErrors(t, address) })
			}
		})
	}
}

// documentedErrors runs the test of them that everybody can run, on this bus.
func documentedErrors(t *testing.T, address string) {
	t.Helper()
	dir := privateRuntime(t)
	ctx, cancel := context.WithTimeout(t.Context(), 3*time.Minute)
	defer cancel()
	cmd := asTester(ctx, []string{"MIDIMON_TEST_BUS=" + address, "MIDIMON_TEST_PROGRAM=/usr/bin/midimon", "MIDIMON_TEST=all", "TMPDIR=" + dir},
		"/usr/bin/midimon.test", "-test.v", "-test.run=^TestDocumentedErrors$")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	has(t, string(out), "--- PASS: TestDocumentedErrors")
}

// contracted is the configuration with devices that can be brought to everything.
var contracted = strings.Replace(configuration, "[device]\nname = \"LPD8\"\n", `
[[devices]]
name = "LPD8"
match = "name:LPD8"
[[devices]]
name = "either"
match = "name:pipe?"
[[devices]]
name = "first"
match = "raw:/home/tester/pipe1"
optional = true
[[devices]]
name = "second"
match = "raw:/home/tester/pipe2"
optional = true
`, 1)

func contract(t *testing.T, address string) {
	t.Helper()
	dir := privateRuntime(t)
	p := startWith(t, contracted, []string{"XDG_RUNTIME_DIR=" + dir, "DBUS_SESSION_BUS_ADDRESS=" + address})
	b := session(t, address)
	b.awaitOwner(t, 20*time.Second, func(pid uint32) bool { return pid == uint32(p.Process.Pid) })
	call := func(path, method string, args ...any) {
		t.Helper()
		if err := b.conn.Object(busName, dbus.ObjectPath(path)).Call(method, 0, args...).Err; err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}
	promised := b.shows(t, rootObject)
	either, lpd8 := rootObject+"/devices/either", rootObject+"/devices/LPD8"
	promised = append(promised, b.shows(t, either)...)
	if len(promised) < 15 {
		t.Errorf("only these are promised: %v", promised)
	}

	// Everything that a property can show happens.
	for range len(b.signals) {
		<-b.signals
	}
	t.Cleanup(func() { root(t, "rm", "-f", "/home/tester/pipe1", "/home/tester/pipe2") })
	call(rootObject, "org.freedesktop.DBus.Properties.Set", busName, "Mode", dbus.MakeVariant("Second"))
	call(rootObject, busName+".Pause")
	call(rootObject, busName+".Inhibit", "somebody", "a call")
	must(t, "mkfifo", "-m", "600", "/home/tester/pipe1")
	b.awaitDevice(t, either, "connected")
	must(t, "mkfifo", "-m", "600", "/home/tester/pipe2") // now the stanza means neither
	b.awaitDevice(t, either, "error")
	call(either, "org.freedesktop.DBus.Properties.Set", busName+".Device", "Enabled", dbus.MakeVariant(false))
	plug(t)
	b.awaitDevice(t, lpd8, "connected")
	configure(t, strings.ReplaceAll(contracted, "Second", "Third")+"\n[[global_mappings]]\ntrigger = { type = \"Note\", note = 99 }\naction = { type = \"Panic\" }\n")
	call(rootObject, busName+".Reload")
	configure(t, "wrong")
	_ = b.conn.Object(busName, rootObject).Call(busName+".Reload", 0).Err

	seen := map[string]bool{}
	missing := func() []string {
		return slices.DeleteFunc(slices.Clone(promised), func(name string) bool { return seen[name] })
	}
	for over := time.After(20 * time.Second); len(missing()) > 0; {
		select {
		case s := <-b.signals:
			if s.Name == "org.freedesktop.DBus.Properties.PropertiesChanged" {
				for name := range s.Body[1].(map[string]dbus.Variant) {
					seen[s.Body[0].(string)+"."+name] = true
				}
			}
		case <-over:
			t.Fatalf("these never changed: %v", missing())
		}
	}
	t.Logf("%d properties emitted", len(promised))
}

// shows compares what the bus introspects of an object with the contract, and returns which of the
// properties of ours promise to emit.
func (b *bus) shows(t *testing.T, path string) (promised []string) {
	t.Helper()
	var text string
	if err := b.conn.Object(busName, dbus.ObjectPath(path)).Call("org.freedesktop.DBus.Introspectable.Introspect", 0).Store(&text); err != nil {
		t.Fatal(err)
	}
	var node struct {
		Interfaces []introspection.Interface `xml:"interface"`
	}
	if err := xml.Unmarshal([]byte(text), &node); err != nil {
		t.Fatal(err)
	}
	all, err := introspection.Load()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range all {
		device, ours := want.Name == busName+".Device", strings.HasPrefix(want.Name, busName)
		i := slices.IndexFunc(node.Interfaces, func(x introspection.Interface) bool { return x.Name == want.Name })
		if i < 0 {
			if ours && device == (path != rootObject) {
				t.Errorf("%s does not show %s", path, want.Name)
			}
			continue
		}
		if got, want := fmt.Sprint(node.Interfaces[i].Methods, node.Interfaces[i].Signals, node.Interfaces[i].Properties),
			fmt.Sprint(want.Methods, want.Signals, want.Properties); got != want {
			t.Errorf("%s shows\n%s\nthe contract is\n%s", path, got, want)
		}
		for _, property := range want.Properties {
			if ours && property.Emits() == "true" {
				promised = append(promised, want.Name+"."+property.Name)
			}
		}
	}
	return promised
}

// awaitDevice waits until a device is in that state. It looks again and again: the signals are
// for later.
func (b *bus) awaitDevice(t *testing.T, path, state string) {
	t.Helper()
	var v dbus.Variant
	for over := time.Now().Add(30 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		err := b.conn.Object(busName, dbus.ObjectPath(path)).Call("org.freedesktop.DBus.Properties.Get", 0, busName+".Device", "State").Store(&v)
		switch {
		case err == nil && v.Value() == state:
			return
		case time.Now().After(over):
			t.Fatalf("%s is %v (%v), want %s", path, v, err, state)
		}
	}
}
