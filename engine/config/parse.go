package config

import (
	"errors"
	"math"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// maxDepth bounds how deep values and dotted keys may nest, and with it our recursion. The
// parser's own bound is 10,000.
const maxDepth = 128

// parse reads the whole file. The parser stops at a syntax error; what it could not
// understand is skipped up to the next header, so that one pass finds the first syntax error
// of every table and everything else that is wrong. A second error in the same table would be
// a guess.
func (t *tree) parse(src []byte) {
	for {
		t.parser.Reset(src[t.base:])
		for t.parser.NextExpression() {
			e := t.parser.Expression()
			if e.Kind == unstable.KeyValue {
				t.keyValue(t.current, e, 0)
			} else {
				t.header(e)
			}
		}
		err := t.parser.Error()
		if err == nil {
			return
		}
		off := t.syntaxError(src, err)
		next := nextHeader(t.text, off)
		if next < 0 {
			return
		}
		t.base = uint32(next)
	}
}

// syntaxError reports err and returns where it is.
func (t *tree) syntaxError(src []byte, err error) int {
	off := len(src)
	var pe *unstable.ParserError
	if errors.As(err, &pe) {
		// The highlight is a part of src, and so its capacity tells where it begins.
		if o := cap(src) - cap(pe.Highlight); o >= int(t.base) && o <= len(src) {
			off = o
		}
	}
	t.report(fault{code: Syntax, off: uint32(off)}, "%s", err.Error())
	for id := t.current; ; id = t.nodes[id].parent {
		t.cut = append(t.cut, id)
		if id == 0 {
			break
		}
	}
	line := strings.LastIndexByte(t.text[:off], '\n') + 1
	t.lost = t.lost || strings.HasPrefix(t.text[line:], "[")
	return off
}

// nextHeader is where the next line begins that can be a header, or -1. A line that ends in a
// comma is an element of an array.
func nextHeader(text string, off int) int {
	for {
		i := strings.Index(text[off:], "\n[")
		if i < 0 {
			return -1
		}
		off += i + 1
		line, _, _ := strings.Cut(text[off:], "\n")
		if !strings.HasSuffix(strings.TrimRight(line, " \t\r"), ",") {
			return off
		}
	}
}

// header opens a table; one that reads as the one before it, the next of the same array, without
// looking for that again. A header that cannot be opens a table that nobody sees: its keys
// must not land in the table before it.
func (t *tree) header(e *unstable.Node) {
	at := int32(0)
	keys := e.Key()
	begin := t.base + e.Child().Raw.Offset
	if t.again != "" && e.Kind == unstable.ArrayTable && strings.HasPrefix(t.text[begin:], t.again) {
		t.current = t.element(t.nodes[t.current].parent, begin+t.againAt)
		t.lost = false
		return
	}
	t.again = ""
	for depth := 0; keys.Next(); depth++ {
		key, off := t.keyOf(keys.Node())
		c := t.findSpan(at, key)
		switch {
		case depth > maxDepth:
			t.tooDeep(off)
			c = 0
		case !keys.IsLast():
			c = t.through(at, c, key, off)
		case e.Kind == unstable.Table:
			c = t.openTable(at, c, key, off)
		default:
			c = t.openElement(at, c, key, off)
			if end := off + keys.Node().Raw.Length; t.text[end] == ']' { // not what a longer one begins with
				t.again, t.againAt = t.text[begin:end+1], off-begin
			}
		}
		if c == 0 {
			t.nodes = append(t.nodes, node{state: explicit, off: off, keyAt: key.at, keySize: uint16(key.size)})
			t.again = ""
			t.current = int32(len(t.nodes) - 1)
			return
		}
		at = c
	}
	t.current = at
	t.lost = t.lost && e.Kind != unstable.ArrayTable
}

// through follows a header's key to a table inside at, and makes it if there is none. Like all
// that open tables it returns 0 if that cannot be.
func (t *tree) through(at, c int32, key span, off uint32) int32 {
	if c == 0 {
		return t.add(at, key, off)
	}
	switch f := &t.nodes[c]; {
	case f.kind == tablesNode:
		_, last := unpack(f.num)
		return int32(last)
	case f.kind == tableNode && f.state != frozen:
		return c
	}
	t.redefined(c, off)
	return 0
}

func (t *tree) openTable(at, c int32, key span, off uint32) int32 {
	if c == 0 {
		c = t.add(at, key, off)
		t.nodes[c].state = explicit
		return c
	}
	if f := &t.nodes[c]; f.kind == tableNode && f.state == implicit {
		f.state, f.off, f.keyAt, f.keySize = explicit, off, key.at, uint16(key.size)
		return c
	}
	t.redefined(c, off)
	return 0
}

func (t *tree) openElement(at, c int32, key span, off uint32) int32 {
	if c == 0 {
		c = t.add(at, key, off)
		t.nodes[c].kind = tablesNode
	} else if t.nodes[c].kind != tablesNode {
		t.redefined(c, off)
		return 0
	}
	return t.element(c, off)
}

// element adds an empty table to an array of tables.
func (t *tree) element(list int32, off uint32) int32 {
	c := t.add(list, span{}, off)
	t.nodes[c].state = explicit
	return c
}

// keyValue adds a pair to a table, through the tables of its dotted key, and returns where it
// ends, or where the key that cannot be ends.
func (t *tree) keyValue(at int32, e *unstable.Node, depth int) uint32 {
	value := e.Value()
	for parts, k := 0, value.Next(); ; parts++ {
		key, off := t.keyOf(k)
		end := off + k.Raw.Length
		if parts > maxDepth {
			t.tooDeep(off)
			return end
		}
		c := t.findSpan(at, key)
		k = k.Next()
		switch {
		case k == nil && c == 0:
			return t.value(at, key, value, end, depth)
		case c == 0:
			at = t.add(at, key, off)
			t.nodes[at].state = dotted
			t.dots++
		case k != nil && t.nodes[c].kind == tableNode && t.nodes[c].state == dotted:
			at = c
		default:
			t.redefined(c, off)
			return end
		}
	}
}

// keyOf is one part of a key, and where it begins.
func (t *tree) keyOf(k *unstable.Node) (key span, off uint32) {
	return t.span(k, math.MaxUint16), t.base + k.Raw.Offset
}

// findSpan is the child of parent that has that key, or 0.
func (t *tree) findSpan(parent int32, key span) int32 {
	if t.nodes[parent].size == 0 {
		return 0
	}
	return t.find(parent, t.spanned(key))
}

func (t *tree) redefined(first int32, off uint32) {
	if t.lost {
		return // most likely it belongs to the table whose header could not be read
	}
	if !t.full(false) {
		t.report(fault{code: DuplicateKey, off: off, node: first}, "already defined on line %d", t.lineAt(t.keyAt(first)))
	}
}

func (t *tree) tooDeep(off uint32) {
	t.report(fault{code: TooDeep, off: off}, "nested more than %d deep", maxDepth)
}
