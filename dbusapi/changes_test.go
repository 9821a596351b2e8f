package dbusapi

import (
	"fmt"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/report"
)

// listen receives midimon's signals. On the private socket the match rule does nothing.
func listen(t testing.TB, c *dbus.Conn) <-chan *dbus.Signal {
	t.Helper()
	all, signals := make(chan *dbus.Signal, 64), make(chan *dbus.Signal, 64)
	c.Signal(all)
	go func() {
		for s := range all {
			if s.Name != busInterface+".NameAcquired" {
				signals <- s
			}
		}
	}()
	if err := c.AddMatchSignal(dbus.WithMatchPathNamespace(RootPath)); err != nil {
		t.Fatal(err)
	}
	return signals
}

// Each property that promises to emit does, alone and with the value that is read back.
func TestEveryPropertyEmits(t *testing.T) {
	rootChanges := map[string]func(*report.Status){
		"State":            func(s *report.Status) { s.State = report.Stopping },
		"Health":           func(s *report.Status) { s.Health = []report.Check{{Name: "x", Status: report.Warning}} },
		"Mode":             func(s *report.Status) { s.Mode = "Media" },
		"BaseMode":         func(s *report.Status) { s.BaseMode = "Media" },
		"Modes":            func(s *report.Status) { s.Modes = []string{"One"} },
		"ConnectedDevices": func(s *report.Status) { s.Devices[0].Configured = false },
		"ConfigGeneration": func(s *report.Status) { s.Generation++ },
		"ConfigStatus":     func(s *report.Status) { s.ConfigStatus = "defaults" },
		"LastReload":       func(s *report.Status) { s.LastReload.Mappings++ },
		"Inhibitors":       func(s *report.Status) { s.Inhibitors = []report.Inhibitor{{Who: "a", Why: "b"}} },
	}
	deviceChanges := map[string]func(*report.Device){
		"State":   func(d *report.Device) { d.State = report.Busy },
		"Error":   func(d *report.Device) { d.Error = "x" },
		"Enabled": func(d *report.Device) { d.Enabled = false },
		"Ports":   func(d *report.Device) { d.Ports = []report.Port{{Name: "p", Out: true}} },
	}
	routes(t, func(t *testing.T, b *dbustest.Backend, s *Server, c *dbus.Conn) {
		signals := listen(t, c)
		check := func(path dbus.ObjectPath, i *iface, name string) {
			t.Helper()
			for _, p := range i.spec.Properties {
				if p.Name == name && p.Emits() != "true" {
					t.Fatalf("%s does not promise to emit", name)
				}
			}
			got := receive(t, signals)
			for got.Path != path {
				got = receive(t, signals) // ConnectedDevices and a device's State change together
			}
			if got.Name != propsInterface+".PropertiesChanged" || got.Body[0] != i.spec.Name {
				t.Fatalf("%s: %s%v", name, got.Name, got.Body)
			}
			changed, ok := got.Body[1].(map[string]dbus.Variant)[name]
			if !ok {
				t.Fatalf("%s: %v", name, got.Body)
			}
			read, err := c.Object(BusName, path).GetProperty(i.spec.Name + "." + name)
			if err != nil || !reflect.DeepEqual(read, changed) {
				t.Errorf("%s: %v told, %v (%v) read back", name, changed, read, err)
			}
		}
		emitting := 0
		for _, i := range s.ifaces.all {
			for _, p := range i.spec.Properties {
				if p.Emits() == "true" {
					emitting++
				}
			}
		}
		// Problems changes with Health, and is seen to below; Count is another interface's.
		if have := len(rootChanges) + len(deviceChanges) + 2; have != emitting {
			t.Fatalf("%d properties promise to emit, %d are tried", emitting, have)
		}
		for name, change := range rootChanges {
			b.Publish(change)
			check(RootPath, s.ifaces.root, name)
		}
		b.Publish(func(s *report.Status) { s.Mappings++ })
		check(RootPath, s.ifaces.mappings, "Count")
		for name, change := range deviceChanges {
			b.Publish(func(s *report.Status) { change(&s.Devices[1]) })
			check(DevicePath("Fader"), s.ifaces.device, name)
		}
	})
}

