package script

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// MaxSize is how large a performance may be, in bytes.
const MaxSize = 64 << 20

// Parse reads a performance, or says everything that is wrong with it, each with its line in
// the archive. Name is what errors call it. Its configuration may be missing: then somebody
// must Add it before Run.
func Parse(name string, text []byte) (*Performance, error) {
	if len(text) > MaxSize {
		return nil, fmt.Errorf("%s: %d bytes are more than %d", name, len(text), MaxSize)
	}
	comment, files := unpack(text)
	p := &Performance{Name: name, Comment: string(comment)}
	seen := map[string]bool{}
	var all []error
	for _, f := range files {
		var err error
		switch {
		case seen[f.name]:
			err = fmt.Errorf("%s:%d: there are two files %q", name, f.line, f.name)
		case f.name == EventsFile:
			err = p.parseEvents(string(f.data), f.line)
		case f.name == ExpectFile:
			err = p.parseExpect(string(f.data), f.line)
		default:
			err = p.Add(f.name, f.data, f.line)
		}
		if err != nil {
			all = append(all, err)
		}
		seen[f.name] = true
	}
	if !seen[EventsFile] {
		all = append(all, fmt.Errorf("%s: there is no file %q", name, EventsFile))
	}
	if len(all) > 0 {
		return nil, errors.Join(all...)
	}
	return p, nil
}

// maxErrors is how many faults of one file Parse names.
const maxErrors = 20

func (p *Performance) parseEvents(text string, line int) error {
	var last time.Duration
	return p.lines(text, line, func(words []string, n int) error {
		ev, err := parseEvent(words)
		if err != nil {
			return err
		}
		if ev.At < last {
			return fmt.Errorf("time runs back to %s from %s", formatTime(ev.At), formatTime(last))
		}
		last, ev.line = ev.At, n
		p.Events = append(p.Events, ev)
		return nil
	})
}

func (p *Performance) parseExpect(text string, line int) error {
	return p.lines(text, line, func(words []string, _ int) error {
		t, err := parseTime(words[0])
		if err != nil {
			return err
		}
		if len(words) == 1 {
			return errors.New("nothing is expected here")
		}
		words[0] = formatTime(t)
		p.Expect = append(p.Expect, strings.Join(words, " "))
		return nil
	})
}

// lines calls f with the words of each line that says something. Line is the one before the
// text.
func (p *Performance) lines(text string, line int, f func(words []string, n int) error) error {
	var all []error
	for s := range strings.Lines(text) {
		line++
		words, err := split(s)
		if err == nil && len(words) > 0 {
			err = f(words, line)
		}
		if err == nil {
			continue
		}
		if len(all) == maxErrors {
			all = append(all, fmt.Errorf("%s:%d: more errors are not shown", p.Name, line))
			break
		}
		all = append(all, fmt.Errorf("%s:%d: %w", p.Name, line, err))
	}
	return errors.Join(all...)
}

// split splits a line into words, without its comment. What stands in double quotes is one
// word, and keeps them.
func split(s string) ([]string, error) {
	const space = " \t\r\n"
	var words []string
	for s = strings.Trim(s, space); s != ""; s = strings.TrimLeft(s, space) {
		end := strings.IndexAny(s, space)
		if end < 0 {
			end = len(s)
		}
		if s[0] == '"' {
			quoted, err := strconv.QuotedPrefix(s)
			if err != nil {
				return nil, errors.New("a quote does not end")
			}
			end = len(quoted)
		}
		if s[0] == '#' && (len(words) == 0 || end == 1) {
			break
		}
		words, s = append(words, s[:end]), s[end:]
	}
	return words, nil
}

// plain is a word without its quotes.
func plain(word string) string {
	if s, err := strconv.Unquote(word); err == nil && word[0] == '"' {
		return s
	}
	return word
}

// word writes a word so that split and plain read it.
func word(s string) string {
	if q := strconv.Quote(s); s == "" || s[0] == '#' || strings.Contains(s, " ") || q != `"`+s+`"` {
		return q
	}
	return s
}

// units are the units of time, longest last.
var units = []struct {
	name string
	each time.Duration
}{{"us", time.Microsecond}, {"ms", time.Millisecond}, {"s", time.Second}}

// maxTime bounds a performance.
const maxTime = 7 * 24 * time.Hour

// parseTime reads a time as "80ms" or "1.5s", exact to the nanosecond.
func parseTime(s string) (time.Duration, error) {
	for _, u := range units {
		digits, ok := strings.CutSuffix(s, u.name)
		if !ok {
			continue
		}
		whole, part, point := strings.Cut(digits, ".")
		n, err := strconv.ParseUint(whole, 10, 62)
		if err != nil || point && part == "" || n > uint64(maxTime/u.each) {
			break
		}
		t := time.Duration(n) * u.each
		for unit, i := u.each, 0; i < len(part); i++ {
			if unit /= 10; unit == 0 || part[i] < '0' || part[i] > '9' {
				return 0, fmt.Errorf("%q is no time as 80ms or 1.5s", s)
			}
			t += time.Duration(part[i]-'0') * unit
		}
		return t, nil
	}
	return 0, fmt.Errorf("%q is no time as 80ms or 1.5s", s)
}

// formatTime writes a time in milliseconds, with as many digits after the point as it needs.
func formatTime(t time.Duration) string {
	s := strconv.FormatInt(int64(t/time.Millisecond), 10)
	if rest := t % time.Millisecond; rest != 0 {
		s += "." + strings.TrimRight(fmt.Sprintf("%06d", rest), "0")
	}
	return s + "ms"
}
