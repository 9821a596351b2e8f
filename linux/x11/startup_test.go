//go:build linux

package x11

import (
	"bytes"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestQuoted(t *testing.T) {
	for value, want := range map[string]string{
		"":             `""`,
		"Text Editor":  `"Text Editor"`,
		`a "b" \c`:     `"a \"b\" \\c"`,
		"cut\x00short": `"cut"`,
		"Żółw":         `"Żółw"`,
	} {
		if got := quoted(value); got != want {
			t.Errorf("%q is %s, want %s", value, got, want)
		}
	}
	for _, long := range []string{strings.Repeat(`"`, 5000), strings.Repeat("漢", 5000)} {
		if got := quoted(long); len(got) > maxStartup/8+2 || len(got) < maxStartup/16 || !utf8.ValidString(got) {
			t.Errorf("%d bytes, %q", len(got), got[len(got)-4:])
		}
	}
}

func TestPieces(t *testing.T) {
	for _, text := range []string{"", "remove: ID=x", strings.Repeat("a", startupPiece-1), strings.Repeat("b", startupPiece), strings.Repeat("c", 100)} {
		all := pieces(text)
		for _, piece := range all {
			if len(piece) != startupPiece {
				t.Errorf("a piece of %d bytes", len(piece))
			}
		}
		got, rest, ended := bytes.Cut(bytes.Join(all, nil), []byte{0})
		if string(got) != text || !ended || len(rest) >= startupPiece || len(bytes.Trim(rest, "\x00")) > 0 {
			t.Errorf("%q is %q", text, all)
		}
	}
}
