package dbusapi

import (
	"context"
	"os"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
)

const (
	busInterface   = "org.freedesktop.DBus"
	busPath        = dbus.ObjectPath("/org/freedesktop/DBus")
	peerInterface  = busInterface + ".Peer"
	introspectable = busInterface + ".Introspectable"
	propsInterface = busInterface + ".Properties"
	objectManager  = busInterface + ".ObjectManager"

	// The two ends of a private connection.
	ourName, peerName = ":1.0", ":1.1"
)

type (
	values     = map[string]dbus.Variant
	interfaces = map[string]values
)

func (s *Server) peer() *iface {
	return &iface{methods: map[string]any{
		"Ping":         func(context.Context, *call) error { return nil },
		"GetMachineId": func(context.Context, *call) (string, error) { return machineID() },
	}}
}

// machineID is the machine's, as machine-id(5) has it and the D-Bus specification wants it.
func machineID() (string, error) {
	text, err := os.ReadFile("/etc/machine-id")
	return strings.TrimSpace(string(text)), err
}

func (s *Server) introspectable() *iface {
	return &iface{methods: map[string]any{
		"Introspect": func(_ context.Context, c *call) (string, error) {
			return s.describe(c.path, c.target.status, c.conn.private), nil
		},
	}}
}

func (s *Server) properties() *iface {
	return &iface{
		methods: map[string]any{
			"Get": func(_ context.Context, c *call, name, member string) (dbus.Variant, error) {
				p, err := s.property(c, name, member)
				if err != nil {
					return dbus.Variant{}, err
				}
				return dbus.MakeVariant(p.get(c.target)), nil
			},
			"GetAll": func(_ context.Context, c *call, name string) (values, error) {
				all := values{}
				found := name == ""
				for _, i := range c.ifaces {
					if name == "" || i.spec.Name == name {
						found = true
						for member, v := range i.values(c.target) {
							all[member] = v
						}
					}
				}
				if !found {
					return nil, errUnknownInterface(c.path, name)
				}
				return all, nil
			},
			"Set": func(ctx context.Context, c *call, name, member string, v dbus.Variant) error {
				p, err := s.property(c, name, member)
				if err != nil {
					return err
				}
				if p.set == nil {
					return errReadOnly(member)
				}
				if want := dbus.SignatureOf(p.get(c.target)); v.Signature() != want {
					return errInvalidArgs("%s is of type %q, not %q", member, want.String(), v.Signature().String())
				}
				return p.set(ctx, c.target, v.Value())
			},
		},
		signals: map[string]signal{
			"PropertiesChanged": func(report.Event) []any { return []any{"", values{}, []string{}} },
		},
	}
}

// property finds a property; an empty interface name means any.
func (s *Server) property(c *call, name, member string) (property, error) {
	found := name == ""
	for _, i := range c.ifaces {
		if name == "" || i.spec.Name == name {
			found = true
			if p, ok := i.props[member]; ok {
				return p, nil
			}
		}
	}
	if !found {
		return property{}, errUnknownInterface(c.path, name)
	}
	return property{}, errUnknownProperty(member)
}

// values are all properties of an interface.
func (i *iface) values(t target) values {
	all := make(values, len(i.props))
	for name, p := range i.props {
		all[name] = dbus.MakeVariant(p.get(t))
	}
	return all
}

func (s *Server) objectManager() *iface {
	return &iface{
		methods: map[string]any{
			"GetManagedObjects": func(_ context.Context, c *call) (map[dbus.ObjectPath]interfaces, error) {
				st := c.target.status
				all := make(map[dbus.ObjectPath]interfaces, len(st.Devices))
				for i := range st.Devices {
					d := &st.Devices[i]
					all[DevicePath(d.ID)] = interfaces{DeviceInterface: s.ifaces.device.values(target{st, d})}
				}
				return all, nil
			},
		},
		signals: map[string]signal{
			"InterfacesAdded":   func(report.Event) []any { return []any{RootPath, interfaces{}} },
			"InterfacesRemoved": func(report.Event) []any { return []any{RootPath, []string{}} },
		},
	}
}

// driver is the little of a bus that clients of the private socket ask for: gdbus and busctl
// begin with Hello and match rules.
func (s *Server) driver() *iface {
	owners := map[string]string{busInterface: busInterface, BusName: ourName, ourName: ourName, peerName: peerName}
	return &iface{methods: map[string]any{
		"Hello":       func(context.Context, *call) (string, error) { return peerName, nil },
		"AddMatch":    func(context.Context, *call, string) error { return nil },
		"RemoveMatch": func(context.Context, *call, string) error { return nil },
		"GetNameOwner": func(_ context.Context, _ *call, name string) (string, error) {
			if owner, ok := owners[name]; ok {
				return owner, nil
			}
			return "", standard("NameHasNoOwner", "nobody has the name %q", name)
		},
		"NameHasOwner": func(_ context.Context, _ *call, name string) (bool, error) {
			_, ok := owners[name]
			return ok, nil
		},
		"ListNames": func(context.Context, *call) ([]string, error) {
			return []string{busInterface, BusName, ourName, peerName}, nil
		},
		"ListActivatableNames": func(context.Context, *call) ([]string, error) { return []string{}, nil },
		"GetId":                func(context.Context, *call) (string, error) { return s.guid, nil },
	}}
}
