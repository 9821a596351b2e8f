package dbusapi

import (
	"context"
	"encoding/xml"
	"log/slog"
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/introspection"
)

// Whatever differs between Go and XML, New must not return a server.
func TestContractRefuses(t *testing.T) {
	for name, change := range map[string]func(map[string]*introspection.Interface){
		"no XML":             func(m map[string]*introspection.Interface) { delete(m, DeviceInterface) },
		"no Go":              func(m map[string]*introspection.Interface) { m["a.b"] = &introspection.Interface{Name: "a.b"} },
		"another name":       func(m map[string]*introspection.Interface) { m["a.b"] = m[BusName]; delete(m, BusName) },
		"method in XML only": func(m map[string]*introspection.Interface) { m[BusName].Methods[0].Name = "Explode" },
		"method in Go only":  func(m map[string]*introspection.Interface) { m[BusName].Methods = m[BusName].Methods[1:] },
		"method returns":     func(m map[string]*introspection.Interface) { m[BusName].Methods[0].Args[0].Type = "u" },
		"method takes": func(m map[string]*introspection.Interface) {
			m[BusName].Methods[0].Args[0].Direction = "in"
		},
		"property type":      func(m map[string]*introspection.Interface) { m[BusName].Properties[0].Type = "u" },
		"property access":    func(m map[string]*introspection.Interface) { m[BusName].Properties[0].Access = "readwrite" },
		"property name":      func(m map[string]*introspection.Interface) { m[BusName].Properties[0].Name = "Colour" },
		"signal name":        func(m map[string]*introspection.Interface) { m[BusName].Signals[0].Name = "Exploded" },
		"signal type":        func(m map[string]*introspection.Interface) { m[BusName].Signals[0].Args[0].Type = "u" },
		"signal in XML only": func(m map[string]*introspection.Interface) { m[DeviceInterface].Signals = m[BusName].Signals[:1] },
	} {
		t.Run(name, func(t *testing.T) {
			specs, err := introspection.Load()
			if err != nil {
				t.Fatal(err)
			}
			s := &Server{backend: dbustest.NewBackend(), level: new(slog.LevelVar)}
			if err := s.export(specs); err != nil {
				t.Fatal(err)
			}
			change(specs)
			if err := s.export(specs); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func TestMethodSignature(t *testing.T) {
	for want, method := range map[string]any{
		" -> ":                      func(context.Context, *call) error { return nil },
		"sas -> b":                  func(context.Context, *call, string, []string) (bool, error) { return false, nil },
		"":                          nil,
		"func() error":              func() error { return nil },
		"func(string, int) error":   func(string, int) error { return nil },
		"func(context.Context) int": func(context.Context) int { return 0 },
	} {
		if got := methodSignature(method); got != want {
			t.Errorf("%T: %q, want %q", method, got, want)
		}
	}
}

func TestEscape(t *testing.T) {
	seen := map[string]string{}
	for id, want := range map[string]string{
		"": "_", "LPD8": "LPD8", "8LPD": "_38LPD", "a b": "a_20b", "a_b": "a_5fb", "\x01": "_01", "é": "_c3_a9",
		"_": "_5f", "usb:09e8:0075": "usb_3a09e8_3a0075",
	} {
		got := escape(id)
		if got != want {
			t.Errorf("%q becomes %q, want %q", id, got, want)
		}
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q become the same", id, other)
		}
		seen[got] = id
		if !DevicePath(id).IsValid() {
			t.Errorf("%q is no object path", DevicePath(id))
		}
	}
}

type xmlNode struct {
	Interfaces []struct {
		Name  string `xml:"name,attr"`
		Inner string `xml:",innerxml"`
	} `xml:"interface"`
	Nodes []struct {
		Name string `xml:"name,attr"`
	} `xml:"node"`
}

// What the bus introspects is the contract, and the tree leads to every object.
func TestIntrospection(t *testing.T) {
	b := dbustest.NewBackend()
	b.Publish(func(s *report.Status) { s.Devices = append(s.Devices, report.Device{ID: "1 Ü"}) })
	bus, s := onBus(t, b)
	specs, err := introspection.Load()
	if err != nil {
		t.Fatal(err)
	}
	for route, c := range map[string]*dbus.Conn{"bus": bus.Dial(), "socket": dialPeer(t, onSocket(t, s))} {
		seen := map[string]bool{}
		var walk func(path dbus.ObjectPath)
		walk = func(path dbus.ObjectPath) {
			var text string
			if err := c.Object(BusName, path).Call(introspectable+".Introspect", 0).Store(&text); err != nil {
				t.Fatalf("%s %s: %v", route, path, err)
			}
			var node xmlNode
			if err := xml.Unmarshal([]byte(text), &node); err != nil {
				t.Fatal(err)
			}
			for _, i := range node.Interfaces {
				seen[i.Name] = true
				if want := specs[i.Name].XML; !strings.Contains(want, ">"+i.Inner+"</interface>") {
					t.Errorf("%s: %s is not its XML:\n%s\nwant\n%s", path, i.Name, i.Inner, want)
				}
			}
			for _, n := range node.Nodes {
				seen[string(path)+" > "+n.Name] = true
				walk(dbus.ObjectPath(strings.TrimSuffix(string(path), "/") + "/" + n.Name))
			}
		}
		walk("/")
		for name := range specs {
			if name != busInterface && !seen[name] {
				t.Errorf("%s: no object has %s", route, name)
			}
		}
		if seen[busInterface] != (route == "socket") {
			t.Errorf("%s: %s offered: %v", route, busInterface, seen[busInterface])
		}
		if !seen["/com/amiable/Midimon1/devices > _31_20_c3_9c"] {
			t.Errorf("%s: device not found in %v", route, seen)
		}
	}
}

func TestNoLogControlWithoutLevel(t *testing.T) {
	s, err := New(Options{Backend: dbustest.NewBackend(), Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, ok := s.lookup(logPath, s.backend.Status(), false); ok {
		t.Error("LogControl1 without a level to change")
	}
}
