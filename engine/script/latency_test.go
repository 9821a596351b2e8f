package script_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/script"
)

// TestLatencyIsTrue: a tap that has other gestures beside it waits as long as the warning about
// it says, and never longer.
func TestLatencyIsTrue(t *testing.T) {
	beside := []string{
		`type = "LongPress", note = 36, duration_ms = 500`,
		`type = "LongPress", note = 36, duration_ms = 200`,
		`type = "DoubleTap", note = 36, timeout_ms = 300`,
		`type = "MultiTap", note = 36, taps = 3, timeout_ms = 350`,
		`type = "NoteChord", notes = [36, 37], timeout_ms = 60`,
	}
	for some := range 1 << len(beside) {
		var text strings.Builder
		text.WriteString("-- config.toml --\nglobal_mappings = [\n  { name = \"tap\", trigger = { type = \"Note\", note = 36 }, action = { type = \"Panic\" } },\n")
		for i, trigger := range beside {
			if some>>i&1 != 0 {
				fmt.Fprintf(&text, "  { trigger = { %s }, action = { type = \"Panic\" } },\n", trigger)
			}
		}
		text.WriteString("]\n-- events --\n")
		for i := range 60 { // every length of a press, 10 s apart
			fmt.Fprintf(&text, "%ds on 36\n%dms off 36\n", 10*i, 10000*i+10*i+9)
		}
		text.WriteString("1000s advance\n")
		p, err := script.Parse("x", []byte(text.String()))
		if err != nil {
			t.Fatal(err)
		}
		said := time.Duration(0)
		for _, d := range p.Configs[0].Warnings {
			if strings.HasPrefix(d.Path, "global_mappings[0]") {
				said = d.Waits
			}
		}
		got, err := p.Run()
		if err != nil {
			t.Fatal(err)
		}
		longest := time.Duration(0)
		for _, line := range got {
			at, rest, _ := strings.Cut(line, " ")
			if !strings.HasPrefix(rest, "tap ") {
				continue
			}
			d, err := time.ParseDuration(at)
			if err != nil {
				t.Fatal(err)
			}
			longest = max(longest, d%(10*time.Second))
		}
		if longest > said || longest < said-time.Millisecond {
			t.Errorf("%05b: a tap waits %v, validate says %v", some, longest, said)
		}
	}
}
