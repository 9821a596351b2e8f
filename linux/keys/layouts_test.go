//go:build linux

package keys

import (
	"strings"
	"testing"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/desktoptest"
)

// GNOME's settings, as its portal tells them: of one layout that is not to be chosen from others.
func TestLayoutsOfGNOME(t *testing.T) {
	type source struct{ Type, Name string }
	for _, c := range []struct {
		name    string
		sources any // nil: there is no portal
		why     string
	}{
		{"one", []source{{"xkb", "pl"}}, ""},
		{"none: it takes its own", []source{}, ""},
		{"several", []source{{"xkb", "pl"}, {"xkb", "us"}}, "GNOME has 2 layouts"},
		{"nonsense", "pl", "which are none"},
		{"no portal", nil, "org.freedesktop.portal.Desktop"},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := desktoptest.New(t)
			conn, ours := d.Dial(), d.Dial()
			if err := onlyOne(t.Context(), ours); err == nil || !strings.Contains(err.Error(), "no GNOME") {
				t.Error(err)
			}
			names := []string{"org.gnome.Shell"}
			if c.sources != nil {
				names = append(names, "org.freedesktop.portal.Desktop")
				read := func(space, key string) (dbus.Variant, *dbus.Error) {
					if space != "org.gnome.desktop.input-sources" || key != "sources" {
						return dbus.Variant{}, dbus.NewError("org.freedesktop.portal.Error.NotFound", nil)
					}
					return dbus.MakeVariant(dbus.MakeVariant(c.sources)), nil
				}
				if err := conn.ExportMethodTable(map[string]any{"Read": read}, "/org/freedesktop/portal/desktop", "org.freedesktop.portal.Settings"); err != nil {
					t.Fatal(err)
				}
			}
			for _, name := range names {
				if _, err := conn.RequestName(name, 0); err != nil {
					t.Fatal(err)
				}
			}
			err := onlyOne(t.Context(), ours)
			if c.why == "" && err != nil || c.why != "" && (err == nil || !strings.Contains(err.Error(), c.why)) {
				t.Errorf("%v, want %q", err, c.why)
			}
		})
	}
}
