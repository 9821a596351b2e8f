package config

import (
	"path"
	"slices"
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
	name  string
	doc   string
	kind  effect.ConditionKind
	table *table[condition]
	own   *table[condition] // and the type
}

// conditionKinds are the kinds. They are filled by init because some hold others.
var conditionKinds []conditionKind

// conditionNames are the kinds as they are shown.
var conditionNames []string

func init() {
	add := func(name, doc string, kind effect.ConditionKind, fields ...field[condition]) {
		t := tableOf(fields...)
		conditionKinds = append(conditionKinds, conditionKind{name, doc, kind, t, typed(t)})
		conditionNames = append(conditionNames, name)
	}
	app := field[condition]{
		name: "app_name", also: "app", must: true, shape: wordShape,
		read: func(r *reader, id int32, c *condition) { c.Name, _ = r.pattern(id) },
	}
	focused := app.says("A pattern over its id.")
	unknown := flag("unknown", func(c *condition, b bool) { c.Unknown = b }).says("The answer while nobody can tell. false.")
	several := field[condition]{name: "conditions", must: true, doc: "The conditions.", shape: manyOf(named("condition"), 1, 0), read: (*reader).conditions}
	clock := func(name, doc string, set func(*condition, uint16)) field[condition] {
		return field[condition]{
			name: name, must: true, doc: doc, shape: &shape{kind: "string", pattern: `^([01]?[0-9]|2[0-3]):[0-5][0-9]$`},
			read: func(r *reader, id int32, c *condition) { set(c, r.minute(id)) },
		}
	}
	day := either(integerOf(1, 7), &shape{kind: "string", pattern: `^[A-Za-z]{3,9}$`})

	add("Always", "Holds.", effect.Always)
	add("Never", "Does not hold.", effect.Never)
	add("TimeRange", "The time of day.", effect.TimeRange,
		clock("start", `The first minute that counts, as "09:05".`, func(c *condition, m uint16) { c.From = m }),
		clock("end", "The last one; before start: over midnight.", func(c *condition, m uint16) { c.To = m }))
	add("DayOfWeek", "The day of the week.", effect.DayOfWeek, field[condition]{
		name: "days", must: true, doc: "1 for Monday to 7, or names.", shape: manyOf(day, 1, 0), read: (*reader).days,
	})
	add("ModeIs", "A mode acts.", effect.ModeIs, field[condition]{
		name: "mode", must: true, doc: "Its name, or its index from 0.", shape: modeShape,
		read: func(r *reader, id int32, c *condition) {
			if i, ok := r.modeRef(id); ok {
				c.Name = r.modes.list[i]
			}
		},
	})
	add("AppRunning", "A program runs.", effect.AppRunning, app.says("A pattern over its name."))
	add("AppFrontmost", "An application has the focus.", effect.AppFocused, focused, unknown)
	add("AppFocused", "An application has the focus.", effect.AppFocused, focused, unknown)
	add("Locked", "The screen is locked.", effect.ScreenLocked)
	add("DevicePresent", "A device is connected.", effect.DevicePresent, field[condition]{
		name: "device", must: true, doc: "The name of one of the devices.", shape: wordShape,
		read: func(r *reader, id int32, c *condition) {
			if i, ok := r.deviceRef(id); ok {
				c.Name = r.devices.list[i]
			}
		},
	})
	add("And", "All of some hold.", effect.And, several)
	add("Or", "One of some holds.", effect.Or, several)
	add("Not", "One does not hold.", effect.Not, field[condition]{
		name: "condition", must: true, doc: "The condition.", shape: named("condition"),
		read: func(r *reader, id int32, c *condition) { c.Of = []effect.Condition{r.condition(id, c.depth+1)} },
	})
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
	name := r.str(id)
	switch k := r.nodes[id].kind; {
	case k == textNode:
		of = 0
	case k == brokenNode:
		return out
	case k != tableNode:
		r.report(fault{code: WrongType, off: r.nodes[id].off, node: id}, "must be a string or a table, not %s", kindNames[k])
		return out
	case r.find(id, "type") == 0 && r.nodes[id].size == 1:
		at = r.first(id)
		name, of = r.key(at), at
	default:
		ok := false
		if at, name, ok = r.typeOf(id); !ok {
			return out
		}
	}
	i := slices.Index(conditionNames, name)
	if i < 0 {
		off := r.nodes[at].off
		if r.nodes[at].kind != textNode {
			off = r.keyAt(at)
		}
		r.report(fault{
			code: UnknownValue, off: off, node: at, word: name, among: conditionNames,
			hint: "it is one of " + strings.Join(conditionNames, ", "),
		}, "%q is no condition", name)
		return out
	}
	kind := &conditionKinds[i]
	out.Kind = kind.kind
	switch {
	case of != 0:
		if r.is(of, tableNode) {
			readTable(r, of, kind.own, &condition{&out, depth})
		}
	case len(kind.table.fields) > 0:
		r.missing(id, kind.table.fields[0].name)
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
	for n := r.first(id); n != 0; n = r.nodes[n].next {
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
	for n := r.first(id); n != 0; n = r.nodes[n].next {
		if r.nodes[n].kind != textNode {
			if day, ok := r.whole(n, 1, 7); ok {
				c.Days |= 1 << (day - 1)
			}
			continue
		}
		s := r.str(n)
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
