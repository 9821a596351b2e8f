//go:build linux

package focus

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// A shell is GNOME with accessibility, on one bus for both, that does what it is told: the real one
// is driven by the tests of the desktop.
type shell struct {
	t       *testing.T
	address string
	conn    *dbus.Conn

	mu       sync.Mutex
	enabled  bool
	a11y     string   // the address of accessibility's bus
	old      bool     // the registry knows the shorter call only
	apps     []object // that are there
	register []string // events asked for
}

// newShell is a shell; change may change how it begins.
func newShell(t *testing.T, change func(*shell)) *shell {
	t.Helper()
	s := &shell{t: t, address: desktoptest.New(t).Getenv("DBUS_SESSION_BUS_ADDRESS"), enabled: true}
	s.a11y, s.conn = s.address, s.dial()
	if change != nil {
		change(s)
	}
	s.export(s.conn, a11yPath, a11yName, map[string]any{"GetAddress": func() (string, *dbus.Error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.a11y, nil
	}})
	s.export(s.conn, a11yPath, driver+".Properties", map[string]any{"Get": func(string, string) (dbus.Variant, *dbus.Error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return dbus.MakeVariant(s.enabled), nil
	}})
	s.own(gnomeName, a11yName)
	return s
}

func (s *shell) dial() *dbus.Conn {
	s.t.Helper()
	c, err := dbus.Connect(s.address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

func (s *shell) export(c *dbus.Conn, path dbus.ObjectPath, iface string, methods map[string]any) {
	s.t.Helper()
	if err := c.ExportMethodTable(methods, path, iface); err != nil {
		s.t.Fatal(err)
	}
}

func (s *shell) own(names ...string) {
	s.t.Helper()
	for _, name := range names {
		if r, err := s.conn.RequestName(name, dbus.NameFlagDoNotQueue); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
			s.t.Fatal(r, err)
		}
	}
}

// registry begins to answer for accessibility.
func (s *shell) registry() {
	s.t.Helper()
	register := func(event string, _ []string, _ string) *dbus.Error {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.old {
			return dbus.MakeFailedError(errors.New("too many arguments"))
		}
		s.register = append(s.register, event)
		return nil
	}
	if s.old {
		s.export(s.conn, registryPath, registryName, map[string]any{"RegisterEvent": func(event string) *dbus.Error {
			s.mu.Lock()
			defer s.mu.Unlock()
			s.register = append(s.register, event)
			return nil
		}})
	} else {
		s.export(s.conn, registryPath, registryName, map[string]any{"RegisterEvent": register})
	}
	s.export(s.conn, accessibleRoot, accessible, map[string]any{"GetChildren": func() ([]object, *dbus.Error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		return s.apps, nil
	}})
	s.own(registryName)
}

// enable switches accessibility on or off, and says so.
func (s *shell) enable(on bool) {
	s.t.Helper()
	s.mu.Lock()
	s.enabled = on
	s.mu.Unlock()
	if err := s.conn.Emit(a11yPath, driver+".Properties.PropertiesChanged", a11yStatus, map[string]dbus.Variant{"IsEnabled": dbus.MakeVariant(on)}, []string{}); err != nil {
		s.t.Fatal(err)
	}
}

// An app has one window.
type app struct {
	*dbus.Conn
	t *testing.T
}

const appWindow = dbus.ObjectPath("/window")

// app is an application that calls itself name, or anything else than a text. While it hangs it
// answers nobody.
func (s *shell) app(name any, active bool, hangs <-chan struct{}) app {
	s.t.Helper()
	c := s.dial()
	wait := func() {
		if hangs != nil {
			<-hangs
		}
	}
	s.export(c, accessibleRoot, accessible, map[string]any{"GetChildren": func() ([]object, *dbus.Error) {
		wait()
		return []object{{c.Names()[0], appWindow}}, nil
	}})
	s.export(c, appWindow, accessible, map[string]any{"GetState": func() ([]uint32, *dbus.Error) {
		wait()
		if active {
			return []uint32{stateActive, 0}, nil
		}
		return nil, nil
	}})
	s.export(c, accessibleRoot, driver+".Properties", map[string]any{"Get": func(string, string) (dbus.Variant, *dbus.Error) {
		wait()
		return dbus.MakeVariant(name), nil
	}})
	s.mu.Lock()
	s.apps = append(s.apps, object{c.Names()[0], accessibleRoot})
	s.mu.Unlock()
	return app{c, s.t}
}

// says emits an event of its window, as applications do.
func (a app) says(event string) {
	a.t.Helper()
	if err := a.Emit(appWindow, windowEvent+"."+event, "", uint32(0), uint32(0), dbus.MakeVariant("title"), map[string]dbus.Variant{}); err != nil {
		a.t.Fatal(err)
	}
}

// said returns when the bus has passed on all that it says: another's events come after that.
func (a app) said() {
	a.t.Helper()
	if err := a.BusObject().Call(driver+".Peer.Ping", 0).Err; err != nil {
		a.t.Fatal(err)
	}
}

// follow runs a watcher in a session of Wayland and returns how to wait for what it tells.
func (s *shell) follow() (until func(want Focus)) {
	s.t.Helper()
	env := map[string]string{"DBUS_SESSION_BUS_ADDRESS": s.address, "WAYLAND_DISPLAY": "wayland-0"}
	b := bus.Session(func(name string) string { return env[name] })
	s.t.Cleanup(b.Close)
	return follows(s.t, b, env)
}

// called is what an application of this process is called: as its unit says, where it has one.
func called(t *testing.T, name string) Focus {
	t.Helper()
	group, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		t.Fatal(err)
	}
	if unit := appOfUnit(string(group)); unit != "" {
		name = unit
	}
	return Focus{App: strings.ToLower(name), Source: "AT-SPI"}
}

