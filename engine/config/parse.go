package config

import (
	"errors"
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
		t.nodes[id].cut = true
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

// header opens a table. A header that cannot be opens a table that nobody sees: its keys
// must not land in the table before it.
func (t *tree) header(e *unstable.Node) {
	at := int32(0)
	keys := e.Key()
	for depth := 0; keys.Next(); depth++ {
		n := t.keyNode(keys.Node())
		c := t.find(at, n.key)
		var ok bool
		switch {
		case depth > maxDepth:
			t.tooDeep(n.off)
		case !keys.IsLast():
			c, ok = t.through(at, c, &n)
		case e.Kind == unstable.Table:
			c, ok = t.openTable(at, c, &n)
		default:
			c, ok = t.openElement(at, c, &n)
		}
		if !ok {
			n.state = explicit
			t.nodes = append(t.nodes, n)
			t.current = int32(len(t.nodes) - 1)
			return
		}
		at = c
	}
	t.current = at
	t.lost = t.lost && e.Kind != unstable.ArrayTable
}

// through follows a header's key to a table inside at, and makes it if there is none.
func (t *tree) through(at, c int32, n *node) (int32, bool) {
	if c == 0 {
		return t.add(at, n), true
	}
	switch f := &t.nodes[c]; {
	case f.kind == tablesNode:
		return f.last, true
	case f.kind == tableNode && f.state != frozen:
		return c, true
	}
	t.redefined(c, n.off)
	return 0, false
}

func (t *tree) openTable(at, c int32, n *node) (int32, bool) {
	if c == 0 {
		n.state = explicit
		return t.add(at, n), true
	}
	if f := &t.nodes[c]; f.kind == tableNode && f.state == implicit {
		f.state, f.off, f.keyAt = explicit, n.off, n.off
		return c, true
	}
	t.redefined(c, n.off)
	return 0, false
}

func (t *tree) openElement(at, c int32, n *node) (int32, bool) {
	if c == 0 {
		n.kind = tablesNode
		c = t.add(at, n)
	} else if t.nodes[c].kind != tablesNode {
		t.redefined(c, n.off)
		return 0, false
	}
	return t.add(c, &node{state: explicit, off: n.off, keyAt: n.off}), true
}

// keyValue adds a pair to a table, through the tables of its dotted key, and returns where it
// ends, or where the key that cannot be ends.
func (t *tree) keyValue(at int32, e *unstable.Node, depth int) uint32 {
	keys := e.Key()
	end := uint32(0)
	for parts := 0; keys.Next(); parts++ {
		k := keys.Node()
		n := t.keyNode(k)
		end = n.off + k.Raw.Length
		if parts > maxDepth {
			t.tooDeep(n.off)
			return end
		}
		c := t.find(at, n.key)
		switch {
		case keys.IsLast() && c == 0:
			return t.value(at, &n, e.Value(), end, depth)
		case c == 0:
			n.state = dotted
			at = t.add(at, &n)
		case !keys.IsLast() && t.nodes[c].kind == tableNode && t.nodes[c].state == dotted:
			at = c
		default:
			t.redefined(c, n.off)
			return end
		}
	}
	return end
}

// keyNode is a table named by one part of a key.
func (t *tree) keyNode(k *unstable.Node) node {
	off := t.base + k.Raw.Offset
	return node{key: t.string(k), off: off, keyAt: off}
}

// string is the text of a key or string, without a copy where the file says it literally: an
// escape is always longer than what it stands for.
func (t *tree) string(n *unstable.Node) string {
	off, size := t.base+n.Raw.Offset, uint32(len(n.Data))
	switch n.Raw.Length {
	case size:
		return t.text[off : off+size]
	case size + 2:
		return t.text[off+1 : off+1+size]
	}
	return string(n.Data)
}

func (t *tree) redefined(first int32, off uint32) {
	if t.lost {
		return // most likely it belongs to the table whose header could not be read
	}
	t.report(fault{code: DuplicateKey, off: off, node: first}, "already defined on line %d", t.lineAt(t.nodes[first].keyAt))
}

func (t *tree) tooDeep(off uint32) {
	t.report(fault{code: TooDeep, off: off}, "nested more than %d deep", maxDepth)
}
