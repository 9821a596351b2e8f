package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/engine/report"
)

// Modes are the names of the modes and which of them act.
type Modes struct {
	Mode     string   `json:"mode"`
	BaseMode string   `json:"base_mode"`
	Modes    []string `json:"modes"`
}

// Modes reads the modes.
func (c *Client) Modes(ctx context.Context) (*Modes, error) {
	var values map[string]dbus.Variant
	if err := c.call(ctx, propsGetAll, []any{dbusapi.BusName}, &values); err != nil {
		return nil, err
	}
	m := &Modes{}
	return m, store(values, map[string]any{"Mode": &m.Mode, "BaseMode": &m.BaseMode, "Modes": &m.Modes})
}

// SetMode makes the named mode the base mode.
func (c *Client) SetMode(ctx context.Context, name string) error {
	return c.call(ctx, propsSet, []any{dbusapi.BusName, "Mode", dbus.MakeVariant(name)})
}

// Pause makes the daemon refuse every action.
func (c *Client) Pause(ctx context.Context) error { return c.call(ctx, dbusapi.BusName+".Pause", nil) }

// Resume ends Pause.
func (c *Client) Resume(ctx context.Context) error {
	return c.call(ctx, dbusapi.BusName+".Resume", nil)
}

// Reconnect closes the ports of the device with that ID and opens them again. Without one the error is
// report.ErrUnknownDevice.
func (c *Client) Reconnect(ctx context.Context, id string) error {
	device := c.conn.Object(dbusapi.BusName, dbusapi.DevicePath(id))
	err := answer(ctx, device.CallWithContext(ctx, dbusapi.DeviceInterface+".Reconnect", c.flag))
	if e, ok := errors.AsType[*Error](err); ok && e.Name == "org.freedesktop.DBus.Error.UnknownObject" {
		return fmt.Errorf("%w: %s", report.ErrUnknownDevice, id)
	}
	return err
}

// Panic lets go of everything held.
func (c *Client) Panic(ctx context.Context) error { return c.call(ctx, dbusapi.BusName+".Panic", nil) }

// Reload makes the daemon read its configuration. With an error that is ErrConfigInvalid the
// diagnostics say why.
func (c *Client) Reload(ctx context.Context) (generation uint64, found []report.Diagnostic, err error) {
	var sent []dbusapi.Diagnostic
	err = c.call(ctx, dbusapi.BusName+".Reload", nil, &generation, &sent)
	return generation, received(sent), err
}

// Diagnostics are those of the configuration last read.
func (c *Client) Diagnostics(ctx context.Context) ([]report.Diagnostic, error) {
	var sent []dbusapi.Diagnostic
	err := c.call(ctx, dbusapi.BusName+".GetDiagnostics", nil, &sent)
	return received(sent), err
}

func received(sent []dbusapi.Diagnostic) []report.Diagnostic {
	out := make([]report.Diagnostic, len(sent))
	for i, d := range sent {
		path, _ := d.Extra["path"].Value().(string)
		hint, _ := d.Extra["hint"].Value().(string)
		waits, _ := d.Extra["latency_ms"].Value().(uint32)
		out[i] = report.Diagnostic{
			Severity: d.Severity, Code: d.Code, Message: d.Message, File: d.File,
			Line: int(d.Line), Column: int(d.Column), Path: path, Hint: hint,
			Waits: time.Duration(waits) * time.Millisecond,
		}
	}
	return out
}
