//go:build linux && vm

package vm

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
)

const performed = `
[device]
name = "LPD8"

[[modes]]
name = "Default"
mappings = [
  { name = "tap", trigger = { type = "Note", note = 36 }, action = { type = "Keystroke", keys = "t", modifiers = ["ctrl", "shift"] } },
  { name = "hold", trigger = { type = "Note", note = 37 }, action = { type = "Keystroke", keys = "h", modifiers = ["alt"], hold = true } },
  { name = "shell", trigger = { type = "VelocityRange", note = 38 }, action = { type = "Shell", command = "echo $MIDIMON_MAPPING $MIDIMON_HIT $MIDIMON_VALUE $MIDIMON_MODE >~/performed" } },
  { name = "sequence", trigger = { type = "Note", note = 39 }, action = { type = "Sequence", actions = [
    { type = "Keystroke", keys = "1" }, { type = "Delay", ms = 30 }, { type = "Keystroke", keys = "2", modifiers = ["shift"] }, { type = "Keystroke", keys = "3" },
  ] } },
  { name = "repeat", trigger = { type = "Note", note = 40 }, action = { type = "Repeat", count = 3, delay_ms = 20, action = { type = "Keystroke", keys = "r" } } },
  { name = "until", trigger = { type = "Note", note = 41 }, action = { type = "Repeat", count = 0, cancel = "release", delay_ms = 50, action = { type = "Keystroke", keys = "u" } } },
  { name = "toggle", trigger = { type = "Note", note = 42 }, action = { type = "Toggle", state = "mute", on = { type = "Keystroke", keys = "f1" }, off = { type = "Keystroke", keys = "f2" } } },
  { name = "latch", trigger = { type = "Note", note = 43, button = "latch" }, action = { type = "Keystroke", keys = "l", hold = true } },
  { name = "mode", trigger = { type = "Note", note = 44 }, action = { type = "ModeChange", mode = "Other" } },
  { name = "while", trigger = { type = "Note", note = 45 }, action = { type = "ModeChange", mode = "Other", hold = true } },
  { name = "pad", trigger = { type = "Note", note = 46 }, action = { type = "Keystroke", keys = "a" } },
]

[[modes]]
name = "Other"
mappings = [
  { trigger = { type = "Note", note = 44 }, action = { type = "ModeChange", mode = "Default" } },
  { trigger = { type = "Note", note = 46 }, action = { type = "Keystroke", keys = "b" } },
]

[[global_mappings]]
name = "panic"
trigger = { type = "Note", note = 47 }
action = { type = "Panic" }
`

// TestPerformanceIsReal plays every action of the engine over USB, and looks at the keys.
func TestPerformanceIsReal(t *testing.T) {
	must(t, "rm", "-f", "/home/tester/performed")
	c := plug(t)
	startWith(t, performed, nil)
	b := session(t, "")
	b.await(t, "ConnectedDevices", 20*time.Second, equals("[LPD8]"))
	k := listen(t, "midimon keyboard")
	b.await(t, "State", 20*time.Second, equals("running"))

	c.tap(t, 36, 100)
	k.expect(t, chord)
	c.play(t, noteOn(37, 100)...)
	k.expect(t, "+LEFTALT +H")
	c.play(t, noteOff(37)...)
	k.expect(t, "-H -LEFTALT")

	c.tap(t, 38, 90)
	if got := said(t, "performed"); got != "shell hard 90 Default" {
		t.Errorf("the command was told %q", got)
	}

	before := monotonic()
	c.tap(t, 39, 100)
	keys := k.expect(t, "+1 -1 +LEFTSHIFT +2 -2 -LEFTSHIFT +3 -3")
	if d := keys[2].at - before; d < 50*time.Millisecond { // the first key is down for 20
		t.Errorf("the step after the delay came %v after the press, want 50ms", d)
	}

	c.play(t, noteOn(40, 100)...)
	k.expect(t, "+R -R +R -R +R -R")
	c.play(t, noteOff(40)...)
	c.play(t, noteOn(41, 100)...)
	k.expect(t, "+U -U +U -U") // and on, until
	c.play(t, append(noteOff(41), noteOn(46, 100)...)...)
	k.ends(t, "U", "A")
	c.play(t, noteOff(46)...)

	for _, want := range []string{"+F1 -F1", "+F2 -F2", "+F1 -F1"} {
		c.tap(t, 42, 100)
		k.expect(t, want)
	}

	c.tap(t, 43, 100)
	k.expect(t, "+L")
	c.tap(t, 43, 100)
	k.expect(t, "-L")
	c.tap(t, 43, 100)
	k.expect(t, "+L")
	c.tap(t, 47, 100) // panic
	k.expect(t, "-L")
	c.tap(t, 43, 100) // one press latches anew
	k.expect(t, "+L")
	c.tap(t, 43, 100)
	k.expect(t, "-L")

	c.tap(t, 44, 100)
	b.await(t, "Mode", 20*time.Second, equals("Other"))
	c.tap(t, 46, 100)
	k.expect(t, "+B -B")
	c.tap(t, 44, 100)
	b.await(t, "Mode", 20*time.Second, equals("Default"))
	c.play(t, noteOn(45, 100)...)
	c.tap(t, 46, 100)
	k.expect(t, "+B -B")
	c.play(t, noteOff(45)...)
	c.tap(t, 46, 100)
	k.expect(t, "+A -A")
	k.quiet(t)
}

