package config

import (
	"path"
	"strconv"
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

// condition is a condition while it is read, and how deep it stands in others.
type condition struct {
	*effect.Condition
	depth int
}

// conditionKind is one kind of condition and its keys.
type conditionKind struct {
	kind   effect.ConditionKind
	fields []field[condition]
}

// conditionKinds are the kinds by name. It is filled by init because some hold others.
var conditionKinds map[string]conditionKind

var conditionNames = strings.Fields("Always Never TimeRange DayOfWeek ModeIs AppRunning AppFrontmost AppFocused Locked DevicePresent And Or Not")

func init() {
	app := func(more ...field[condition]) []field[condition] {
		return append(more, field[condition]{name: "app_name", also: "app", must: true, read: func(r *reader, id int32, c *condition) {
			c.Name, _ = r.pattern(id)
		}})
	}
	several := []field[condition]{{name: "conditions", must: true, read: (*reader).conditions}}
	frontmost := conditionKind{effect.AppFocused, app(flag("unknown", func(c *condition, b bool) { c.Unknown = b }))}
	conditionKinds = map[string]conditionKind{
		"Always": {effect.Always, nil},
		"Never":  {effect.Never, nil},
		"TimeRange": {effect.TimeRange, []field[condition]{
			{name: "start", must: true, read: func(r *reader, id int32, c *condition) { c.From = r.minute(id) }},
			{name: "end", must: true, read: func(r *reader, id int32, c *condition) { c.To = r.minute(id) }},
		}},
		"DayOfWeek": {effect.DayOfWeek, []field[condition]{{name: "days", must: true, read: (*reader).days}}},
		"ModeIs": {effect.ModeIs, []field[condition]{{name: "mode", must: true, read: func(r *reader, id int32, c *condition) {
			if i, ok := r.modeRef(id); ok {
				c.Name = r.modes.list[i]
			}
		}}}},
		"AppRunning":   {effect.AppRunning, app()},
		"AppFrontmost": frontmost,
		"AppFocused":   frontmost,
		"Locked":       {effect.ScreenLocked, nil},
		"DevicePresent": {effect.DevicePresent, []field[condition]{{name: "device", must: true, read: func(r *reader, id int32, c *condition) {
			if i, ok := r.deviceRef(id); ok {
				c.Name = r.devices.list[i]
			}
		}}}},
		"And": {effect.And, several},
		"Or":  {effect.Or, several},
		"Not": {effect.Not, []field[condition]{{name: "condition", must: true, read: func(r *reader, id int32, c *condition) {
			c.Of = []effect.Condition{r.condition(id, c.depth+1)}
		}}}},
	}
	for name, k := range conditionKinds {
		k.fields = append(k.fields, quiet[condition]("type"))
		conditionKinds[name] = k
	}
}

// condition reads { type = "TimeRange", … }, the ancestor's { TimeRange = { … } }, or the
// name alone of what asks for no more.
func (r *reader) condition(id int32, depth int) effect.Condition {
	var out effect.Condition
	if depth > maxNesting {
		r.report(fault{code: TooDeep, off: r.nodes[id].off, node: id}, "conditions are nested more than %d deep", maxNesting)
		return out
	}
	at, of := id, id // where its name stands, and its keys
	name := r.nodes[id].str
	switch k := r.nodes[id].kind; {
	case k == textNode:
		of = 0
	case k == brokenNode:
		return out
	case k != tableNode:
		r.report(fault{code: WrongType, off: r.nodes[id].off, node: id}, "must be a string or a table, not %s", kindNames[k])
		return out
	case r.find(id, "type") == 0 && r.nodes[id].size == 1:
		at = r.nodes[id].first
		name, of = r.nodes[at].key, at
	default:
		ok := false
		if at, name, ok = r.typeOf(id); !ok {
			return out
		}
	}
	kind, ok := conditionKinds[name]
	if !ok {
		off := r.nodes[at].off
		if r.nodes[at].kind != textNode {
			off = r.nodes[at].keyAt
		}
		r.report(fault{
			code: UnknownValue, off: off, node: at, word: name, among: conditionNames,
			hint: "it is one of " + strings.Join(conditionNames, ", "),
		}, "%q is no condition", name)
		return out
	}
	out.Kind = kind.kind
	switch {
	case of != 0:
		if r.is(of, tableNode) {
			readTable(r, of, kind.fields, &condition{&out, depth})
		}
	case len(kind.fields) > 1:
		r.missing(id, kind.fields[0].name)
	}
	return out
}

func (r *reader) conditions(id int32, c *condition) {
	if k := r.nodes[id].kind; k != tablesNode && !r.is(id, arrayNode) {
		return
	}
	if r.nodes[id].size == 0 {
		r.report(fault{code: Empty, off: r.nodes[id].off, node: id}, "must not be empty")
	}
	for n := r.nodes[id].first; n != 0; n = r.nodes[n].next {
		c.Of = append(c.Of, r.condition(n, c.depth+1))
	}
}

// minute reads a time of the day as "09:05": the minutes since midnight.
func (r *reader) minute(id int32) uint16 {
	s, ok := r.text(id)
	if !ok {
		return 0
	}
	h, m, colon := strings.Cut(s, ":")
	hours, err := strconv.ParseUint(h, 10, 8)
	minutes, err2 := strconv.ParseUint(m, 10, 8)
	if !colon || err != nil || err2 != nil || len(h) > 2 || len(m) != 2 || hours > 23 || minutes > 59 {
		r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id, hint: `write "00:00" to "23:59"`}, "%q is no time of day", s)
	}
	return uint16(hours*60 + minutes)
}

var weekdays = strings.Fields("Monday Tuesday Wednesday Thursday Friday Saturday Sunday")

// days reads days of the week: 1 for Monday to 7, or names of three letters or more.
func (r *reader) days(id int32, c *condition) {
	if !r.is(id, arrayNode) {
		return
	}
	if r.nodes[id].size == 0 {
		r.report(fault{code: Empty, off: r.nodes[id].off, node: id}, "must not be empty")
	}
	for n := r.nodes[id].first; n != 0; n = r.nodes[n].next {
		if r.nodes[n].kind != textNode {
			if day, ok := r.whole(n, 1, 7); ok {
				c.Days |= 1 << (day - 1)
			}
			continue
		}
		s := r.nodes[n].str
		day := -1
		for i, w := range weekdays {
			if len(s) >= 3 && len(s) <= len(w) && strings.EqualFold(s, w[:len(s)]) {
				day = i
			}
		}
		if day < 0 {
			r.report(fault{code: UnknownValue, off: r.nodes[n].off, node: n, word: s, among: weekdays, hint: "it is one of " + strings.Join(weekdays, ", ")}, "%q is no day", s)
			continue
		}
		c.Days |= 1 << day
	}
}

// pattern reads a pattern over ids of applications or names of programs. Both are compared in
// lower case.
func (r *reader) pattern(id int32) (string, bool) {
	s, ok := r.label(id)
	if !ok {
		return "", false
	}
	if _, err := path.Match(s, ""); err != nil {
		r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id}, "%q is no pattern: a [ is not closed", s)
		return "", false
	}
	return strings.ToLower(s), true
}
