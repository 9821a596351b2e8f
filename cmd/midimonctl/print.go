package main

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// The styles of ECMA-48 (SGR) used here.
const (
	plain  = ""
	bold   = "1"
	dim    = "2"
	red    = "31"
	green  = "32"
	yellow = "33"
)

// stateStyles colour the states of the daemon and of devices; others stay plain.
var stateStyles = map[string]string{
	"running": green, "connected": green, "ok": green,
	"degraded": yellow, "paused": yellow, "starting": yellow, "reloading": yellow, "stopping": yellow,
	"busy": yellow, "warning": yellow, "kept-previous": yellow,
	"absent": red, "error": red, "failed": red, "defaults": yellow,
	"ignored": dim,
}

// A printer writes for people.
type printer struct {
	out   io.Writer
	color bool
	err   error
}

func (a *app) printer() *printer { return &printer{out: a.out, color: a.color()} }

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.out, format, args...)
	}
}

func (p *printer) styled(style, text string) string {
	if !p.color || style == plain {
		return text
	}
	return "\x1b[" + style + "m" + text + "\x1b[0m"
}

func (p *printer) state(text string) string { return p.styled(stateStyles[text], text) }

// A cell is a field of a table.
type cell struct{ text, style string }

// table prints rows with aligned columns, each row behind indent, the first behind lead.
func (p *printer) table(lead, indent string, rows [][]cell) {
	var widths []int
	for _, row := range rows {
		for i, c := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], utf8.RuneCountInString(c.text))
		}
	}
	for n, row := range rows {
		line := indent
		if n == 0 {
			line = lead
		}
		for i, c := range row {
			line += p.styled(c.style, c.text)
			if i < len(row)-1 {
				line += strings.Repeat(" ", widths[i]-utf8.RuneCountInString(c.text)+2)
			}
		}
		p.printf("%s\n", strings.TrimRight(line, " "))
	}
}

// printable keeps names of devices and files from driving the terminal.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return unicode.ReplacementChar
	}, s)
}

// ago is how long ago a moment was, 0 USec being never.
func ago(usec uint64) string {
	if usec == 0 {
		return "never"
	}
	return span(time.Since(time.UnixMicro(int64(usec)))) + " ago"
}

// span is a duration in its two largest units.
func span(d time.Duration) string {
	switch d = max(d, 0); {
	case d < time.Minute:
		return fmt.Sprintf("%d s", d/time.Second)
	case d < time.Hour:
		return fmt.Sprintf("%d min %d s", d/time.Minute, d%time.Minute/time.Second)
	case d < 24*time.Hour:
		return fmt.Sprintf("%d h %d min", d/time.Hour, d%time.Hour/time.Minute)
	}
	return fmt.Sprintf("%d d %d h", d/(24*time.Hour), d%(24*time.Hour)/time.Hour)
}

// count is "1 mode", "2 modes".
func count[N int | uint32 | uint64](n N, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
