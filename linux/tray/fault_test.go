//go:build linux

package tray

import (
	"context"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// TestPanelAtFault: whatever the panel does when the icon registers, the menu is there for who asks, new faces
// are shown, and the next panel is told.
func TestPanelAtFault(t *testing.T) {
	for _, c := range []struct {
		name     string
		register func(panel *dbus.Conn, ended <-chan struct{}) *dbus.Error
	}{
		{"hangs", func(_ *dbus.Conn, ended <-chan struct{}) *dbus.Error {
			<-ended
			return nil
		}},
		{"fails", func(*dbus.Conn, <-chan struct{}) *dbus.Error { return dbus.NewError("org.example.Error.No", nil) }},
		{"dies", func(panel *dbus.Conn, _ <-chan struct{}) *dbus.Error {
			_ = panel.Close()
			return nil
		}},
		{"floods", func(panel *dbus.Conn, _ <-chan struct{}) *dbus.Error {
			for range 1000 {
				_ = panel.Emit(watcherPath, watcher+".StatusNotifierHostRegistered")
			}
			return nil
		}},
	} {
		t.Run(c.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), desktoptest.Limit)
			defer cancel()
			d := desktoptest.New(t)
			address := d.Getenv("DBUS_SESSION_BUS_ADDRESS")
			bad, err := dbus.Connect(address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = bad.Close() })
			items, ended := make(chan string, 8), make(chan struct{})
			defer close(ended)
			table := map[string]any{"RegisterStatusNotifierItem": func(service string) *dbus.Error {
				items <- service
				return c.register(bad, ended)
			}}
			if err := bad.ExportMethodTable(table, watcherPath, watcher); err != nil {
				t.Fatal(err)
			}
			if _, err := bad.RequestName(watcher, dbus.NameFlagDoNotQueue); err != nil {
				t.Fatal(err)
			}
			b := bus.Session(d.Getenv)
			defer b.Close()
			faces := run(ctx, t, b)
			entry := func(title string) Entry { return Entry{Key: title, Title: title, Do: func() {}} }
			faces <- Face{State: "running", Menu: []Entry{entry("a")}}
			name := ""
			select {
			case name = <-items:
			case <-ctx.Done():
				t.Fatal("it does not register")
			}

			other, err := dbus.Connect(address)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = other.Close() })
			entries := func() int {
				var revision uint32
				var l layout
				err := other.Object(name, menuPath).CallWithContext(ctx, menuIface+".GetLayout", 0, int32(0), int32(-1), []string{}).Store(&revision, &l)
				if err != nil {
					t.Fatal(err)
				}
				return len(l.Children)
			}
			if n := entries(); n != 1 {
				t.Errorf("%d entries", n)
			}
			select {
			case faces <- Face{State: "paused", Menu: []Entry{entry("a"), entry("b")}}:
			case <-ctx.Done():
				t.Fatal("the next face is not taken")
			}
			desktoptest.Until(t, "the next face", func() bool { return entries() == 2 })

			_ = bad.Close()
			if again := newPanel(t, address).item(ctx); again != name {
				t.Errorf("it registers as %s, was %s", again, name)
			}
		})
	}
}
