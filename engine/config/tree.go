package config

import (
	"slices"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// kind is what a node of the tree holds.
type kind uint8

const (
	tableNode  kind = iota
	tablesNode      // an array of tables made by [[headers]]
	arrayNode
	textNode
	integerNode
	floatNode
	booleanNode
	timeNode
	brokenNode // a value that was refused, so that nobody asks where it is
)

var kindNames = [...]string{
	"a table", "an array of tables", "an array", "a string", "an integer", "a float", "a boolean",
	"a date or time", "a broken value",
}

// state says how a table came to be, which decides who may still extend it.
type state uint8

const (
	implicit state = iota // by the longer header of a table inside it
	explicit              // by its own header
	dotted                // by a dotted key
	frozen                // inline: complete as written
)

// span is a part of the file, or beyond its end one of the texts that the file says with
// escapes.
type span struct{ at, size uint32 }

// node is one value of the file and where it stands. It has no pointers, so that nobody looks
// through the nodes for garbage, and is small: they are most of what reading a file takes.
// Children are linked by index, because nodes live in one slice that grows.
type node struct {
	num     int64  // integer; boolean as 0 and 1; the bits of a float; of a text or time its span; of all else the first child and the last
	off     uint32 // where the value begins; of a table with a header, where its name does
	keyAt   uint32 // with keySize the span of the key; both 0 for elements of arrays
	parent  int32
	next    int32
	size    int32 // how many children
	keySize uint16
	kind    kind
	state   state
}

// tree is a file as TOML understands it, with the position of everything. Node 0 is the root,
// and as a link 0 means none.
type tree struct {
	*problems
	source
	number  int // of the file: 0 is the first
	nodes   []node
	big     map[int32]map[string]int32 // the keys of tables that are too large to be searched
	escaped []escaped
	cut     []int32 // tables of which a syntax error took some away

	parser  unstable.Parser
	base    uint32 // where the parser began
	current int32  // the table that the last header opened
	again   string // an array's header as it was written, if that was the last: it may well be the next one too
	againAt uint32 // where in it its last key begins
	dots    int    // how many tables were made by dotted keys
	lost    bool   // a header could not be read, so what follows may belong to a table nobody knows
}

// escaped is a text that the file does not say literally, and where it says it.
type escaped struct {
	text string
	at   uint32
}

// manyKeys is the size from which a table's keys are kept in a map.
const manyKeys = 12

// newTree has room for a node for each key and each header, which is all that most files have.
func newTree(p *problems, file, text string) *tree {
	t := &tree{problems: p, source: source{file: file, text: text}}
	t.nodes = append(make([]node, 0, 8+strings.Count(text, "=")+strings.Count(text, "[")), node{state: explicit})
	return t
}

// spanned is the text of a span.
func (t *tree) spanned(s span) string {
	if int(s.at) < len(t.text) {
		return t.text[s.at : s.at+s.size]
	}
	if i := int(s.at) - len(t.text); i < len(t.escaped) {
		return t.escaped[i].text
	}
	return ""
}

// span is where the text of a key or string stands: in the file where that says it literally
// and it is not too long for a key. An escape is always longer than what it stands for.
func (t *tree) span(n *unstable.Node, longest uint32) span {
	off, size := t.base+n.Raw.Offset, uint32(len(n.Data))
	if size <= longest {
		switch n.Raw.Length {
		case size:
			return span{off, size}
		case size + 2:
			return span{off + 1, size}
		}
	}
	t.escaped = append(t.escaped, escaped{string(n.Data), off})
	return span{uint32(len(t.text) + len(t.escaped) - 1), size & longest}
}

// pack is how a text's span, or the first and the last child, are a node's number.
func pack(a, b uint32) int64       { return int64(a)<<32 | int64(b) }
func unpack(n int64) (a, b uint32) { return uint32(n >> 32), uint32(n) }
func (n *node) keySpan() span      { return span{n.keyAt, uint32(n.keySize)} }

// first is the first child of a table or array, or 0.
func (t *tree) first(id int32) int32 {
	if n := &t.nodes[id]; n.kind <= arrayNode {
		return int32(n.num >> 32)
	}
	return 0
}

// key is the node's key; empty for an element of an array.
func (t *tree) key(id int32) string { return t.spanned(t.nodes[id].keySpan()) }

// str is the node's text, or a time as it is written; empty for all else.
func (t *tree) str(id int32) string {
	n := &t.nodes[id]
	if n.kind != textNode && n.kind != timeNode {
		return ""
	}
	at, size := unpack(n.num)
	return t.spanned(span{at, size})
}

// keyAt is where the node's key begins, or its value where it has none.
func (t *tree) keyAt(id int32) uint32 {
	n := &t.nodes[id]
	k := int(n.keyAt)
	switch {
	case n.keySpan() == span{}:
		return n.off
	case k >= len(t.text) && k-len(t.text) < len(t.escaped):
		return t.escaped[k-len(t.text)].at
	case k > 0 && (t.text[k-1] == '"' || t.text[k-1] == '\''):
		return uint32(k) - 1
	default:
		return uint32(k)
	}
}

// find is the child of a table that has a key, or 0.
func (t *tree) find(parent int32, key string) int32 {
	if t.nodes[parent].size > manyKeys {
		return t.keysOf(parent)[key]
	}
	for c := t.first(parent); c != 0; {
		n := &t.nodes[c]
		if n.keySize == uint16(len(key)) && t.alike(n, key) && t.spanned(n.keySpan()) == key {
			return c
		}
		c = n.next
	}
	return 0
}

// alike is false if the node's key, which is as long, begins or ends otherwise: most do.
func (t *tree) alike(n *node, key string) bool {
	last := len(key) - 1
	at := int(n.keyAt)
	return last < 0 || at+last >= len(t.text) || t.text[at] == key[0] && t.text[at+last] == key[last]
}

// list is the first element of an array in a table and how many there are, or 0 and 0.
func (t *tree) list(parent int32, key string) (first, size int32) {
	c := t.find(parent, key)
	if k := t.nodes[c].kind; c == 0 || k != tablesNode && k != arrayNode {
		return 0, 0
	}
	return t.first(c), t.nodes[c].size
}

// keysOf is the keys of a large table.
func (t *tree) keysOf(parent int32) map[string]int32 {
	keys := t.big[parent]
	if keys == nil {
		if t.big == nil {
			t.big = map[int32]map[string]int32{}
		}
		keys = make(map[string]int32, t.nodes[parent].size*2)
		for c := t.first(parent); c != 0; c = t.nodes[c].next {
			keys[t.key(c)] = c
		}
		t.big[parent] = keys
	}
	return keys
}

// add adds an empty table to a table or array. The caller makes of it what it is. It is written
// where it stands and not copied there, which takes twice as long.
func (t *tree) add(parent int32, key span, off uint32) int32 {
	id := int32(len(t.nodes))
	if int(id) == cap(t.nodes) {
		t.nodes = slices.Grow(t.nodes, int(id))
	}
	t.nodes = t.nodes[:id+1]
	n := &t.nodes[id]
	n.num, n.off, n.keyAt, n.parent, n.next, n.size = 0, off, key.at, parent, 0, 0
	n.keySize, n.kind, n.state = uint16(key.size), tableNode, implicit
	p := &t.nodes[parent]
	if p.size == 0 {
		p.num = pack(uint32(id), uint32(id))
	} else {
		first, last := unpack(p.num)
		t.nodes[last].next = id
		p.num = pack(first, uint32(id))
	}
	p.size++
	if t.big != nil {
		if keys := t.big[parent]; keys != nil {
			keys[t.spanned(key)] = id
		}
	}
	return id
}

// appendPath adds how the node is called: modes[1].mappings[3].trigger.note.
func (t *tree) appendPath(path []byte, id int32) []byte {
	if id == 0 {
		return path
	}
	n := &t.nodes[id]
	path = t.appendPath(path, n.parent)
	p := &t.nodes[n.parent]
	if p.kind != arrayNode && p.kind != tablesNode {
		return appendKey(path, t.key(id))
	}
	i := int64(0)
	for c := t.first(n.parent); c != id; c = t.nodes[c].next {
		i++
	}
	return append(strconv.AppendInt(append(path, '['), i, 10), ']')
}

// appendKey adds a key to a path, quoted where TOML would want it so.
func appendKey(path []byte, key string) []byte {
	if len(path) > 0 {
		path = append(path, '.')
	}
	bare := key != ""
	for _, c := range []byte(key) {
		bare = bare && (c == '_' || c == '-' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z')
	}
	if bare {
		return append(path, key...)
	}
	return strconv.AppendQuote(path, key)
}
