//go:build linux

package launch

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
)

// maxEntry is more than any desktop entry has, in bytes.
const maxEntry = 1 << 20

// An entry is what a desktop entry says of an application (Desktop Entry Specification 1.5).
type entry struct {
	path    string
	names   []string // Name in every language
	argv    []string // Exec, with its field codes
	try     string   // TryExec
	dir     string   // Path
	icon    string
	hidden  bool   // there is no such application, though a file says so
	inTerm  bool   // Terminal
	busName bool   // DBusActivatable
	tells   bool   // StartupNotify
	class   string // StartupWMClass
}

// readEntry reads the file at path.
func readEntry(path string) (*entry, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	text, err := io.ReadAll(io.LimitReader(f, maxEntry))
	if err != nil {
		return nil, err
	}
	e, err := parseEntry(text)
	if err != nil {
		return nil, fmt.Errorf("cannot read %s: %w", path, err)
	}
	e.path = path
	return e, nil
}

// parseEntry reads the group Desktop Entry. What it does not know it passes over, as the
// specification asks for.
func parseEntry(text []byte) (*entry, error) {
	e := &entry{}
	within, application, exec := false, false, ""
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, maxEntry)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		if line[0] == '[' {
			within = line == "[Desktop Entry]"
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		if !within || !ok {
			continue
		}
		value = unescape(strings.TrimSpace(value))
		switch key = strings.TrimSpace(key); key {
		case "Type":
			application = value == "Application"
		case "Exec":
			exec = value
		case "TryExec":
			e.try = value
		case "Path":
			e.dir = value
		case "Icon":
			e.icon = value
		case "Hidden":
			e.hidden = value == "true"
		case "Terminal":
			e.inTerm = value == "true"
		case "DBusActivatable":
			e.busName = value == "true"
		case "StartupNotify":
			e.tells = value == "true"
		case "StartupWMClass":
			e.class = value
		default:
			if key == "Name" || strings.HasPrefix(key, "Name[") {
				e.names = append(e.names, value)
			}
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	switch {
	case !application && !e.hidden:
		return nil, fmt.Errorf("it is no application")
	case exec == "" && !e.busName && !e.hidden:
		return nil, fmt.Errorf("it has neither Exec nor DBusActivatable")
	}
	var err error
	e.argv, err = splitExec(exec)
	return e, err
}

// unescape reads the escapes that every string of a desktop entry may have.
func unescape(s string) string {
	if !strings.Contains(s, `\`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch s[i] {
		case 's':
			b.WriteByte(' ')
		case 'n':
			b.WriteByte('\n')
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case '\\':
			b.WriteByte('\\')
		default:
			b.WriteByte('\\')
			b.WriteByte(s[i])
		}
	}
	return b.String()
}

// splitExec takes Exec apart at its spaces. Within double quotes a backslash makes an ordinary
// character of ", `, $ and itself.
func splitExec(s string) ([]string, error) {
	var argv []string
	var word strings.Builder
	quoted, started := false, false
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case quoted && c == '\\' && i+1 < len(s) && strings.IndexByte("\"`$\\", s[i+1]) >= 0:
			i++
			word.WriteByte(s[i])
		case c == '"':
			quoted, started = !quoted, true
		case (c == ' ' || c == '\t') && !quoted:
			if started {
				argv = append(argv, word.String())
			}
			word.Reset()
			started = false
		default:
			word.WriteByte(c)
			started = true
		}
	}
	if quoted {
		return nil, fmt.Errorf("a quote in Exec is not closed")
	}
	if started {
		argv = append(argv, word.String())
	}
	return argv, nil
}

// command is Exec with what its field codes stand for; args are files or addresses. Where no
// code asks for them they come last.
func (e *entry) command(args []string) []string {
	var argv []string
	given := false
	one := func() string {
		if given = true; len(args) == 0 {
			return ""
		}
		return args[0]
	}
	for _, word := range e.argv {
		switch word {
		case "%f", "%u":
			if a := one(); a != "" {
				argv = append(argv, a)
			}
		case "%F", "%U":
			argv, given = append(argv, args...), true
		case "%i":
			if e.icon != "" {
				argv = append(argv, "--icon", e.icon)
			}
		case "%d", "%D", "%n", "%N", "%v", "%m": // no longer in use: removed
		default:
			argv = append(argv, e.expand(word, one))
		}
	}
	if !given {
		argv = append(argv, args...)
	}
	return argv
}

// expand replaces the field codes within a word.
func (e *entry) expand(word string, one func() string) string {
	if !strings.Contains(word, "%") {
		return word
	}
	var b strings.Builder
	for i := 0; i < len(word); i++ {
		if word[i] != '%' || i+1 == len(word) {
			b.WriteByte(word[i])
			continue
		}
		i++
		switch word[i] {
		case '%':
			b.WriteByte('%')
		case 'c':
			b.WriteString(e.title())
		case 'k':
			b.WriteString(e.path)
		case 'f', 'u':
			b.WriteString(one())
		}
	}
	return b.String()
}

// title is how people know the application, or empty.
func (e *entry) title() string {
	if len(e.names) == 0 {
		return ""
	}
	return e.names[0]
}

// called says whether people know the application by a name.
func (e *entry) called(name string) bool {
	return slices.ContainsFunc(e.names, func(n string) bool { return strings.EqualFold(n, name) })
}
