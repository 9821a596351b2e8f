package dbusapi

import (
	"context"
	"fmt"
	"strings"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
)

const devicesPath = RootPath + "/devices"

// DevicePath is the object path of the device with that ID.
func DevicePath(id string) dbus.ObjectPath {
	return devicesPath + "/" + dbus.ObjectPath(escape(id))
}

// escape makes an element of an object path: letters and digits stay, every other byte and a
// leading digit become _ and two hexadecimal digits, nothing becomes _. Different ids stay
// different.
func escape(id string) string {
	if id == "" {
		return "_"
	}
	var out strings.Builder
	for i := range len(id) {
		c := id[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if digit := c >= '0' && c <= '9'; letter || digit && i > 0 {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, "_%02x", c)
		}
	}
	return out.String()
}

// A Port is a row of the property Ports.
type Port struct {
	Name    string
	In, Out bool
}

func ports(in []report.Port) []Port {
	out := make([]Port, len(in))
	for i, p := range in {
		out[i] = Port{clean(p.Name), p.In, p.Out}
	}
	return out
}

func (s *Server) device() *iface {
	b := s.backend
	return &iface{
		methods: map[string]any{
			"Reconnect": func(ctx context.Context, c *call) error { return b.Reconnect(ctx, c.target.device.ID) },
			"Identify":  func(ctx context.Context, c *call) error { return b.Identify(ctx, c.target.device.ID) },
			"SendMessage": func(ctx context.Context, c *call, midi []byte) error {
				if !c.conn.private {
					return errPrivateOnly("SendMessage")
				}
				return b.Send(ctx, c.target.device.ID, midi)
			},
		},
		slow: []string{"Reconnect", "Identify", "SendMessage"},
		props: map[string]property{
			"Id":     of(func(t target) string { return t.device.ID }, clean),
			"Name":   of(func(t target) string { return t.device.Name }, clean),
			"Kind":   of(func(t target) string { return t.device.Kind }, clean),
			"UsbId":  of(func(t target) string { return t.device.USB }, clean),
			"Serial": of(func(t target) string { return t.device.Serial }, clean),
			"State":  of(func(t target) report.DeviceState { return t.device.State }, func(s report.DeviceState) string { return string(s) }),
			"Error":  of(func(t target) string { return t.device.Error }, clean),
			"Enabled": of(func(t target) bool { return t.device.Enabled }, func(on bool) bool { return on }).
				writable(func(ctx context.Context, t target, v any) error {
					return b.SetDeviceEnabled(ctx, t.device.ID, v.(bool))
				}, true),
			"Ports":      listOf(func(t target) []report.Port { return t.device.Ports }, ports),
			"EventCount": {get: func(t target) any { return t.device.Events }},
			"LastEventUSec": {get: func(t target) any {
				if t.device.LastEvent.IsZero() {
					return uint64(0)
				}
				return uint64(t.device.LastEvent.UnixMicro())
			}},
		},
	}
}
