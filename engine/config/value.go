package config

import (
	"math"
	"strconv"
	"strings"

	"github.com/pelletier/go-toml/v2/unstable"
)

// value adds the value v to the table or array at, and returns where v ends. After is an
// offset before which v does not begin: the parser gives arrays no position.
func (t *tree) value(at int32, key span, v *unstable.Node, after uint32, depth int) uint32 {
	if depth > maxDepth {
		t.tooDeep(after)
		t.nodes[t.add(at, key, after)].kind = brokenNode
		return after
	}
	if v.Kind == unstable.Array {
		return t.array(at, key, v, after, depth)
	}
	if v.Kind == unstable.InlineTable {
		return t.inlineTable(at, key, v, depth)
	}
	off := t.base + v.Raw.Offset
	id := t.add(at, key, off)
	ok, n := true, int64(0)
	k := textNode
	switch v.Kind {
	case unstable.String:
		n = t.textOf(v)
	case unstable.Bool:
		k = booleanNode
		if v.Data[0] == 't' {
			n = 1
		}
	case unstable.Integer:
		k = integerNode
		n, ok = integer(v.Data)
	case unstable.Float:
		k = floatNode
		n, ok = float(v.Data)
	default:
		k, n = timeNode, t.textOf(v)
		ok = validTime(string(v.Data))
	}
	if !ok {
		t.report(fault{code: BadValue, off: off, node: id}, "%s is no number that fits 64 bits and no time that exists", v.Data)
		k = brokenNode
	}
	t.nodes[id].num, t.nodes[id].kind = n, k
	return off + v.Raw.Length
}

// textOf is the number of a node that is the text v.
func (t *tree) textOf(v *unstable.Node) int64 {
	s := t.span(v, math.MaxUint32)
	return pack(s.at, s.size)
}

func (t *tree) array(at int32, key span, v *unstable.Node, after uint32, depth int) uint32 {
	off := t.seek('[', after)
	id := t.add(at, key, off)
	t.nodes[id].kind, t.nodes[id].state = arrayNode, frozen
	end := off + 1
	for c := v.Child(); c != nil; c = c.Next() {
		end = t.value(id, span{}, c, end, depth+1)
	}
	return t.seek(']', end) + 1
}

func (t *tree) inlineTable(at int32, key span, v *unstable.Node, depth int) uint32 {
	off := t.base + v.Raw.Offset
	id := t.add(at, key, off)
	t.nodes[id].state = dotted // its own keys may extend it as long as it is open
	dots := t.dots
	end := off + 1
	for c := v.Child(); c != nil; c = c.Next() {
		end = t.keyValue(id, c, depth+1)
	}
	if t.nodes[id].state = frozen; t.dots > dots {
		t.freeze(id)
	}
	return t.seek('}', end) + 1
}

// seek is the first bracket from off on that is not in a comment.
func (t *tree) seek(bracket byte, off uint32) uint32 {
	for ; int(off) < len(t.text) && t.text[off] != bracket; off++ {
		if t.text[off] == '#' {
			off += uint32(max(0, strings.IndexByte(t.text[off:], '\n')))
		}
	}
	return off
}

// freeze closes an inline table and the tables that its dotted keys made.
func (t *tree) freeze(id int32) {
	t.nodes[id].state = frozen
	for c := t.first(id); c != 0; c = t.nodes[c].next {
		if t.nodes[c].kind == tableNode && t.nodes[c].state != frozen {
			t.freeze(c)
		}
	}
}

// shortInteger is how many digits always fit 64 bits.
const shortInteger = 18

// integer reads an integer that the parser found well formed.
func integer(b []byte) (int64, bool) {
	if len(b) > shortInteger || b[0] < '1' {
		n, err := strconv.ParseInt(string(b), 0, 64)
		return n, err == nil
	}
	n := int64(0)
	for _, c := range b {
		if c == '_' {
			continue
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// float reads a float that the parser found well formed, and returns its bits.
func float(b []byte) (int64, bool) {
	s := strings.ReplaceAll(string(b), "_", "")
	if strings.HasSuffix(s, "nan") {
		return int64(math.Float64bits(math.NaN())), true
	}
	f, err := strconv.ParseFloat(s, 64)
	return int64(math.Float64bits(f)), err == nil
}

// validTime reports whether a date, time or both, which the parser only found to be made of
// the right characters, exist (RFC 3339; TOML 1.1 lets the seconds be left out).
func validTime(s string) bool {
	p := &timeParser{rest: s, ok: true}
	if len(s) > 4 && s[4] == '-' {
		p.date()
		if p.rest == "" {
			return p.ok
		}
		sep := p.rest[0]
		p.rest = p.rest[1:]
		p.ok = p.ok && (sep == 'T' || sep == 't' || sep == ' ')
		p.clock()
		p.zone()
		return p.ok && p.rest == ""
	}
	p.clock()
	return p.ok && p.rest == ""
}

// timeParser reads parts of a time from the front of rest.
type timeParser struct {
	rest string
	ok   bool
}

// number takes exactly so many digits, which must make a number of lo to hi.
func (p *timeParser) number(digits, lo, hi int) int {
	if len(p.rest) < digits {
		p.ok, p.rest = false, ""
		return 0
	}
	n := 0
	for _, c := range []byte(p.rest[:digits]) {
		p.ok = p.ok && c >= '0' && c <= '9'
		n = n*10 + int(c-'0')
	}
	p.rest = p.rest[digits:]
	p.ok = p.ok && n >= lo && n <= hi
	return n
}

func (p *timeParser) skip(c byte) bool {
	if p.rest == "" || p.rest[0] != c {
		return false
	}
	p.rest = p.rest[1:]
	return true
}

func (p *timeParser) date() {
	y := p.number(4, 0, 9999)
	p.ok = p.skip('-') && p.ok
	m := p.number(2, 1, 12)
	p.ok = p.skip('-') && p.ok
	days := 31
	switch m {
	case 4, 6, 9, 11:
		days = 30
	case 2:
		days = 28
		if y%4 == 0 && (y%100 != 0 || y%400 == 0) {
			days = 29
		}
	}
	p.number(2, 1, days)
}

func (p *timeParser) clock() {
	p.number(2, 0, 23)
	p.ok = p.skip(':') && p.ok
	p.number(2, 0, 59)
	if !p.skip(':') {
		return
	}
	p.number(2, 0, 59)
	if p.skip('.') {
		fraction := strings.TrimLeft(p.rest, "0123456789")
		p.ok = p.ok && len(fraction) < len(p.rest)
		p.rest = fraction
	}
}

func (p *timeParser) zone() {
	if p.rest == "" || p.skip('Z') || p.skip('z') {
		return
	}
	p.ok = (p.skip('+') || p.skip('-')) && p.ok
	p.number(2, 0, 23)
	p.ok = p.skip(':') && p.ok
	p.number(2, 0, 59)
}
