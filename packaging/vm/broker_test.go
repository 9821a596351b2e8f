//go:build linux && vm

package vm

import (
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

// The contract holds on either message bus: what is introspected is the XML, and every
// property that says it emits does.
func TestContractOnEveryBus(t *testing.T) {
	for name, make := range map[string]func(*testing.T) string{
		"dbus-daemon": func(t *testing.T) string {
			address, run := laterBus(privateRuntime(t))
			run(t)
			return address
		},
		"dbus-broker": broker,
	} {
		t.Run(name, func(t *testing.T) { contract(t, make(t)) })
	}
}

func contract(t *testing.T, address string) {
	t.Helper()
	dir := privateRuntime(t)
	p := start(t, []string{"XDG_RUNTIME_DIR=" + dir, "DBUS_SESSION_BUS_ADDRESS=" + address})
	b := session(t, address)
	b.awaitOwner(t, 20*time.Second, func(pid uint32) bool { return pid == uint32(p.Process.Pid) })
	object := b.conn.Object(busName, rootObject)
	call := func(method string, args ...any) {
		t.Helper()
		if err := object.Call(method, 0, args...).Err; err != nil {
			t.Errorf("%s: %v", method, err)
		}
	}

	var text string
	if err := object.Call("org.freedesktop.DBus.Introspectable.Introspect", 0).Store(&text); err != nil {
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
	emits := map[string]bool{}
	for _, want := range all {
		i := slices.IndexFunc(node.Interfaces, func(x introspection.Interface) bool { return x.Name == want.Name })
		if i < 0 {
			if strings.HasPrefix(want.Name, busName) && want.Name != busName+".Device" {
				t.Errorf("the bus does not show %s", want.Name)
			}
			continue
		}
		if got, want := fmt.Sprint(node.Interfaces[i].Methods, node.Interfaces[i].Signals, node.Interfaces[i].Properties),
			fmt.Sprint(want.Methods, want.Signals, want.Properties); got != want {
			t.Errorf("the bus shows\n%s\nthe contract is\n%s", got, want)
		}
		if want.Name == busName {
			for _, property := range want.Properties {
				if property.Emits() == "true" {
					emits[property.Name] = true
				}
			}
		}
	}

	// Everything that a property can show happens.
	for range len(b.signals) {
		<-b.signals
	}
	call("org.freedesktop.DBus.Properties.Set", busName, "Mode", dbus.MakeVariant("Second"))
	call(busName + ".Pause")
	call(busName+".Inhibit", "somebody", "a call")
	c := plug(t)
	configure(t, strings.ReplaceAll(configuration, "Second", "Third"))
	call(busName + ".Reload")
	configure(t, "wrong")
	_ = object.Call(busName+".Reload", 0).Err
	_ = c
	seen := map[string]bool{}
	over := time.After(20 * time.Second)
	missing := func() (list []string) {
		for name := range emits {
			if !seen[name] {
				list = append(list, name)
			}
		}
		slices.Sort(list)
		return list
	}
	for len(missing()) > 0 {
		select {
		case s := <-b.signals:
			if s.Name == "org.freedesktop.DBus.Properties.PropertiesChanged" && s.Body[0] == busName {
				for name := range s.Body[1].(map[string]dbus.Variant) {
					seen[name] = true
				}
			}
		case <-over:
			t.Fatalf("these never changed: %v", missing())
		}
	}
	t.Logf("%d properties emitted", len(emits))
}
