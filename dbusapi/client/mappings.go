package client

import (
	"context"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
)

// A Mapping is what the configuration makes of a control.
type Mapping struct {
	ID            string         `json:"id"`
	Label         string         `json:"label"`
	Mode          string         `json:"mode"` // empty: global
	Trigger       string         `json:"trigger"`
	Action        string         `json:"action"`
	Enabled       bool           `json:"enabled"`
	Device        string         `json:"device"` // empty: any
	TriggerText   string         `json:"trigger_text"`
	ActionText    string         `json:"action_text"`
	TriggerFields map[string]any `json:"trigger_fields"`
	ActionFields  map[string]any `json:"action_fields"`
	Eager         bool           `json:"eager"`
	WhenLocked    bool           `json:"when_locked"`
	Conditional   bool           `json:"conditional"`
	MaxRate       float64        `json:"max_rate"` // a second; 0: the action's own
}

// A MappingFilter says which mappings are wanted; what is nil does not matter.
type MappingFilter struct {
	Mode, Device, Trigger, Action, Text *string
	Enabled                             *bool
}

// wish puts what is given into a dictionary.
func wish(pairs map[string]any) map[string]dbus.Variant {
	out := map[string]dbus.Variant{}
	for key, value := range pairs {
		switch v := value.(type) {
		case *string:
			if v != nil {
				out[key] = dbus.MakeVariant(*v)
			}
		case *bool:
			if v != nil {
				out[key] = dbus.MakeVariant(*v)
			}
		}
	}
	return out
}

// Mappings lists mappings in the order of the configuration.
func (c *Client) Mappings(ctx context.Context, f MappingFilter) ([]Mapping, error) {
	var rows []dbusapi.Mapping
	filter := wish(map[string]any{
		"mode": f.Mode, "device": f.Device, "trigger": f.Trigger, "action": f.Action, "text": f.Text, "enabled": f.Enabled,
	})
	if err := c.call(ctx, dbusapi.BusName+".Mappings.List", []any{filter}, &rows); err != nil {
		return nil, err
	}
	out := make([]Mapping, len(rows))
	for i, r := range rows {
		m := &out[i]
		*m = Mapping{ID: r.ID, Label: r.Label, Mode: r.Mode, Trigger: r.Trigger, Action: r.Action, Enabled: r.Enabled}
		var trigger, action map[string]dbus.Variant
		if err := store(r.Extra, map[string]any{
			"device": &m.Device, "trigger_text": &m.TriggerText, "action_text": &m.ActionText, "trigger": &trigger, "action": &action,
			"eager": &m.Eager, "when_locked": &m.WhenLocked, "conditional": &m.Conditional, "max_rate": &m.MaxRate,
		}); err != nil {
			return nil, err
		}
		m.TriggerFields, m.ActionFields = plain(trigger), plain(action)
	}
	return out, nil
}

// plain takes values out of their variants.
func plain(in map[string]dbus.Variant) map[string]any {
	out := map[string]any{}
	for key, v := range in {
		out[key] = v.Value()
	}
	return out
}

// Trigger does what a mapping does at a press.
func (c *Client) Trigger(ctx context.Context, id string) error {
	return c.call(ctx, dbusapi.BusName+".Mappings.Trigger", []any{id})
}
