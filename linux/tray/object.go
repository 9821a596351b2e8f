//go:build linux

package tray

import (
	_ "embed"
	"fmt"
	"slices"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/linux/bus"
)

// The contracts, as far as they are kept.
var (
	//go:embed item.xml
	itemXML string
	//go:embed menu.xml
	menuXML string
)

const (
	propertiesIface = "org.freedesktop.DBus.Properties"
	introspectIface = "org.freedesktop.DBus.Introspectable"
	peerIface       = "org.freedesktop.DBus.Peer"
)

// The errors of calls that name what is not there.
const (
	invalidArgs      = "org.freedesktop.DBus.Error.InvalidArgs"
	unknownObject    = "org.freedesktop.DBus.Error.UnknownObject"
	unknownMethod    = "org.freedesktop.DBus.Error.UnknownMethod"
	unknownInterface = "org.freedesktop.DBus.Error.UnknownInterface"
	unknownProperty  = "org.freedesktop.DBus.Error.UnknownProperty"
	propertyReadOnly = "org.freedesktop.DBus.Error.PropertyReadOnly"
)

func wrong(name, format string, args ...any) *dbus.Error {
	return dbus.NewError(name, []any{fmt.Sprintf(format, args...)})
}

// A tooltip is (sa(iiay)ss).
type tooltip struct {
	Icon        string
	Pixmaps     []pixmap
	Title, Text string
}

// serve answers the calls that come on a connection, in their order: libdbusmenu asks for the properties of
// a menu and then for those of what is below it, and if the second answer comes first, it shows an empty
// menu.
func (t *tray) serve(conn *dbus.Conn) (end func()) {
	var chosen acts
	objects := t.objects(&chosen)
	return bus.Serve(conn, 256, func(call *dbus.Message) {
		objects.answer(conn, call)
		chosen.do() // after the answer: it may be our end
	})
}

// acts are what entries do that were chosen.
type acts []func()

func (a *acts) do() {
	for _, act := range *a {
		act()
	}
	*a = nil
}

// objects are the two, with their interfaces. The item has no Activate: a panel whose click comes to nothing
// opens the menu.
func (t *tray) objects(chosen *acts) objects {
	return objects{
		itemPath: {
			itemIface:       {"Scroll": func(int32, string) *dbus.Error { return nil }},
			propertiesIface: access(itemIface, t.itemProperties), introspectIface: describes(itemXML), peerIface: peer,
		},
		menuPath: {
			menuIface: {
				"GetLayout": t.getLayout, "GetGroupProperties": t.getGroupProperties, "GetProperty": t.getProperty,
				"Event":       func(id int32, kind string, _ dbus.Variant, _ uint32) *dbus.Error { return t.event(id, kind, chosen) },
				"EventGroup":  func(events []occurrence) ([]int32, *dbus.Error) { return t.eventGroup(events, chosen) },
				"AboutToShow": t.aboutToShow, "AboutToShowGroup": t.aboutToShowGroup,
			},
			propertiesIface: access(menuIface, menuProperties), introspectIface: describes(menuXML), peerIface: peer,
		},
	}
}

var peer = methods{"Ping": func() *dbus.Error { return nil }}

func describes(xml string) methods {
	return methods{"Introspect": func() (string, *dbus.Error) { return xml, nil }}
}

// access is org.freedesktop.DBus.Properties of an object whose own interface is one.
func access(own string, all func() map[string]dbus.Variant) methods {
	of := func(iface string) (map[string]dbus.Variant, *dbus.Error) {
		if iface != own && iface != "" {
			return nil, wrong(unknownInterface, "there is no interface %q here", iface)
		}
		return all(), nil
	}
	return methods{
		"GetAll": of,
		"Get": func(iface, name string) (dbus.Variant, *dbus.Error) {
			values, err := of(iface)
			if err != nil {
				return dbus.MakeVariant(""), err
			}
			v, ok := values[name]
			if !ok {
				return dbus.MakeVariant(""), wrong(unknownProperty, "there is no property %q", name)
			}
			return v, nil
		},
		"Set": func(_, name string, _ dbus.Variant) *dbus.Error {
			return wrong(propertyReadOnly, "%q cannot be set", name)
		},
	}
}

