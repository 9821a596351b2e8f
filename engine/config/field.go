package config

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

// field is one key that a table may have, and how its value gets into a T. The lists of
// fields are the schema: they are read from, what was mistyped is guessed from them, and what
// editors and readers are told is made of them.
type field[T any] struct {
	name  string
	also  string // another spelling, or empty
	must  bool
	doc   string // what it says, for people
	shape *shape
	read  func(r *reader, id int32, v *T)
}

func (f field[T]) or(also string) field[T]  { f.also = also; return f }
func (f field[T]) required() field[T]       { f.must = true; return f }
func (f field[T]) says(doc string) field[T] { f.doc = doc; return f }

// table is the keys that a table may have.
type table[T any] struct {
	fields []field[T]
	names  []string // of the fields, in both spellings

	keys  []key[T] // what of the fields is needed to read, close together
	must  uint64   // a bit for each that must be given
	typed bool     // it has a key "type" too, which chose it
}

type key[T any] struct {
	name, also string
	read       func(r *reader, id int32, v *T)
}

func tableOf[T any](fields ...field[T]) *table[T] {
	t := &table[T]{fields: fields, keys: make([]key[T], 0, len(fields)), names: make([]string, 0, len(fields)+2)}
	for i := range fields {
		f := &fields[i]
		t.keys = append(t.keys, key[T]{f.name, f.also, f.read})
		t.names = append(t.names, f.name)
		if f.also != "" {
			t.names = append(t.names, f.also)
		}
		if f.must {
			t.must |= 1 << i
		}
	}
	return t
}

// readTable reads the keys of a table into v. They are searched from the end of the list: most
// files use the keys of one type more than those that all have.
func readTable[T any](r *reader, id int32, t *table[T], v *T) {
	var seen uint64
	keys := t.keys
	for c := r.first(id); c != 0; c = r.nodes[c].next {
		name := r.key(c)
		if t.typed && name == typeKey {
			continue
		}
		i := len(keys) - 1
		for i >= 0 && keys[i].name != name && (keys[i].also != name || name == "") {
			i--
		}
		switch {
		case i < 0:
			r.unknownKey(c, t.names)
		case seen>>i&1 != 0:
			r.report(fault{code: DuplicateKey, off: r.keyAt(c), node: c}, "%s and %s mean the same", keys[i].name, keys[i].also)
		default:
			seen |= 1 << i
			keys[i].read(r, c, v)
		}
	}
	if t.must&^seen == 0 {
		return
	}
	for i := range t.fields {
		if t.must&^seen>>i&1 != 0 {
			r.missing(id, t.fields[i].name)
		}
	}
}

// whole is an integer of lo to hi.
func whole[T any](name string, lo, hi int64, set func(*T, int64)) field[T] {
	return field[T]{name: name, shape: integerOf(lo, hi), read: func(r *reader, id int32, v *T) {
		if n, ok := r.whole(id, lo, hi); ok {
			set(v, n)
		}
	}}
}

// decimal is a number of lo to hi, with a fraction or without.
func decimal[T any](name string, lo, hi float64, set func(*T, float64)) field[T] {
	return field[T]{name: name, shape: numberOf(lo, hi), read: func(r *reader, id int32, v *T) {
		if n, ok := r.decimal(id, lo, hi); ok {
			set(v, n)
		}
	}}
}

// flag is a boolean.
func flag[T any](name string, set func(*T, bool)) field[T] {
	return field[T]{name: name, shape: flagShape, read: func(r *reader, id int32, v *T) {
		if r.is(id, booleanNode) {
			set(v, r.nodes[id].num != 0)
		}
	}}
}

// text is any string.
func text[T any](name string, set func(*T, string)) field[T] {
	return field[T]{name: name, shape: textShape, read: func(r *reader, id int32, v *T) {
		if s, ok := r.text(id); ok {
			set(v, s)
		}
	}}
}

// label is a string that names something: not empty, and without control characters,
// because it is shown on terminals and on the bus.
func label[T any](name string, set func(*T, string)) field[T] {
	return field[T]{name: name, shape: wordShape, read: func(r *reader, id int32, v *T) {
		if s, ok := r.label(id); ok {
			set(v, s)
		}
	}}
}

// choice is one of some words; set gets its index.
func choice[T any](name string, words []string, set func(*T, int)) field[T] {
	return field[T]{name: name, shape: oneOf(words...), read: func(r *reader, id int32, v *T) {
		s, ok := r.text(id)
		if !ok {
			return
		}
		if i := slices.Index(words, s); i >= 0 {
			set(v, i)
			return
		}
		r.report(fault{code: UnknownValue, off: r.nodes[id].off, node: id, word: s, among: words, hint: "it is one of " + strings.Join(words, ", ")}, "%q is unknown", s)
	}}
}