// What changes at once is one signal, and it comes before the reply to what caused it, with
// the event after it.
func TestBatchBeforeReply(t *testing.T) {
	routes(t, func(t *testing.T, _ *dbustest.Backend, _ *Server, c *dbus.Conn) {
		signals := listen(t, c)
		for i := range 50 {
			mode := []string{"Media", "Default"}[i%2]
			k := c.Object(BusName, RootPath).Call(propsInterface+".Set", 0, BusName, "Mode", dbus.MakeVariant(mode))
			if k.Err != nil {
				t.Fatal(k.Err)
			}
			changed, event := receive(t, signals), receive(t, signals)
			want := map[string]dbus.Variant{"Mode": dbus.MakeVariant(mode), "BaseMode": dbus.MakeVariant(mode)}
			if !reflect.DeepEqual(changed.Body[1], want) {
				t.Fatalf("changed: %v", changed.Body)
			}
			if event.Name != BusName+".ModeChanged" || event.Body[1] != mode || event.Body[2] != "caller" {
				t.Fatalf("event: %s%v", event.Name, event.Body)
			}
			if event.Sequence > k.ResponseSequence || changed.Sequence > event.Sequence {
				t.Fatalf("order: changed %d, event %d, reply %d", changed.Sequence, event.Sequence, k.ResponseSequence)
			}
		}
	})
}

func TestReloadEvents(t *testing.T) {
	b := dbustest.NewBackend()
	s := newServer(t, b)
	c := dialPeer(t, onSocket(t, s))
	signals := listen(t, c)
	b.OnCall(func(string, string) error { return fmt.Errorf("line 3: %w", report.ErrConfigInvalid) })
	if err := c.Object(BusName, RootPath).Call(BusName+".Reload", 0).Err; errorName(err) != ErrorPrefix+"ConfigInvalid" {
		t.Errorf("Reload: %v", err)
	}
	if got := receive(t, signals).Body[1].(map[string]dbus.Variant)["ConfigStatus"].Value(); got != "kept-previous" {
		t.Errorf("ConfigStatus is %v", got)
	}
	if got := receive(t, signals); got.Name != BusName+".ReloadFinished" || got.Body[0] != false || got.Body[1] != uint64(1) {
		t.Errorf("%s%v", got.Name, got.Body)
	}
}

// Devices come and go 1,000 times while clients walk the tree; the objects told of are the
// objects that are there.
func TestHotPlugStorm(t *testing.T) {
	b := dbustest.NewBackend()
	bus, _ := onBus(t, b)
	c := bus.Dial()
	signals := listen(t, c)
	stop := make(chan struct{})
	var walkers sync.WaitGroup
	for range 2 {
		walker := bus.Dial()
		walkers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				for _, path := range []dbus.ObjectPath{"/", devicesPath, RootPath, DevicePath("Storm")} {
					err := walker.Object(BusName, path).Call(introspectable+".Introspect", 0).Err
					if err != nil && errorName(err) != "UnknownObject" {
						t.Errorf("%s: %v", path, err)
						return
					}
				}
			}
		})
	}
	for range 1000 {
		b.Publish(func(s *report.Status) {
			s.Devices = append(s.Devices, report.Device{ID: "Storm", Name: "Storm", State: report.Ignored})
		})
		got := receive(t, signals)
		if got.Name != objectManager+".InterfacesAdded" || got.Body[0] != DevicePath("Storm") {
			t.Fatalf("%s%v", got.Name, got.Body)
		}
		if name := got.Body[1].(map[string]map[string]dbus.Variant)[DeviceInterface]["Name"].Value(); name != "Storm" {
			t.Fatalf("told %v", got.Body)
		}
		b.Publish(func(s *report.Status) { s.Devices = s.Devices[:2] })
		if got := receive(t, signals); got.Name != objectManager+".InterfacesRemoved" || got.Body[0] != DevicePath("Storm") {
			t.Fatalf("%s%v", got.Name, got.Body)
		}
	}
	close(stop)
	walkers.Wait()
	var objects map[dbus.ObjectPath]interfaces
	if err := c.Object(BusName, RootPath).Call(objectManager+".GetManagedObjects", 0).Store(&objects); err != nil || len(objects) != 2 {
		t.Errorf("%v, %v", objects, err)
	}
}

// A device under the same id that is another one is removed and added.
func TestDeviceReplaced(t *testing.T) {
	b := dbustest.NewBackend()
	c := dialPeer(t, onSocket(t, newServer(t, b)))
	signals := listen(t, c)
	b.Publish(func(s *report.Status) { s.Devices[0].Serial = "B2" })
	if got := receive(t, signals); got.Name != objectManager+".InterfacesRemoved" {
		t.Errorf("first %s", got.Name)
	}
	if got := receive(t, signals); got.Name != objectManager+".InterfacesAdded" {
		t.Errorf("then %s", got.Name)
	}
}