// ends follows a key that is tapped again and again, until another is tapped: with that one the
// repetition was over, but for the tap in flight.
func (k *keyboard) ends(t *testing.T, again, last string) {
	t.Helper()
	over := time.After(30 * time.Second)
	down, seen := map[string]bool{}, false
	for !seen || len(down) > 0 {
		select {
		case e := <-k.keys:
			s := e.String()
			name := s[1:]
			switch {
			case name != again && name != last, down[name] == (s[0] == '+'), seen && s[0] == '+':
				t.Fatalf("unexpected %v, with %v down, %s seen: %v", e, down, last, seen)
			case s[0] == '-':
				delete(down, name)
			default:
				down[name], seen = true, name == last
			}
		case <-over:
			t.Fatalf("%s is tapped for ever, or %s never; down are %v", again, last, down)
		}
	}
}

// written are the actions that a dry run writes down, by name of their mappings.
var written = []struct{ name, action, more string }{
	{"Keystroke", `keys = "a"`, ""},
	{"Text", `text = "secret"`, `"length":6`},
	{"Launch", `app = "/usr/bin/true"`, `"program":"true"`},
	{"Open", `target = "https://example.org/a?secret"`, `"target":"https://example.org/a"`},
	{"Shell", `command = "true secret"`, `"program":"true"`},
	{"Delay", `ms = 1`, `"ms":1`},
	{"MouseClick", `button = "left"`, `"button":"left"`},
	{"MouseMove", `x = 3, y = -4`, `"x":3,"y":-4`},
	{"Scroll", `y = 2`, `"y":2`},
	{"VolumeControl", `operation = "Up"`, `"operation":"Up"`},
	{"ModeChange", `mode = "B"`, `"target":"B"`},
	{"Toggle", `state = "t", on = { type = "Media", operation = "Play" }`, `"state":"t","on":true`},
	{"Repeat", `count = 2, action = { type = "Media", operation = "Next" }`, `"count":2`},
	{"Conditional", `condition = "Always", then_action = { type = "Media", operation = "Next" }`, `"holds":true`},
	{"SendMidi", `port = "LPD8", message_type = "NoteOn", note = 60, velocity = 9`, `"message":"NoteOn","channel":0,"number":60,"value":9`},
	{"Media", `operation = "Stop"`, `"operation":"Stop"`},
	{"Notify", `summary = "s"`, `"summary":"s"`},
	{"DBusCall", `destination = "org.example.A", path = "/a", interface = "org.example.A", method = "Go"`, `"method":"Go"`},
	{"Emit", `name = "n", value = 5`, `"name":"n","level":5`},
	{"Sequence", `actions = [{ type = "Panic" }]`, ""},
	{"Panic", ``, ""},
}

// TestPerformanceIsWrittenDown plays every kind of action over USB: a dry run has a line of each
// and performs none.
func TestPerformanceIsWrittenDown(t *testing.T) {
	var text strings.Builder
	text.WriteString("[device]\nname = \"LPD8\"\n[[modes]]\nname = \"A\"\n[[modes]]\nname = \"B\"\n")
	for i, w := range written {
		action := strings.TrimSuffix(fmt.Sprintf("type = %q, %s", w.name, w.action), ", ")
		fmt.Fprintf(&text, "[[global_mappings]]\nname = \"m%d\"\ntrigger = { type = \"Note\", note = %d }\naction = { %s }\n", i, 36+i, action)
	}
	c := plug(t)
	p := startWith(t, text.String(), nil, "--dry-run")
	b := session(t, "")
	b.await(t, "ConnectedDevices", 20*time.Second, equals("[LPD8]"))
	for i, w := range written {
		c.tap(t, byte(36+i), 100)
		p.log.await(t, fmt.Sprintf(`"mapping":"m%d",`, i), 20*time.Second)
		p.log.await(t, w.more, 20*time.Second)
	}
	var got []string
	for line := range strings.Lines(p.log.String()) {
		var l struct {
			Mapping, Action string
			Step            int
		}
		if !strings.HasPrefix(line, "{") || json.Unmarshal([]byte(line), &l) != nil || l.Step > 0 {
			continue
		}
		var i int
		if n, err := fmt.Sscanf(l.Mapping, "m%d", &i); n != 1 || err != nil {
			t.Errorf("whose line is %s", line)
			continue
		}
		if w := written[i]; l.Action == w.name {
			got = append(got, l.Action)
			has(t, line, w.more)
		}
	}
	var want []string
	for _, w := range written {
		want = append(want, w.name)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if strings.Contains(p.log.String(), "secret") {
		t.Error("a secret is told")
	}
	if node("midimon keyboard") != "" {
		t.Error("a dry run has a keyboard")
	}
}
