package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

// A Pair is a key of a mapping and its value, both as TOML says them, on one line.
type Pair struct{ Key, Value string }

var (
	errBroken = errors.New("it has errors: midimonctl validate tells which")
	errForm   = errors.New("it is written in a way that cannot be added to")
)

// Append writes a mapping behind those that a mode of the file has, or behind the global ones
// where mode is empty. Nothing else in the text changes, and the program but for that mapping
// is the same; where that cannot be, nothing is written and the error says so. Src is the whole
// configuration but for what it includes.
func Append(file string, src []byte, open Open, mode string, mapping []Pair) ([]byte, error) {
	e, err := edit(file, src, open)
	if err != nil {
		return nil, err
	}
	at := int32(0)
	key := "global_mappings"
	if mode != "" {
		key = "mappings"
		if at = e.element("modes", mode); at == 0 {
			return nil, fmt.Errorf("it has no mode %q", mode)
		}
	}
	e.append(at, key, mapping)
	return e.result(func(d *report.Diff) bool {
		return len(d.Changes) == 1 && d.Changes[0].Kind == report.Added && d.Changes[0].Mode == mode
	}, 1)
}

// Replace writes a mapping in the place of the one with that id, its name or path in the file.
// All else is as for Append.
func Replace(file string, src []byte, open Open, id string, mapping []Pair) ([]byte, error) {
	e, err := edit(file, src, open)
	if err != nil {
		return nil, err
	}
	at := e.mapping(id)
	if at == 0 {
		return nil, fmt.Errorf("it has no mapping %q", id)
	}
	e.replace(at, mapping)
	return e.result(func(d *report.Diff) bool {
		switch len(d.Changes) {
		case 0:
			return true
		case 1:
			return d.Changes[0].Kind == report.Changed && d.Changes[0].ID == id
		case 2: // it has another name now
			return d.Changes[0].Kind == report.Removed && d.Changes[0].ID == id && d.Changes[1].Kind == report.Added
		}
		return false
	}, 0)
}

// editor is a change of a text.
type editor struct {
	*tree
	open    Open
	before  *engine.Program
	mark    string // the byte order mark, if there is one
	newline string
	from    int // what is replaced
	to      int
	with    string
}

func edit(file string, src []byte, open Open) (*editor, error) {
	before, _, _ := LoadAll(file, src, open)
	if before == nil {
		return nil, errBroken
	}
	text, marked := strings.CutPrefix(string(src), byteOrderMark)
	e := &editor{tree: newTree(&problems{}, file, text), open: open, before: before, newline: "\n"}
	if marked {
		e.mark = byteOrderMark
	}
	if i := strings.IndexByte(text, '\n'); i > 0 && text[i-1] == '\r' {
		e.newline = "\r\n"
	}
	e.parse([]byte(text))
	return e, nil
}

// result is the text with the change, if the program is another only as ok says.
func (e *editor) result(ok func(d *report.Diff) bool, more int) ([]byte, error) {
	text := []byte(e.mark + e.text[:e.from] + e.with + e.text[e.to:])
	after, _, found := LoadAll(e.file, text, e.open)
	if after == nil {
		for _, d := range found {
			if d.Severity == report.Error {
				return nil, fmt.Errorf("the mapping is not right: %s", d.Message)
			}
		}
	}
	if after == nil || len(after.Mappings) != len(e.before.Mappings)+more {
		return nil, errForm
	}
	d := e.before.Diff(after)
	if !ok(&d) || len(d.Other) > 0 || d.More > 0 || !inOrder(e.before, after, &d) {
		return nil, errForm
	}
	return text, nil
}

// inOrder says that what both programs have stands in the same order.
func inOrder(before, after *engine.Program, d *report.Diff) bool {
	ids := func(p *engine.Program) []string {
		var out []string
		for i := range p.Mappings {
			id := p.Mappings[i].ID
			if !slices.ContainsFunc(d.Changes, func(c report.Change) bool { return c.ID == id }) {
				out = append(out, id)
			}
		}
		return out
	}
	return slices.Equal(ids(before), ids(after))
}

// element is that of a list whose name it is, or 0.
func (e *editor) element(list, name string) int32 {
	for c, _ := e.list(0, list); c != 0; c = e.nodes[c].next {
		if n := e.find(c, "name"); n != 0 && e.str(n) == name {
			return c
		}
	}
	return 0
}

// mapping is the node of a mapping, by its name or path.
func (e *editor) mapping(id string) int32 {
	within := func(at int32, key string) int32 {
		for c, _ := e.list(at, key); c != 0; c = e.nodes[c].next {
			if n := e.find(c, "name"); n != 0 && e.str(n) == id || n == 0 && string(e.appendPath(nil, c)) == id {
				return c
			}
		}
		return 0
	}
	for m, _ := e.list(0, "modes"); m != 0; m = e.nodes[m].next {
		if c := within(m, "mappings"); c != 0 {
			return c
		}
	}
	return within(0, "global_mappings")
}