// Health and Problems change four times a second at most, and the last change is told.
func TestHealthPace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := dbustest.NewBackend()
		h := &changes{last: b.Status()}
		told, begin := 0, time.Now()
		for n := range 1000 { // one second
			b.Publish(func(s *report.Status) {
				s.Health = []report.Check{{Name: fmt.Sprint(n)}}
				s.Mode = fmt.Sprint(n)
			})
			next := h.paced(b.Status(), time.Now())
			if next.Mode != fmt.Sprint(n) {
				t.Fatal("other changes must not wait")
			}
			if next.Health[0] != h.last.Health[0] {
				told++
			}
			h.last = next
			time.Sleep(time.Millisecond)
		}
		if told != 4 {
			t.Errorf("told %d times in %v, want 4", told, time.Since(begin))
		}
		time.Sleep(h.due(time.Now()))
		if h.last = h.paced(b.Status(), time.Now()); h.last.Health[0].Name != "999" || h.due(time.Now()) != 0 {
			t.Errorf("at the end %v is told, due in %v", h.last.Health, h.due(time.Now()))
		}
	})
}

// The held change is told without another wake.
func TestHeldHealthIsTold(t *testing.T) {
	b := dbustest.NewBackend()
	c := dialPeer(t, onSocket(t, newServer(t, b)))
	signals := listen(t, c)
	for n := range 2 {
		b.Publish(func(s *report.Status) { s.Health = []report.Check{{Name: fmt.Sprint(n), Status: report.Failed}} })
		changed := receive(t, signals).Body[1].(map[string]dbus.Variant)
		if got := fmt.Sprint(changed["Problems"].Value()); got != fmt.Sprintf("[%d]", n) || len(changed) != 2 {
			t.Errorf("told %v", changed)
		}
	}
}

func TestActionFailedPace(t *testing.T) {
	b := dbustest.NewBackend()
	c := dialPeer(t, onSocket(t, newServer(t, b)))
	signals := listen(t, c)
	failed := report.Event{Kind: report.ActionFailed, Mapping: "m", Mode: "Default", Error: "keys-unavailable", Detail: "d"}
	burst := []report.Event{failed, failed, failed, failed, {Kind: report.ModeChanged, Old: "a", New: "b"}, {Kind: 99}}
	b.Publish(nil, burst...)
	for range maxFailures {
		if got := receive(t, signals); got.Name != BusName+".ActionFailed" || fmt.Sprint(got.Body) != "[m Default keys-unavailable d]" {
			t.Errorf("%s%v", got.Name, got.Body)
		}
	}
	if got := receive(t, signals); got.Name != BusName+".ModeChanged" {
		t.Errorf("after %d failures: %s", maxFailures, got.Name)
	}
	h := &changes{}
	now := time.Now()
	for n, want := range []bool{true, true, false, false} {
		if h.admit(now) != want {
			t.Errorf("%d: admitted: %v", n, !want)
		}
	}
	if !h.admit(now.Add(failuresEvery)) {
		t.Error("nothing is admitted in the next second")
	}
}

// Emit's text and number arrive as such, all of them, and a text that no bus takes is mended.
func TestEmitted(t *testing.T) {
	routes(t, func(t *testing.T, b *dbustest.Backend, _ *Server, c *dbus.Conn) {
		signals := listen(t, c)
		b.Publish(nil,
			report.Event{Kind: report.Emitted, Mapping: "m", Mode: "Default", Name: "fader", Number: 0.5},
			report.Event{Kind: report.Emitted, Name: "fader"},
			report.Event{Kind: report.Emitted, Name: "word\x00", Text: "a\xffb", Number: 1},
		)
		for _, want := range [][]any{
			{"fader", dbus.MakeVariant(0.5)},
			{"fader", dbus.MakeVariant(0.0)},
			{"word\uFFFD", dbus.MakeVariant("a\uFFFDb")},
		} {
			if got := receive(t, signals); got.Name != BusName+".Emitted" || !reflect.DeepEqual(got.Body, want) {
				t.Errorf("%s%v, want %v", got.Name, got.Body, want)
			}
		}
	})
}
