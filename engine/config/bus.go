package config

import (
	"math"
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

var emitTable = tableOf(
	field[effect.Emit]{
		name: "value", doc: "A number or a text; without it the control's value, 0 to 1.", shape: either(wordShape, &shape{kind: "number"}, named("value")),
		read: func(r *reader, id int32, e *effect.Emit) {
			if r.nodes[id].kind == textNode {
				e.Text, _ = r.word(id)
				return
			}
			r.level(id, &e.Value, -anything, anything)
		},
	},
	label("name", func(e *effect.Emit, s string) { e.Name = s }).required().says("The name of what happened."),
)

// The rules for names are those of the D-Bus specification, "Valid names".
var callTable = tableOf(
	field[effect.DBusCall]{
		name: "args", doc: "Its arguments. { value = {} } is the control's value.", shape: manyOf(&shape{}, 0, 0), read: (*reader).callArgs,
	},
	choice("bus", []string{"session", "system"}, func(c *effect.DBusCall, i int) { c.System = i == 1 }).says("Which bus. session."),
	busName("method", func(s string) bool { return busWord(s, "") }, "no name of a method",
		func(c *effect.DBusCall, s string) { c.Member = s }).or("member").says("Its name."),
	busName("interface", func(s string) bool { return strings.Contains(s, ".") && busWords(s, ".", "") }, "no name of an interface",
		func(c *effect.DBusCall, s string) { c.Interface = s }).says("The interface it belongs to."),
	busName("path", func(s string) bool { return s == "/" || s[0] == '/' && pathWords(s[1:]) }, "no path of an object",
		func(c *effect.DBusCall, s string) { c.Path = s }).says("The object it is called on."),
	busName("destination", func(s string) bool { return s[0] != ':' && strings.Contains(s, ".") && busWords(s, ".", "-") }, "no name on the bus",
		func(c *effect.DBusCall, s string) { c.Destination = s }).says("The service that has the object."),
)

func busName(name string, valid func(string) bool, problem string, set func(*effect.DBusCall, string)) field[effect.DBusCall] {
	return field[effect.DBusCall]{name: name, must: true, shape: wordShape, read: func(r *reader, id int32, c *effect.DBusCall) {
		s, ok := r.label(id)
		if !ok {
			return
		}
		if len(s) > 255 || !valid(s) {
			r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id}, "%q is %s", s, problem)
			return
		}
		set(c, s)
	}}
}

func busWords(s, sep, more string) bool {
	for word := range strings.SplitSeq(s, sep) {
		if !busWord(word, more) {
			return false
		}
	}
	return true
}

// busWord is a word of letters, digits, underscores and more, not beginning with a digit.
func busWord(s, more string) bool {
	return s != "" && (s[0] < '0' || s[0] > '9') && busLetters(s, more)
}

func pathWords(s string) bool {
	for word := range strings.SplitSeq(s, "/") {
		if word == "" || !busLetters(word, "") {
			return false
		}
	}
	return true
}

func busLetters(s, more string) bool {
	for _, c := range []byte(s) {
		if c != '_' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') && strings.IndexByte(more, c) < 0 {
			return false
		}
	}
	return true
}

// maxArgument is how deep arrays and tables may stand in each other on the bus.
const maxArgument = 32

func (r *reader) callArgs(id int32, c *effect.DBusCall) {
	if k := r.nodes[id].kind; k != tablesNode && !r.is(id, arrayNode) {
		return
	}
	values := 0
	for n := r.first(id); n != 0; n = r.nodes[n].next {
		a := r.argument(n, 1)
		if _, ok := a.(*effect.Value); ok {
			if values++; values > 1 {
				r.report(fault{code: TooMany, off: r.nodes[n].off, node: n}, "a call takes the control's value once")
			}
		}
		c.Args = append(c.Args, a)
	}
}

// argument reads any value. A table { value = { … } } in the list itself is the control's.
func (r *reader) argument(id int32, depth int) any {
	if depth > maxArgument {
		r.report(fault{code: TooDeep, off: r.nodes[id].off, node: id}, "nested more than %d deep", maxArgument)
		return nil
	}
	n := r.nodes[id]
	switch n.kind {
	case textNode:
		s, _ := r.text(id)
		return s
	case integerNode:
		return n.num
	case floatNode:
		return math.Float64frombits(uint64(n.num))
	case booleanNode:
		return n.num != 0
	case arrayNode, tablesNode:
		list := []any{}
		for c := r.first(id); c != 0; c = r.nodes[c].next {
			list = append(list, r.argument(c, depth+1))
		}
		return list
	case tableNode:
		if c := r.first(id); depth == 1 && n.size == 1 && r.key(c) == "value" && r.nodes[c].kind == tableNode {
			v := &effect.Value{Max: 1}
			r.level(c, v, -anything, anything)
			return v
		}
		table := make(map[string]any, n.size)
		for c := r.first(id); c != 0; c = r.nodes[c].next {
			table[r.key(c)] = r.argument(c, depth+1)
		}
		return table
	case timeNode:
		r.report(fault{code: WrongType, off: n.off, node: id, hint: "write it as a string"}, "the bus has no dates or times")
	case brokenNode:
	}
	return nil
}
