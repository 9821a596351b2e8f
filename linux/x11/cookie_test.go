//go:build linux

package x11

import (
	"bytes"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func authority(family uint16, fields ...string) []byte {
	b := binary.BigEndian.AppendUint16(nil, family)
	for _, f := range fields {
		b = append(binary.BigEndian.AppendUint16(b, uint16(len(f))), f...)
	}
	return b
}

func TestCookie(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	const a, b, c = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb", "cccccccccccccccc"
	file := filepath.Join(t.TempDir(), "authority")
	text := slices.Concat(
		authority(0, "\x7f\x00\x00\x01", "0", cookieName, c), authority(familyLocal, "elsewhere", "0", cookieName, c),
		authority(familyLocal, host, "0", "XDM-AUTHORIZATION-1", c), authority(familyLocal, host, "0", cookieName, "short"),
		authority(familyLocal, host, "0", cookieName, a), authority(familyWild, "", "", cookieName, b),
	)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	for number, want := range map[string]string{"0": a, "1": b} {
		if got := cookieOf(file, number); string(got) != want {
			t.Errorf("display %s has %q, want %q", number, got, want)
		}
	}
	if got := cookieOf(filepath.Join(t.TempDir(), "none"), "0"); got != nil {
		t.Errorf("no file has %q", got)
	}
	if err := os.WriteFile(file, text[:len(text)-3], 0o600); err != nil {
		t.Fatal(err)
	}
	if got := cookieOf(file, "1"); got != nil {
		t.Errorf("half a file has %q", got)
	}
}

// FuzzCookie: no file makes a fault.
func FuzzCookie(f *testing.F) {
	f.Add(authority(familyWild, "", "", cookieName, "aaaaaaaaaaaaaaaa"))
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, b []byte) {
		file := filepath.Join(dir, "authority")
		if err := os.WriteFile(file, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if got := cookieOf(file, "0"); got != nil && (len(got) != 16 || !bytes.Contains(b, got)) {
			t.Errorf("%q", got)
		}
	})
}
