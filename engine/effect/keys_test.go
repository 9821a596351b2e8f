package effect

import (
	"bufio"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// TestKeysAgainstTheKernel compares with linux/input-event-codes.h where it is installed: a
// key that is there by one of our names must have that code.
func TestKeysAgainstTheKernel(t *testing.T) {
	f, err := os.Open("/usr/include/linux/input-event-codes.h")
	if err != nil {
		if os.Getenv("MIDIMON_TEST") == "all" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	defer func() { _ = f.Close() }()
	kernel := map[string]Key{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 3 || words[0] != "#define" {
			continue
		}
		if name, ok := strings.CutPrefix(words[1], "KEY_"); ok {
			if code, err := strconv.ParseUint(words[2], 0, 16); err == nil {
				kernel[strings.ToLower(name)] = Key(code)
			}
		}
	}
	// Names that users mean otherwise than the kernel does.
	meant := []string{"menu", "stop", "print", "record", "option", "next", "previous"}
	for _, k := range keyTable {
		known := false
		for name := range strings.FieldsSeq(k.names) {
			code, ok := kernel[name]
			known = known || ok
			if ok && code != k.code && !slices.Contains(meant, name) {
				t.Errorf("%s is %d, the kernel says %d", name, k.code, code)
			}
		}
		if !known {
			t.Errorf("the kernel knows none of %q", k.names)
		}
	}
	for _, name := range []string{"power", "power2", "sleep", "suspend", "wakeup", "restart"} {
		if slices.Contains(KeyCodes(), kernel[name]) {
			t.Errorf("KEY_%s can be pressed", strings.ToUpper(name))
		}
	}
}

func TestKeyNames(t *testing.T) {
	names := KeyNames()
	if !slices.IsSorted(names) || len(slices.Compact(slices.Clone(names))) != len(names) {
		t.Error("names are not sorted, or one is there twice")
	}
	total := 0
	for _, k := range keyTable {
		total += len(strings.Fields(k.names))
		if strings.ToLower(k.names) != k.names {
			t.Errorf("%q is not lower case", k.names)
		}
	}
	if total != len(names) {
		t.Errorf("%d names for %d keys: one name means two keys", total, len(names))
	}
	codes := KeyCodes()
	if !slices.IsSorted(codes) || len(slices.Compact(slices.Clone(codes))) != len(codes) {
		t.Error("codes are not ascending, or one is there twice")
	}
	for _, code := range codes {
		if got, ok := KeyNamed(KeyName(code)); !ok || got != code {
			t.Errorf("%d is called %q, which is %d", code, KeyName(code), got)
		}
	}
	if KeyName(116) != "" {
		t.Error("the power key has a name")
	}
	for name, want := range map[string]Key{"F13": 183, "Enter": 28, "CMD": 125, "+": 78, "volumeup": 115, "PlayPause": 164, "AltGr": 100} {
		if got, ok := KeyNamed(name); !ok || got != want {
			t.Errorf("%s is %d, want %d", name, got, want)
		}
	}
	for _, name := range []string{"", "power", "nope"} {
		if _, ok := KeyNamed(name); ok {
			t.Errorf("%q is a key", name)
		}
	}
}