// append adds a mapping to a list of a mode, or of the file where at is 0.
func (e *editor) append(at int32, key string, mapping []Pair) {
	list := e.find(at, key)
	last := int32(0)
	for c := e.first(list); list != 0 && c != 0; c = e.nodes[c].next {
		last = c
	}
	header := "[[" + key + "]]"
	if at != 0 {
		header = "[[modes." + key + "]]"
	}
	switch {
	case list != 0 && e.nodes[list].kind == arrayNode:
		e.insert(list, last, inline(mapping))
	case list != 0: // behind the last one with such a header
		e.stanza(e.endOfLine(e.end(last)), header, mapping)
	case at != 0 && e.nodes[at].state == frozen: // a mode in braces
		for c := e.first(at); c != 0; c = e.nodes[c].next {
			last = c
		}
		e.put(int(e.end(last)), ", "+key+" = ["+inline(mapping)+"]")
	case at != 0:
		e.stanza(e.endOfLine(e.end(at)), header, mapping)
	default:
		e.stanza(len(e.text), header, mapping)
	}
}

// insert adds an element to an array, behind the last one.
func (e *editor) insert(list, last int32, value string) {
	if last == 0 {
		e.put(int(e.nodes[list].off)+1, value)
		return
	}
	off := int(e.nodes[last].off)
	line := strings.LastIndexByte(e.text[:off], '\n') + 1
	if margin := e.text[line:off]; line > int(e.nodes[list].off) && strings.TrimLeft(margin, " \t") == "" {
		value = e.newline + margin + value // each has a line of its own
	} else {
		value = " " + value
	}
	e.put(int(e.end(last)), ","+value)
}

// stanza adds a table with a header of its own, where a line begins or the file ends.
func (e *editor) stanza(at int, header string, mapping []Pair) {
	text := e.newline + header + e.newline + e.lines(mapping)
	switch {
	case at > 0 && e.text[at-1] != '\n':
		text = e.newline + text
	case at == 0:
		text = strings.TrimPrefix(text, e.newline)
	}
	e.put(at, text)
}

func (e *editor) replace(at int32, mapping []Pair) {
	if e.nodes[at].state == frozen {
		e.from, e.to, e.with = int(e.nodes[at].off), int(e.end(at)), inline(mapping)
		return
	}
	e.from = e.endOfLine(e.nodes[at].off) // the header stays
	e.to = max(e.endOfLine(e.end(at)), e.from)
	e.with = e.lines(mapping)
	if e.from > 0 && e.text[e.from-1] != '\n' {
		e.with = e.newline + e.with
	}
}

func (e *editor) put(at int, text string) { e.from, e.to, e.with = at, at, text }

func (e *editor) lines(mapping []Pair) string {
	var b strings.Builder
	for _, p := range mapping {
		b.WriteString(p.Key + " = " + p.Value + e.newline)
	}
	return b.String()
}

func inline(mapping []Pair) string {
	var all []string
	for _, p := range mapping {
		all = append(all, p.Key+" = "+p.Value)
	}
	return "{ " + strings.Join(all, ", ") + " }"
}

// end is where a node ends: behind its value, or behind the last thing that belongs to a table
// which is not in braces.
func (e *editor) end(id int32) uint32 {
	n := &e.nodes[id]
	if n.kind >= arrayNode || n.state == frozen {
		return endOfValue(e.text, n.off)
	}
	end := n.off
	for c := e.first(id); c != 0; c = e.nodes[c].next {
		end = max(end, e.end(c))
	}
	return end
}

// endOfLine is where the next line begins, or the end of the file.
func (e *editor) endOfLine(off uint32) int {
	if i := strings.IndexByte(e.text[off:], '\n'); i >= 0 {
		return int(off) + i + 1
	}
	return len(e.text)
}

// endOfValue is where a value ends that begins at off, in a text that TOML allows.
func endOfValue(text string, off uint32) uint32 {
	i, depth := int(off), 0
	for i < len(text) {
		switch c := text[i]; {
		case c == '"' || c == '\'':
			i = endOfString(text, i)
			if depth == 0 {
				return uint32(i)
			}
			continue
		case c == '#' && depth > 0:
			if n := strings.IndexByte(text[i:], '\n'); n >= 0 {
				i += n
			} else {
				i = len(text)
			}
			continue
		case c == '[' || c == '{':
			depth++
		case c == ']' || c == '}':
			if depth--; depth == 0 {
				return uint32(i + 1)
			}
			if depth < 0 {
				return bare(text, off, i)
			}
		case depth == 0 && (c == ',' || c == '#' || c == '\n' || c == '\r'):
			return bare(text, off, i)
		}
		i++
	}
	return bare(text, off, i)
}

// bare is where a value without quotes and brackets ends.
func bare(text string, off uint32, end int) uint32 {
	return off + uint32(len(strings.TrimRight(text[off:end], " \t")))
}

// endOfString is where a string ends that begins at i.
func endOfString(text string, i int) int {
	quote := text[i : i+1]
	if three := strings.Repeat(quote, 3); strings.HasPrefix(text[i:], three) {
		for i += 3; i < len(text); i++ {
			if text[i] == '\\' && quote == `"` {
				i++
				continue
			}
			if strings.HasPrefix(text[i:], three) {
				i += 3
				for i < len(text) && text[i] == quote[0] { // it may end in quotes of its own
					i++
				}
				return i
			}
		}
		return len(text)
	}
	for i++; i < len(text); i++ {
		switch {
		case text[i] == '\\' && quote == `"`:
			i++
		case text[i] == quote[0]:
			return i + 1
		}
	}
	return len(text)
}
