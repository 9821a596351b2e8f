package config

import (
	"fmt"
	"strings"
	"unicode"

	"github.com/amiable-dev/midimon/engine/report"
)

// excerptWidth is how many code points of a line are shown at most.
const excerptWidth = 100

// Format prints a diagnostic for people: file, line, column, path and problem on one line,
// and with excerpt the line of the file below with a caret under the place. Nothing from the
// file reaches a terminal as a control character.
//
//	config.toml:42:8: modes[1].mappings[3].trigger.note: 128 is out of range 0-127
//	   42 | note = 128
//	      |        ^
func Format(d report.Diagnostic, excerpt bool) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:%d:%d: ", d.File, d.Line, d.Column)
	if d.Severity == report.Warn {
		b.WriteString("warning: ")
	}
	b.WriteString(d.Message)
	if d.Hint != "" {
		fmt.Fprintf(&b, " (%s)", d.Hint)
	}
	head := printable(b.String())
	if !excerpt || d.Excerpt == "" {
		return head
	}
	line, caret := []rune(printable(d.Excerpt)), d.Column-1
	if len(line) > excerptWidth {
		from := min(max(0, caret-excerptWidth/2), len(line)-excerptWidth)
		line, caret = line[from:from+excerptWidth], caret-from
	}
	// A tab in the text is a tab above the caret too, however wide it is.
	pad := strings.Map(func(r rune) rune {
		if r == '\t' {
			return r
		}
		return ' '
	}, string(line[:min(caret, len(line))]))
	return fmt.Sprintf("%s\n%5d | %s\n      | %s^", head, d.Line, string(line), pad)
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}
