package config

// shape is what a value may look like: what an editor or a page about the configuration is told
// of it. The reader of a field checks the same and more.
type shape struct {
	kind    string   // in the words of JSON Schema; empty: anything, or see either and ref
	bounded bool     // lo and hi hold
	lo, hi  float64  // numbers, and how many elements
	words   []string // the texts that are allowed
	filled  bool     // a text that is not empty
	pattern string   // a regular expression that a text fits
	items   *shape   // of an array
	either  []*shape // one of them
	ref     string   // a table or value with a name of its own
}

func integerOf(lo, hi int64) *shape {
	return &shape{kind: "integer", bounded: true, lo: float64(lo), hi: float64(hi)}
}

func numberOf(lo, hi float64) *shape {
	return &shape{kind: "number", bounded: true, lo: lo, hi: hi}
}

func oneOf(words ...string) *shape { return &shape{kind: "string", words: words} }

// manyOf is an array of lo elements or more; hi bounds them unless it is 0.
func manyOf(items *shape, lo, hi int) *shape {
	return &shape{kind: "array", items: items, bounded: true, lo: float64(lo), hi: float64(hi)}
}

func either(shapes ...*shape) *shape { return &shape{either: shapes} }

// named is a shape that has a name, because it stands in several places or in itself.
func named(name string) *shape { return &shape{ref: name} }

var (
	flagShape = &shape{kind: "boolean"}
	textShape = &shape{kind: "string"}
	wordShape = &shape{kind: "string", filled: true}
	noteShape = either(integerOf(0, 127), &shape{kind: "string", pattern: `^[A-Ga-g](#|♯|b|♭)?-?[0-9]+$`})
)

// description is what can be told of one field.
type description struct {
	name, also string
	must       bool
	doc        string
	shape      *shape
}

// described is a table of any type.
type described interface{ describe() []description }

func (t *table[T]) describe() []description {
	list := make([]description, len(t.fields))
	for i, f := range t.fields {
		list[i] = description{f.name, f.also, f.must, f.doc, f.shape}
	}
	return list
}
