//go:build linux

package resident

import (
	"errors"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestMappings(t *testing.T) {
	const maps = `00400000-00772000 r-xp 00000000 fe:01 1310 /usr/bin/midimon
00772000-00b87000 r--p 00372000 fe:01 1310 /usr/bin/midimon
00b87000-00bae000 rw-p 00787000 fe:01 1310 /usr/bin/midimon
00bae000-02bf0000 rw-p 00000000 00:00 0
c000000000-c000400000 rw-p 00000000 00:00 0
7f0000000000-7f0000001000 r--p 00000000 fe:01 1311 /usr/lib/a b.so
7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0 [stack]
`
	want := []mapping{{0x400000, 0x772000}, {0x772000, 0xb87000}}
	if got, err := mappings(strings.NewReader(maps), 0x500000); err != nil || !slices.Equal(got, want) {
		t.Errorf("%x, %v; want %x", got, err, want)
	}
	for name, at := range map[string]uintptr{"nowhere": 1, "memory of no file": 0xc000000000} {
		if got, err := mappings(strings.NewReader(maps), at); !errors.Is(err, errNone) {
			t.Errorf("%s: %x, %v", name, got, err)
		}
	}
	if _, err := mappings(strings.NewReader("nonsense\n"), 1); err == nil {
		t.Error("nonsense: no error")
	}
}

// The program goes on, with less of it in memory.
func TestProgram(t *testing.T) {
	before := ofFiles(t)
	if err := Program(); err != nil {
		t.Fatal(err)
	}
	if after := ofFiles(t); after >= before {
		t.Errorf("%d kB of files in memory, %d before", after, before)
	}
}

// ofFiles is how much of files is in our memory, in kB.
func ofFiles(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "\nRssFile:")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		t.Fatalf("no RssFile in %s", text)
	}
	n, err := strconv.Atoi(fields[0])
	if err != nil {
		t.Fatal(err)
	}
	return n
}