func (t *tray) itemProperties() map[string]dbus.Variant {
	s := t.shown.Load()
	if s == nil {
		s = &shown{icon: []pixmap{}}
	}
	p := map[string]dbus.Variant{}
	for name, v := range map[string]any{
		"Category": "ApplicationStatus", "Id": "midimon", "Title": "midimon", "Status": "Active", "WindowId": int32(0),
		"IconName": "", "IconPixmap": s.icon, "IconThemePath": "",
		"OverlayIconName": "", "OverlayIconPixmap": []pixmap{}, "AttentionIconName": "", "AttentionIconPixmap": []pixmap{}, "AttentionMovieName": "",
		"ToolTip": tooltip{Pixmaps: []pixmap{}, Title: s.face.Tooltip}, "ItemIsMenu": true, "Menu": menuPath,
	} {
		p[name] = dbus.MakeVariant(v)
	}
	return p
}

func menuProperties() map[string]dbus.Variant {
	return map[string]dbus.Variant{
		"Version": dbus.MakeVariant(uint32(3)), "TextDirection": dbus.MakeVariant("ltr"),
		"Status": dbus.MakeVariant("normal"), "IconThemePath": dbus.MakeVariant([]string{}),
	}
}

// menu is the one that is shown.
func (t *tray) menu() *menu {
	if s := t.shown.Load(); s != nil {
		return s.menu
	}
	return new(ids).build(nil, nil)
}

// item is one of the menu that is shown.
func (m *menu) item(id int32) (*item, *dbus.Error) {
	if it := m.items[id]; it != nil {
		return it, nil
	}
	return nil, wrong(invalidArgs, "there is no entry %d", id)
}

func (t *tray) getLayout(parent, depth int32, names []string) (uint32, layout, *dbus.Error) {
	m := t.menu()
	it, err := m.item(parent)
	if err != nil {
		return 0, layout{}, err
	}
	return m.revision, it.layout(depth, names), nil
}

// getGroupProperties tells of some entries, or of all if none is named. Those that went are left out. What
// is above comes before what is below, which has the greater number: libdbusmenu makes the menus in the
// order of this answer, and leaves out what is below a menu that it has not made yet.
func (t *tray) getGroupProperties(which []int32, names []string) ([]updated, *dbus.Error) {
	m := t.menu()
	if len(which) == 0 {
		for id := range m.items {
			which = append(which, id)
		}
	}
	slices.Sort(which)
	out := []updated{}
	for _, id := range which {
		if it := m.items[id]; it != nil {
			out = append(out, updated{id, chosen(it.props, names)})
		}
	}
	return out, nil
}

func (t *tray) getProperty(id int32, name string) (dbus.Variant, *dbus.Error) {
	it, err := t.menu().item(id)
	if err != nil {
		return dbus.MakeVariant(""), err
	}
	v, ok := it.props[name]
	if !ok {
		return dbus.MakeVariant(""), wrong(invalidArgs, "entry %d has no %q", id, name)
	}
	return v, nil
}

const clicked = "clicked"

// event takes what happened to an entry, and what is to be done if it can be chosen and was.
func (t *tray) event(id int32, kind string, chosen *acts) *dbus.Error {
	it, err := t.menu().item(id)
	if err != nil {
		return err
	}
	if kind == clicked && it.entry.Do != nil && !it.entry.Disabled {
		*chosen = append(*chosen, it.entry.Do)
	}
	return nil
}

// An occurrence is an event among several: (isvu).
type occurrence struct {
	ID   int32
	Kind string
	Data dbus.Variant
	Time uint32
}

func (t *tray) eventGroup(events []occurrence, chosen *acts) (unknown []int32, _ *dbus.Error) {
	unknown = []int32{}
	for _, e := range events {
		if t.event(e.ID, e.Kind, chosen) != nil {
			unknown = append(unknown, e.ID)
		}
	}
	if len(unknown) > 0 && len(unknown) == len(events) {
		return nil, wrong(invalidArgs, "there are no such entries")
	}
	return unknown, nil
}

// aboutToShow says that the menu needs no update: it is always as it should be.
func (t *tray) aboutToShow(id int32) (bool, *dbus.Error) {
	_, err := t.menu().item(id)
	return false, err
}

func (t *tray) aboutToShowGroup(which []int32) (updates, unknown []int32, _ *dbus.Error) {
	m := t.menu()
	updates, unknown = []int32{}, []int32{}
	for _, id := range which {
		if m.items[id] == nil {
			unknown = append(unknown, id)
		}
	}
	return updates, unknown, nil
}
