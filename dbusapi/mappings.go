package dbusapi

import (
	"context"

	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/engine/report"
)

// A Mapping is a row of List.
type Mapping struct {
	ID, Label, Mode, Trigger, Action string
	Enabled                          bool
	Extra                            map[string]dbus.Variant // as the contract says
}

func (s *Server) mappings() *iface {
	b := s.backend
	return &iface{
		methods: map[string]any{
			"List": func(ctx context.Context, _ *call, filter values) ([]Mapping, error) {
				f := report.MappingFilter{}
				if err := fill(filter, map[string]any{
					"mode": &f.Mode, "device": &f.Device, "trigger": &f.Trigger, "action": &f.Action, "enabled": &f.Enabled, "text": &f.Text,
				}); err != nil {
					return nil, err
				}
				all, err := b.Mappings(ctx, f)
				out := make([]Mapping, len(all))
				for i := range all {
					m := &all[i]
					out[i] = Mapping{clean(m.ID), clean(m.Label), clean(m.Mode), m.Trigger, m.Action, m.Enabled, extra(m)}
				}
				return out, err
			},
			"Get": func(ctx context.Context, _ *call, id string) (values, error) {
				m, err := b.Mapping(ctx, id)
				if err != nil {
					return nil, err
				}
				out := extra(&m)
				for key, value := range map[string]any{
					"id": clean(m.ID), "label": clean(m.Label), "mode": clean(m.Mode), "enabled": m.Enabled,
					"trigger_type": m.Trigger, "action_type": m.Action,
				} {
					out[key] = dbus.MakeVariant(value)
				}
				return out, nil
			},
			"Trigger": func(ctx context.Context, _ *call, id string) error { return b.Trigger(ctx, id) },
			"SetEnabled": func(ctx context.Context, _ *call, id string, on bool) error {
				return b.SetEnabled(ctx, id, on)
			},
		},
		props: map[string]property{
			"Count": of(func(t target) int { return t.status.Mappings }, func(n int) uint32 { return uint32(n) }),
		},
	}
}

// extra is what a mapping has beside its row.
func extra(m *report.Mapping) values {
	out := values{
		"trigger_text": dbus.MakeVariant(clean(m.TriggerText)), "action_text": dbus.MakeVariant(clean(m.ActionText)),
		"trigger": dbus.MakeVariant(fields(m.TriggerFields)), "action": dbus.MakeVariant(fields(m.ActionFields)),
		"eager": dbus.MakeVariant(m.Eager), "when_locked": dbus.MakeVariant(m.WhenLocked), "conditional": dbus.MakeVariant(m.Conditional),
	}
	if m.Device != "" {
		out["device"] = dbus.MakeVariant(clean(m.Device))
	}
	if m.MaxRate > 0 {
		out["max_rate"] = dbus.MakeVariant(m.MaxRate)
	}
	return out
}

// fields are values of Go as the bus has them: every whole number is of the same type.
func fields(in map[string]any) values {
	out := make(values, len(in))
	for key, value := range in {
		switch v := value.(type) {
		case string:
			value = clean(v)
		case []string:
			value = cleanAll(v)
		case int:
			value = int64(v)
		case int32:
			value = int64(v)
		case uint8:
			value = int64(v)
		case []int:
			whole := make([]int64, len(v))
			for i, n := range v {
				whole[i] = int64(n)
			}
			value = whole
		}
		out[key] = dbus.MakeVariant(value)
	}
	return out
}

// fill puts the values of a dictionary where they are wanted: *string, **string or **bool.
func fill(in values, want map[string]any) error {
	for key, v := range in {
		to, ok := want[key]
		if !ok {
			return errInvalidArgs("no key %q", key)
		}
		text, isText := v.Value().(string)
		yes, isBool := v.Value().(bool)
		switch to := to.(type) {
		case *string:
			*to, ok = text, isText
		case **string:
			*to, ok = &text, isText
		case **bool:
			*to, ok = &yes, isBool
		}
		if !ok {
			return errInvalidArgs("%q cannot be of type %q", key, v.Signature().String())
		}
	}
	return nil
}