// each is an array of tables, in either spelling, whose elements look like the table of that
// name; one gets every element and its index.
func each[T any](name, of string, one func(r *reader, id int32, i int, v *T)) field[T] {
	return field[T]{name: name, shape: manyOf(named(of), 0, 0), read: func(r *reader, id int32, v *T) {
		if k := r.nodes[id].kind; k != tablesNode && !r.is(id, arrayNode) {
			return
		}
		i := 0
		for c := r.first(id); c != 0; c = r.nodes[c].next {
			if r.is(c, tableNode) {
				one(r, c, i, v)
			}
			i++
		}
	}}
}

// ignored is a key of the ancestor's files that means nothing here, as it did there, and why.
func ignored[T any](name string, s *shape, why string) field[T] {
	return field[T]{name: name, doc: "Ignored: " + why + ".", shape: s, read: func(*reader, int32, *T) {}}
}

// is reports whether the node is of that kind, and says so if not.
func (r *reader) is(id int32, want kind) bool {
	got := r.nodes[id].kind
	if got != want && got != brokenNode {
		r.report(fault{code: WrongType, off: r.nodes[id].off, node: id}, "must be %s, not %s", kindNames[want], kindNames[got])
	}
	return got == want
}

func (r *reader) whole(id int32, lo, hi int64) (int64, bool) {
	if !r.is(id, integerNode) {
		return 0, false
	}
	n := r.nodes[id].num
	if n < lo || n > hi {
		r.outOfRange(id, n, lo, hi)
		return 0, false
	}
	return n, true
}

func (r *reader) decimal(id int32, lo, hi float64) (float64, bool) {
	n := &r.nodes[id]
	var x float64
	switch n.kind {
	case integerNode:
		x = float64(n.num)
	case floatNode:
		x = math.Float64frombits(uint64(n.num))
	case brokenNode:
		return 0, false
	default:
		r.report(fault{code: WrongType, off: n.off, node: id}, "must be a number, not %s", kindNames[n.kind])
		return 0, false
	}
	if !(lo <= x && x <= hi) { // nan is nowhere
		r.outOfRange(id, x, lo, hi)
		return 0, false
	}
	return x, true
}

func (r *reader) outOfRange(id int32, n, lo, hi any) {
	between := "-"
	if text := fmt.Sprint(lo); text[0] == between[0] {
		between = " to "
	}
	r.report(fault{code: OutOfRange, off: r.nodes[id].off, node: id}, "%v is out of range %v%s%v", n, lo, between, hi)
}

// text refuses NUL: no process, bus or terminal takes it.
func (r *reader) text(id int32) (string, bool) {
	if !r.is(id, textNode) {
		return "", false
	}
	s := r.str(id)
	if len(r.escaped) > 0 && strings.IndexByte(s, 0) >= 0 { // the file itself cannot have it
		r.report(fault{code: BadValue, off: r.nodes[id].off, node: id}, "must not contain the character U+0000")
		return "", false
	}
	return s, true
}

// word is a text that is not empty.
func (r *reader) word(id int32) (string, bool) {
	s, ok := r.text(id)
	if ok && strings.TrimSpace(s) == "" {
		r.report(fault{code: Empty, off: r.nodes[id].off, node: id}, "must not be empty")
		return "", false
	}
	return s, ok
}

// maxLabel is how long a name may be, in bytes: it is a word on the bus and a column of a
// table.
const maxLabel = 256

func (r *reader) label(id int32) (string, bool) {
	s, ok := r.word(id)
	if ok && len(s) > maxLabel {
		r.report(fault{code: BadName, off: r.nodes[id].off, node: id}, "longer than %d bytes", maxLabel)
		return "", false
	}
	if ok && strings.ContainsFunc(s, unicode.IsControl) {
		r.report(fault{code: BadName, off: r.nodes[id].off, node: id}, "%q has control characters", s)
		return "", false
	}
	return s, ok
}

func (r *reader) unknownKey(id int32, known []string) {
	if !r.full(true) {
		r.say(fault{code: UnknownKey, off: r.keyAt(id), node: id, warn: true, word: r.key(id), among: known}, "unknown key; it is ignored")
	}
}

// noEffect warns of a key that can do nothing where it stands.
func (r *reader) noEffect(id int32, why string) {
	if !r.full(true) {
		r.say(fault{code: NoEffect, off: r.keyAt(id), node: id, warn: true}, "does nothing here: "+why)
	}
}

// missing says that a table lacks a key, unless a syntax error may have swallowed it.
func (r *reader) missing(id int32, key string) {
	if !slices.Contains(r.cut, id) {
		r.report(fault{code: MissingKey, off: r.nodes[id].off, node: id, key: key}, "is missing")
	}
}

func (r *reader) notSupported(id int32, off uint32, problem string) {
	r.report(fault{code: NotSupported, off: off, node: id, warn: true}, "%s", problem)
}

// leaveOut drops the mapping that is being read. Once said is enough.
func (r *reader) leaveOut(id int32) {
	if !r.left {
		r.notSupported(id, r.nodes[id].off, strconv.Quote(r.str(id))+" is not supported yet; the mapping is left out")
	}
	r.left = true
}
