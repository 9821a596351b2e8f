//go:build linux && desktop

package keymap_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/linux/desktoptest"
	"github.com/amiable-dev/midimon/linux/keymap"
)

// way is one line of xkbcli how-to-type: keycode, name, layout, its name, level, modifiers.
var way = regexp.MustCompile(`^(\d+)\s+\S+\s+(\d+)\s+.*\s(\d+)\s+\[ (.*)\]$`)

// TestAgainstLibxkbcommon: for real layouts, what types a character is one of the ways that
// libxkbcommon knows, and what it knows no way for is not typed by a single key.
func TestAgainstLibxkbcommon(t *testing.T) {
	desktoptest.Need(t, "xkbcli")
	for _, layout := range []string{"us", "de", "fr", "pl", "us,ru", "gb", "es", "gr", "tr", "ch"} {
		t.Run(layout, func(t *testing.T) {
			text, err := exec.CommandContext(t.Context(), "xkbcli", "compile-keymap", "--layout", layout).Output()
			if err != nil {
				t.Fatal(err)
			}
			k := parse(t, string(text))
			if want := strings.Count(layout, ",") + 1; len(k.Groups) != want {
				t.Fatalf("layouts %q", k.Groups)
			}
			for group := range k.Groups {
				l := k.Layout(group, false)
				typed := 0
				for _, r := range "aAzZ1!@#{}[]|\\~^`<>/?\"'éèçàß€żŁłжЖёαΩğıñ°ü漢" {
					ways := waysOf(t, layout, r, group)
					got, ok := l.Strokes(r)
					switch {
					case len(got) == 2: // by a dead key: libxkbcommon's list has single keys only
						if strings.ContainsRune("^`~", r) && len(ways) == 0 {
							continue
						}
						t.Errorf("%q by %s, xkbcommon %v", r, spelled(got), ways)
					case ok && !ways[spelled(got)], !ok && len(ways) > 0:
						t.Errorf("layout %d, %q by %q, xkbcommon %v", group, r, spelled(got), ways)
					case ok:
						typed++
					}
				}
				t.Logf("layout %d: %d characters", group, typed)
				if typed < 10 {
					t.Errorf("only %d characters are typed", typed)
				}
			}
		})
	}
}

// waysOf are the ways to type a character with the modifiers that we press, as spelled has it.
func waysOf(t *testing.T, layout string, r rune, group int) map[string]bool {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "xkbcli", "how-to-type", "--layout", layout, fmt.Sprintf("%#x", r)).Output()
	if err != nil {
		t.Fatal(err)
	}
	ways := map[string]bool{}
	for s := bufio.NewScanner(strings.NewReader(string(out))); s.Scan(); {
		m := way.FindStringSubmatch(s.Text())
		if m == nil {
			continue
		}
		var code, in int
		if _, err := fmt.Sscan(m[1], &code); err != nil {
			t.Fatal(err)
		}
		if _, err := fmt.Sscan(m[2], &in); err != nil {
			t.Fatal(err)
		}
		if code > 255 {
			continue // no keyboard of ours has such a key
		}
		spelled := fmt.Sprint(code - 8)
		switch strings.TrimSpace(m[4]) {
		case "":
		case "Shift":
			spelled += "+S"
		case "Mod5":
			spelled += "+3"
		case "Shift Mod5":
			spelled += "+S+3"
		default:
			continue
		}
		if in-1 == group {
			ways[spelled] = true
		}
	}
	return ways
}

// TestNamesAgainstTheHeader: the table is the header's, as it is installed.
func TestNamesAgainstTheHeader(t *testing.T) {
	f, err := os.Open("/usr/include/X11/keysymdef.h")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); {
		var name string
		var sym uint32
		if _, err := fmt.Sscanf(s.Text(), "#define XK_%s 0x%x", &name, &sym); err != nil {
			continue
		}
		n++
		if got := keymap.Named(name); got != keymap.Sym(sym) {
			t.Errorf("%s is %#x, want %#x", name, got, sym)
		}
	}
	if n < 2000 {
		t.Errorf("%d names", n)
	}
}