var (
	off      = Focus{Why: "AT-SPI: accessibility is switched off", Fix: errOff.fix}
	unknown  = Focus{Why: "AT-SPI: " + silent}
	nowAbove = Focus{Why: "no desktop"}
)

func TestWhatApplicationsTell(t *testing.T) {
	for _, old := range []bool{false, true} {
		s := newShell(t, func(s *shell) { s.old, s.enabled = old, false })
		s.registry()
		one := s.app("One", true, nil)
		until := s.follow()
		until(off)
		s.enable(true)
		until(called(t, "One"))
		two := s.app("Two", false, nil)
		two.says("Activate")
		if two := called(t, "Two"); two != called(t, "One") { // else there is nothing new to tell
			until(two)
		}
		one.says("Deactivate") // late: it is not about what is in front
		two.says("Deactivate")
		until(unknown)
		one.says("Activate")
		until(called(t, "One"))
		_ = one.Close() // it died
		until(unknown)
		s.enable(false)
		until(off)
		if _, err := s.conn.ReleaseName(gnomeName); err != nil {
			t.Fatal(err)
		}
		s.enable(true) // which makes it look
		until(nowAbove)
		s.mu.Lock()
		if got := strings.Join(s.register, " "); got != "window:activate window:deactivate" {
			t.Errorf("registered for %s", got)
		}
		s.mu.Unlock()
	}
}

