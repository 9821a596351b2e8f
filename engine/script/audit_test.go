package script_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/script"
)

// The golden scripts are complete: what follows names those that there must be.

// on one control.
var gestures = []string{"tap", "hold", "hold2", "double", "triple", "chord", "release", "eager", "range", "latch", "toggle"}

// disturbances are what may come between a press and its end, and situations what is under way.
var (
	disturbances = []string{"inactive", "inhibit", "lock", "mode-change", "overrun", "panic", "pause", "port-lost", "reload", "sink-lost", "stopping"}
	situations   = []string{
		"chord", "eager-key", "held-by-chord", "held-by-double", "held-by-hold", "hold", "key", "latch", "mode", "note", "repeat", "second-tap",
		"sequence", "tap", "tap-or-hold",
	}
)

// read reads a script that must be there.
func read(t *testing.T, path string) *script.Performance {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", filepath.FromSlash(path)+".txtar"))
	if err != nil {
		t.Error(err)
		return &script.Performance{}
	}
	p, err := script.Parse(path, text)
	if err != nil {
		t.Error(err)
		return &script.Performance{}
	}
	return p
}

// TestEveryRowOfTheTable: each has a script whose expectation was written by hand.
func TestEveryRowOfTheTable(t *testing.T) {
	text, err := os.ReadFile("../gesture/doc.go")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), "//\tit may be")
	body, _, _ := strings.Cut(rest, "\n//\n")
	n := 0
	for _, line := range strings.Split(body, "\n")[1:] {
		may, _, _ := strings.Cut(strings.TrimPrefix(line, "//\t"), "  ")
		for _, name := range scriptsOf(may) {
			n++
			if p := read(t, "gestures/row/"+name); !p.ByHand() || len(p.Events) == 0 {
				t.Errorf("%s: not written by hand", name)
			}
		}
	}
	if n != 16 {
		t.Errorf("%d rows", n)
	}
}

// scriptsOf are the scripts of a row.
func scriptsOf(may string) []string {
	if strings.HasPrefix(may, "chords AB") {
		return []string{"chord-in-chord"}
	}
	words := strings.Split(strings.ReplaceAll(may, "taps", "double"), ", ")
	n := len(words) - 1
	if words[n] != "any" {
		return []string{strings.Join(words, "-")}
	}
	before := words[:n-2]
	return []string{
		strings.Join(slices.Concat(before, words[n-2:n-1]), "-"),
		strings.Join(slices.Concat(before, words[n-1:n]), "-"),
		strings.Join(slices.Concat(before, words[n-2:n]), "-"),
	}
}

// TestEveryPair: any two gestures of one control meet, undisturbed and with a release, another
// mode, a reload and a panic between.
func TestEveryPair(t *testing.T) {
	for i, a := range gestures {
		for _, b := range gestures[i+1:] {
			read(t, fmt.Sprintf("gestures/pair/%s-%s", a, b))
			p := read(t, fmt.Sprintf("interplay/pair/%s-%s", a, b))
			for _, verb := range []string{"off", "mode", "reload", "panic"} {
				if !slices.ContainsFunc(p.Events, func(ev script.Event) bool { return ev.Verb == verb }) {
					t.Errorf("%s and %s: no %s", a, b, verb)
				}
			}
		}
	}
}

func TestEveryDisturbance(t *testing.T) {
	for _, d := range disturbances {
		for _, s := range situations {
			read(t, "interplay/"+d+"/"+s)
		}
	}
}

// TestEveryTriggerAndAction: each acts in some script of its folder, and all of an action's
// kinds do.
func TestEveryTriggerAndAction(t *testing.T) {
	triggers, actions := map[string]bool{}, map[string]bool{}
	err := filepath.WalkDir("testdata", func(path string, _ fs.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".txtar" {
			return err
		}
		name := strings.TrimSuffix(strings.TrimPrefix(filepath.ToSlash(path), "testdata/"), ".txtar")
		if strings.HasPrefix(name, "compat/") {
			return nil
		}
		p := read(t, name)
		for _, line := range p.Expect {
			acts(p, line, triggers, actions)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range engine.TriggerTypes {
		if !triggers[name] {
			t.Errorf("no script fires %s", name)
		}
	}
	want := slices.Concat(strings.Fields("Keystroke Text Launch Open Shell Sequence Delay MouseClick MouseMove Scroll Toggle Repeat Conditional Notify DBusCall Emit Panic ModeChange"),
		prefixed("VolumeControl ", effect.VolumeOperations), prefixed("Media ", effect.MediaOperations), prefixed("SendMidi ", effect.MidiKinds))
	for _, name := range want {
		if !actions[name] {
			t.Errorf("no script performs %s", name)
		}
	}
}

func prefixed(prefix string, words []string) []string {
	var all []string
	for _, w := range words {
		all = append(all, prefix+w)
	}
	return all
}

// acts notes which trigger and action a line of an expectation is about, if it is about one.
func acts(p *script.Performance, line string, triggers, actions map[string]bool) {
	words := strings.Fields(line)
	if len(words) < 3 {
		return
	}
	id, _, step := strings.Cut(words[1], ".")
	actions[words[2]] = true
	if len(words) > 3 {
		actions[words[2]+" "+words[3]] = true
	}
	if step {
		return
	}
	for _, c := range p.Configs {
		for i := range c.Program.Mappings {
			if m := &c.Program.Mappings[i]; m.ID == id {
				triggers[m.Trigger.Type.String()] = true
			}
		}
	}
}
