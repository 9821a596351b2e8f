package config

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/amiable-dev/midimon/engine/report"
)

// The bounds of what is said of a configuration, however it is made: how many diagnostics are
// given before the rest is only counted, how long each part of one is, in bytes, and among how
// many words one is sought that could have been meant.
const (
	maxDiagnostics = 100
	maxPath        = 200
	maxMessage     = 300
	maxExcerpt     = 4000
	maxAmong       = 1000
)

// source is a text and what it is called.
type source struct {
	file, text string
}

// lineAt is the line of an offset, from 1.
func (s *source) lineAt(off uint32) int { return strings.Count(s.text[:off], "\n") + 1 }

// cursor finds the positions of offsets that only grow.
type cursor struct {
	*source
	off, line, begin int // where it is, its line, from 1, and where that begins
}

// position turns an offset into a line and a column, both from 1. Columns are code points.
func (c *cursor) position(off uint32) (line, column int) {
	between := c.text[c.off:off]
	if n := strings.Count(between, "\n"); n > 0 {
		c.line += n
		c.begin = c.off + strings.LastIndexByte(between, '\n') + 1
	}
	c.off = int(off)
	return c.line, utf8.RuneCountInString(c.text[c.begin:off]) + 1
}

// excerpt is the text of the line without its end, or empty if it is too long to be shown.
func (c *cursor) excerpt() string {
	rest := c.text[c.begin:]
	text, _, _ := strings.Cut(rest[:min(len(rest), maxExcerpt+2)], "\n")
	if text = strings.TrimSuffix(text, "\r"); len(text) > maxExcerpt {
		return ""
	}
	return text
}

// problems collects what is wrong with the files of a configuration. Errors and warnings are
// bounded apart, so that no number of warnings hides an error.
type problems struct {
	errors, warnings         []problem
	moreErrors, moreWarnings int
}

// problem is something that is wrong. Where that is and what could be done about it is worked
// out when it is shown.
type problem struct {
	fault
	*tree
	message string
}

// fault is what to say of one place.
type fault struct {
	code  Code
	off   uint32
	node  int32  // whose path is meant; 0: none
	key   string // a key inside node that is not there
	warn  bool   // a warning, not an error
	hint  string // what to do
	waits time.Duration
	word  string   // what was written, instead of hint:
	among []string // what could have been meant
	all   string   // "the modes are": how to name them all if none is near
}

// full reports whether no more errors, or warnings, are shown, and counts one more if so: who
// asks first need not work out what nobody will see.
func (p *problems) full(warn bool) bool {
	list, more := p.errors, &p.moreErrors
	if warn {
		list, more = p.warnings, &p.moreWarnings
	}
	if len(list) < maxDiagnostics {
		return false
	}
	*more++
	return true
}

func (t *tree) report(f fault, format string, args ...any) {
	if !t.full(f.warn) {
		t.say(f, fmt.Sprintf(format, args...))
	}
}

// say is report for who knows that the list is not full.
func (t *tree) say(f fault, message string) {
	list := &t.errors
	if f.warn {
		list = &t.warnings
	}
	if *list == nil {
		*list = make([]problem, 0, 8)
	}
	f.off = min(f.off, uint32(len(t.text)))
	*list = append(*list, problem{f, t, message})
}

// shower shows problems in the order in which they stand.
type shower struct {
	at   cursor
	text []byte
}

// diagnostic works out what is shown of a problem.
func (s *shower) diagnostic(p *problem) report.Diagnostic {
	d := report.Diagnostic{Severity: report.Error, Code: string(p.code), File: p.file, Hint: p.hint, Waits: p.waits}
	if p.warn {
		d.Severity = report.Warn
	}
	// The path is the beginning of the message, so that both take one text.
	s.text = p.appendPath(s.text[:0], p.node)
	if p.fault.key != "" {
		s.text = appendKey(s.text, p.fault.key)
	}
	if len(s.text) > maxPath {
		s.text = append(s.text[:0], shorten(string(s.text), maxPath)...)
	}
	path := len(s.text)
	if path > 0 {
		s.text = append(s.text, ": "...)
	}
	d.Message = string(append(s.text, shorten(p.message, maxMessage)...))
	d.Path = d.Message[:path]
	among := p.among[:min(len(p.among), maxAmong)]
	if near := nearest(p.word, among); near != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", near)
	} else if p.all != "" {
		d.Hint = shorten(p.all+" "+quoted(among), maxMessage)
	}
	if s.at.source != &p.source {
		s.at = cursor{source: &p.source, line: 1}
	}
	d.Line, d.Column = s.at.position(p.off)
	d.Excerpt = s.at.excerpt()
	return d
}

// shorten cuts a text to at most n bytes, and shows that it did.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	const dots = "…"
	for n -= len(dots); !utf8.RuneStart(s[n]); {
		n--
	}
	return s[:n] + dots
}

func quoted(words []string) string {
	var list []string
	for _, w := range words {
		list = append(list, strconv.Quote(w))
	}
	return strings.Join(list, ", ")
}

// diagnostics is everything reported, file after file and as it stands there: all errors that
// fit, then warnings, then how many there are besides.
func (p *problems) diagnostics() []report.Diagnostic {
	room := min(len(p.warnings), maxDiagnostics-len(p.errors))
	more := p.moreErrors + p.moreWarnings + len(p.warnings) - room
	all := make([]*problem, 0, len(p.errors)+room)
	for i := range p.errors {
		all = append(all, &p.errors[i])
	}
	for i := range room {
		all = append(all, &p.warnings[i])
	}
	order := func(a, b *problem) int {
		return cmp.Or(cmp.Compare(a.number, b.number), cmp.Compare(a.off, b.off))
	}
	if !slices.IsSortedFunc(all, order) {
		slices.SortStableFunc(all, order)
	}
	out := make([]report.Diagnostic, 0, len(all)+1)
	s := shower{text: make([]byte, 0, maxPath)}
	for _, x := range all {
		out = append(out, s.diagnostic(x))
	}
	if more == 0 {
		return out
	}
	last := out[len(out)-1]
	severity := report.Warn
	if p.moreErrors > 0 {
		severity = report.Error
	}
	return append(out, report.Diagnostic{
		Severity: severity, Code: string(More), Message: fmt.Sprintf("%d more not shown", more),
		File: last.File, Line: last.Line, Column: last.Column,
	})
}