// TestNewsOfFronts has nobody take the news while much is said: what stands at the end is true.
func TestNewsOfFronts(t *testing.T) {
	a, b := object{":1.1", "/a"}, object{":1.2", "/b"}
	says := func(of object, event string) *dbus.Signal {
		return &dbus.Signal{Sender: of.Name, Path: of.Path, Name: windowEvent + event}
	}
	dies := func(name string) *dbus.Signal {
		return &dbus.Signal{Sender: driver, Name: ownerChanged, Body: []any{name, name, ""}}
	}
	for name, c := range map[string]struct {
		last []*dbus.Signal
		want object // none: nobody tells
		gone bool
	}{
		"another comes":            {last: []*dbus.Signal{says(b, ".Activate")}, want: b},
		"it is left":               {last: []*dbus.Signal{says(a, ".Deactivate")}},
		"it is left for another":   {last: []*dbus.Signal{says(a, ".Deactivate"), says(b, ".Activate")}, want: b},
		"another comes, it leaves": {last: []*dbus.Signal{says(b, ".Activate"), says(a, ".Deactivate")}, want: b},
		"it dies":                  {last: []*dbus.Signal{dies(a.Name)}},
		"another dies":             {last: []*dbus.Signal{dies(b.Name)}, want: a},
		"the registry goes":        {last: []*dbus.Signal{dies(registryName), says(b, ".Activate")}, gone: true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := &fronts{news: make(chan front, 1)}
				heard, busy, said := make(chan struct{}), make(chan struct{}), make(chan object, 8)
				ended := make(chan error, 1)
				go func() {
					ended <- followFronts(heard, f.news, func(w object) { <-busy; said <- w })
				}()
				f.hear(says(b, ".Activate"))
				synctest.Wait() // for this one the bus is asked, and does not answer
				for range 1000 {
					f.hear(says(b, ".Activate"))
					f.hear(says(a, ".Activate"))
				}
				for _, s := range c.last {
					f.hear(s)
				}
				close(busy)
				time.Sleep(overtake)
				synctest.Wait()
				close(heard)
				if err := <-ended; (err.Error() == "its registry is gone") != c.gone {
					t.Error(err)
				}
				close(said)
				var is object
				for w := range said {
					is = w
				}
				if is != c.want && !c.gone {
					t.Errorf("in front at the end: %+v, want %+v", is, c.want)
				}
			})
		})
	}
}

// TestAccessibilityThatFails has each part absent, silent or lying: the focus is unknown then.
func TestAccessibilityThatFails(t *testing.T) {
	t.Run("no registry", func(t *testing.T) {
		s := newShell(t, nil)
		s.follow()(Focus{Why: "AT-SPI: cannot ask the applications to tell"})
	})
	t.Run("no bus of its own", func(t *testing.T) {
		s := newShell(t, func(s *shell) { s.a11y = "unix:path=/nowhere" })
		s.follow()(Focus{Why: "AT-SPI: cannot connect"})
	})
	t.Run("who hangs", func(t *testing.T) {
		s := newShell(t, nil)
		s.registry()
		hangs := make(chan struct{})
		defer close(hangs)
		one := s.app("One", true, hangs)
		until := s.follow()
		until(unknown)
		one.says("Activate")
		if f := called(t, ""); f.App != "" {
			until(f) // its unit is known without it
		}
		s.app("Two", false, nil).says("Activate")
		until(called(t, "Two"))
	})
	t.Run("who says more than anybody can take", func(t *testing.T) {
		s := newShell(t, nil)
		s.registry()
		hangs := make(chan struct{})
		defer close(hangs)
		one, two, three := s.app("One", false, hangs), s.app("Two", false, nil), s.app("Three", false, nil)
		until := s.follow()
		until(unknown)
		one.says("Activate") // whose name is asked for, and waited for
		one.said()
		for range 1000 {
			two.says("Activate")
			two.says("Deactivate")
		}
		two.said()
		three.says("Activate")
		until(called(t, "Three"))
		three.says("Deactivate")
		until(unknown)
	})
	t.Run("who lies", func(t *testing.T) {
		s := newShell(t, nil)
		s.registry()
		until := s.follow()
		until(unknown)
		s.app(true, false, nil).says("Activate") // this is no name
		if f := called(t, ""); f.App != "" {
			until(f)
		}
		s.app("Two", false, nil).says("Activate")
		until(called(t, "Two"))
	})
	t.Run("the registry goes", func(t *testing.T) {
		s := newShell(t, nil)
		s.registry()
		s.app("One", true, nil)
		until := s.follow()
		until(called(t, "One"))
		if _, err := s.conn.ReleaseName(registryName); err != nil {
			t.Fatal(err)
		}
		until(Focus{Why: "AT-SPI is gone"})
		s.own(registryName) // another, that has to be asked as well
		until(called(t, "One"))
	})
	t.Run("it goes", func(t *testing.T) {
		s := newShell(t, nil)
		s.registry()
		s.app("One", true, nil)
		until := s.follow()
		until(called(t, "One"))
		if _, err := s.conn.ReleaseName(gnomeName); err != nil {
			t.Fatal(err)
		}
		until(nowAbove)
	})
}
