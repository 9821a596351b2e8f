package config

import (
	"strconv"

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

// node is one value of the file and where it stands. Children are linked by index, because
// nodes live in one slice that grows.
type node struct {
	key   string // empty for elements of arrays
	str   string // text; of a time, how it was written
	num   int64  // integer; boolean as 0 and 1; the bits of a float
	off   uint32 // where the value begins; of a table with a header, where its name does
	keyAt uint32 // where the key begins; equals off where there is none

	parent, first, last, next int32
	size                      int32 // how many children
	kind                      kind
	state                     state
	cut                       bool // a syntax error took some of it away
}

// tree is a file as TOML understands it, with the position of everything. Node 0 is the root,
// and as a link 0 means none.
type tree struct {
	problems
	nodes []node
	big   map[int32]map[string]int32 // the keys of tables that are too large to be searched

	parser  unstable.Parser
	base    uint32 // where the parser began
	current int32  // the table that the last header opened
	lost    bool   // a header could not be read, so what follows may belong to a table nobody knows
}

// manyKeys is the size from which a table's keys are kept in a map.
const manyKeys = 12

func newTree(file, src string) *tree {
	t := &tree{problems: problems{source: source{file: file, text: src}}}
	t.nodes = append(make([]node, 0, 64+len(src)/12), node{state: explicit})
	return t
}

func (t *tree) find(parent int32, key string) int32 {
	p := &t.nodes[parent]
	if p.size <= manyKeys {
		for c := p.first; c != 0; c = t.nodes[c].next {
			if t.nodes[c].key == key {
				return c
			}
		}
		return 0
	}
	keys := t.big[parent]
	if keys == nil {
		if t.big == nil {
			t.big = map[int32]map[string]int32{}
		}
		keys = make(map[string]int32, p.size*2)
		for c := p.first; c != 0; c = t.nodes[c].next {
			keys[t.nodes[c].key] = c
		}
		t.big[parent] = keys
	}
	return keys[key]
}

// add copies n, so that the caller may go on with it.
func (t *tree) add(parent int32, n *node) int32 {
	id := int32(len(t.nodes))
	n.parent = parent
	t.nodes = append(t.nodes, *n)
	p := &t.nodes[parent]
	if p.last == 0 {
		p.first = id
	} else {
		t.nodes[p.last].next = id
	}
	p.last = id
	p.size++
	if keys := t.big[parent]; keys != nil {
		keys[n.key] = id
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
		return appendKey(path, n.key)
	}
	i := int64(0)
	for c := p.first; c != id; c = t.nodes[c].next {
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
