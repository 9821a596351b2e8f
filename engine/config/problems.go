package config

import (
	"cmp"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/amiable-dev/midimon/engine/report"
)

// The bounds of what is said of a file, however it is made: how many diagnostics are given
// before the rest is only counted, how long each part of one is, in bytes, and among how many
// words one is sought that could have been meant.
const (
	maxDiagnostics = 100
	maxPath        = 200
	maxMessage     = 300
	maxExcerpt     = 4000
	maxAmong       = 1000
)

// source is a text and what it is called. Its lines are counted when the first position is
// asked for: a good file never needs them.
type source struct {
	file, text string
	lines      []uint32 // where each begins
}

// position turns an offset into a line and a column, both from 1. Columns are code points.
func (s *source) position(off uint32) (line, column int) {
	line = s.lineAt(off)
	return line, utf8.RuneCountInString(s.text[s.lines[line-1]:off]) + 1
}

func (s *source) lineAt(off uint32) int {
	s.index()
	return sort.Search(len(s.lines), func(i int) bool { return s.lines[i] > off })
}

func (s *source) index() {
	if s.lines != nil {
		return
	}
	s.lines = append(s.lines, 0)
	for i := 0; ; i++ {
		n := strings.IndexByte(s.text[i:], '\n')
		if n < 0 {
			return
		}
		i += n
		s.lines = append(s.lines, uint32(i+1))
	}
}

// line is the text of a line, counted from 1, without its end.
func (s *source) line(n int) string {
	text, _, _ := strings.Cut(s.text[s.lines[n-1]:], "\n")
	return strings.TrimSuffix(text, "\r")
}

// problems collects what is wrong with a source. Errors and warnings are bounded apart, so
// that no number of warnings hides an error.
type problems struct {
	source
	errors, warnings         []report.Diagnostic
	moreErrors, moreWarnings int
}

// fault is what to say of one place. Path and hint are worked out only if it is said.
type fault struct {
	code  Code
	off   uint32
	node  int32    // whose path is meant; 0: none
	key   string   // a key inside node that is not there
	warn  bool     // a warning, not an error
	hint  string   // what to do
	word  string   // what was written, instead of hint:
	among []string // what could have been meant
	all   string   // "the modes are": how to name them all if none is near
}

func (t *tree) report(f fault, format string, args ...any) {
	list, more := &t.errors, &t.moreErrors
	d := report.Diagnostic{Severity: report.Error, Code: string(f.code), File: t.file, Hint: f.hint}
	if f.warn {
		list, more = &t.warnings, &t.moreWarnings
		d.Severity = report.Warn
	}
	if len(*list) == maxDiagnostics {
		*more++
		return
	}
	path := t.appendPath(nil, f.node)
	if f.key != "" {
		path = appendKey(path, f.key)
	}
	d.Path = shorten(string(path), maxPath)
	d.Message = shorten(fmt.Sprintf(format, args...), maxMessage)
	if d.Path != "" {
		d.Message = d.Path + ": " + d.Message
	}
	among := f.among[:min(len(f.among), maxAmong)]
	if near := nearest(f.word, among); near != "" {
		d.Hint = fmt.Sprintf("did you mean %q?", near)
	} else if f.all != "" {
		d.Hint = shorten(f.all+" "+quoted(among), maxMessage)
	}
	d.Line, d.Column = t.position(min(f.off, uint32(len(t.text))))
	if line := t.line(d.Line); len(line) <= maxExcerpt {
		d.Excerpt = line
	}
	*list = append(*list, d)
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

// diagnostics is everything reported, as it stands in the file: all errors that fit, then
// warnings, then how many there are besides.
func (p *problems) diagnostics() []report.Diagnostic {
	room := min(len(p.warnings), maxDiagnostics-len(p.errors))
	more := p.moreErrors + p.moreWarnings + len(p.warnings) - room
	all := slices.Concat(p.errors, p.warnings[:room])
	slices.SortStableFunc(all, func(a, b report.Diagnostic) int {
		return cmp.Or(cmp.Compare(a.Line, b.Line), cmp.Compare(a.Column, b.Column))
	})
	if more == 0 {
		return all
	}
	last := all[len(all)-1]
	severity := report.Warn
	if p.moreErrors > 0 {
		severity = report.Error
	}
	return append(all, report.Diagnostic{
		Severity: severity, Code: string(More), Message: fmt.Sprintf("%d more not shown", more),
		File: p.file, Line: last.Line, Column: last.Column,
	})
}
