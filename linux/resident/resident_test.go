//go:build linux

package resident

import (
	"bytes"
	"errors"
	"os"
	"strconv"
	"strings"
	"testing"
)

func TestMapped(t *testing.T) {
	const maps = `00400000-00772000 r-xp 00000000 fe:01 1310 /usr/bin/midimon
00772000-00b87000 r--p 00372000 fe:01 1310 /usr/bin/midimon
00b87000-00bae000 rw-p 00787000 fe:01 1310 /usr/bin/midimon
00bae000-02bf0000 rw-p 00000000 00:00 0
7f0000000000-7f0000001000 r--p 00000000 fe:01 1311 /usr/lib/a b.so
`
	from, to, err := mapped(strings.NewReader(maps), "/usr/bin/midimon", 0x400000, 0x1000)
	if err != nil || from != 0x800000 || to != 0x801000 {
		t.Errorf("%x-%x, %v", from, to, err)
	}
	for name, c := range map[string]struct {
		path     string
		at, size uint64
	}{
		"another program": {"/usr/bin/other", 0x400000, 0x1000},
		"can be written":  {"/usr/bin/midimon", 0x787000, 0x1000},
		"two mappings":    {"/usr/bin/midimon", 0x371000, 0x2000},
		"too large":       {"/usr/bin/midimon", 0x400000, 1 << 62},
	} {
		if from, to, err := mapped(strings.NewReader(maps), c.path, c.at, c.size); !errors.Is(err, errNone) {
			t.Errorf("%s: %x-%x, %v", name, from, to, err)
		}
	}
	if _, _, err := mapped(strings.NewReader("nonsense"), "nonsense", 0, 1); err == nil {
		t.Error("nonsense: no error")
	}
}

func TestSection(t *testing.T) {
	exe, err := os.ReadFile("/proc/self/exe")
	if err != nil {
		t.Fatal(err)
	}
	at, size, err := section(bytes.NewReader(exe), ".gopclntab")
	if err != nil || size < 1<<16 || at+size > uint64(len(exe)) {
		t.Errorf("at %d, %d bytes: %v", at, size, err)
	}
	if _, _, err := section(bytes.NewReader(exe), ".none"); !errors.Is(err, errNone) {
		t.Errorf("no such section: %v", err)
	}
	for _, cut := range []int{0, 63, 64, len(exe) / 2} {
		if _, _, err := section(bytes.NewReader(exe[:cut]), ".gopclntab"); err == nil {
			t.Errorf("%d bytes of it: no error", cut)
		}
	}
	if _, _, err := section(bytes.NewReader(make([]byte, 100)), ".gopclntab"); err == nil {
		t.Error("no program: no error")
	}
}

// The program goes on, with less of it in memory.
func TestTables(t *testing.T) {
	before := ofFiles(t)
	if err := Tables(); err != nil {
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
