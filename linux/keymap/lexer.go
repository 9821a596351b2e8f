package keymap

import "strings"

// lexer cuts a keymap into words: names, numbers, "strings", <KEYS> and single signs.
type lexer struct {
	text string
	at   int
	line int // less 1
}

// word is the next one; empty at the end.
func (l *lexer) word() string {
	for l.at < len(l.text) {
		switch c := l.text[l.at]; {
		case c == '\n':
			l.line++
			l.at++
		case c == ' ' || c == '\t' || c == '\r':
			l.at++
		case c == '#' || strings.HasPrefix(l.text[l.at:], "//"):
			for l.at < len(l.text) && l.text[l.at] != '\n' {
				l.at++
			}
		case c == '"':
			return l.quoted('"')
		case c == '<':
			return l.quoted('>')
		case inName(c):
			from := l.at
			for l.at < len(l.text) && inName(l.text[l.at]) {
				l.at++
			}
			return l.text[from:l.at]
		default:
			l.at++
			return l.text[l.at-1 : l.at]
		}
	}
	return ""
}

// quoted is what goes to the closing sign, or to the line's end where there is none.
func (l *lexer) quoted(end byte) string {
	from := l.at
	for l.at++; l.at < len(l.text) && l.text[l.at] != '\n'; l.at++ {
		if l.text[l.at] == end {
			l.at++
			break
		}
	}
	return l.text[from:l.at]
}

func inName(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
