package script_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/script"
)

// small is a configuration whose pad 36 holds Ctrl and whose pad 37 types a key.
const small = `[[global_mappings]]
name = "ctrl"
trigger = { type = "Note", note = 36 }
action = { type = "Keystroke", keys = "ctrl", hold = true }
[[global_mappings]]
trigger = { type = "Note", note = 37 }
action = { type = "Keystroke", keys = "a" }
`

func archive(events, expect string) []byte {
	return []byte("-- config.toml --\n" + small + "-- events --\n" + events + "\n-- expect --\n" + expect + "\n")
}

func run(t *testing.T, events string) []string {
	t.Helper()
	p, err := script.Parse("x", archive(events, ""))
	if err != nil {
		t.Fatal(err)
	}
	got, err := p.Run()
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func TestErrorsName(t *testing.T) {
	for _, tc := range []struct{ events, want string }{
		{"0ms on 128", `x:10: note "128" is no number from 0 to 127`},
		{"0ms on", "x:10: on takes note and velocity"},
		{"0ms cc 1", "x:10: cc takes controller and value"},
		{"0ms start 1", "x:10: start takes nothing"},
		{"0ms off 1 ch 16", `x:10: ch "16" is no number from 0 to 15`},
		{"0ms off 1 port 256", `x:10: port "256" is no number from 0 to 255`},
		{"0ms start ch 1", "x:10: start takes nothing"},
		{"0ms sysex F0 7E", "x:10: sysex takes bytes from F0 to F7"},
		{"0ms dance", `x:10: nothing is called "dance"`},
		{"0ms", "x:10: nothing happens here"},
		{"# so\n\n5 on 1", `x:12: "5" is no time as 80ms or 1.5s`},
		{"5.ms on 1", `x:10: "5.ms" is no time as 80ms or 1.5s`},
		{"-5ms on 1", `x:10: "-5ms" is no time as 80ms or 1.5s`},
		{"1.0000000001s on 1", `x:10: "1.0000000001s" is no time as 80ms or 1.5s`},
		{"99999999s on 1", `x:10: "99999999s" is no time as 80ms or 1.5s`},
		{"1s on 1\n999ms off 1", "x:11: time runs back to 999ms from 1000ms"},
		{"0ms clock Mon 24:00", "x:10: a clock shows a day and time as Mon 09:30"},
		{"0ms clock Mon 9:3", "x:10: a clock shows a day and time as Mon 09:30"},
		{"0ms clock day 09:30", "x:10: a clock shows a day and time as Mon 09:30"},
		{"0ms mode", "x:10: mode takes 1 word(s)"},
		{"0ms panic now", "x:10: panic takes nothing"},
		{"0ms focus a b", "x:10: focus takes 0 to 1 words"},
		{"0ms cycle x", `x:10: "x" is no number of steps`},
		{"0ms toggle a b", "x:10: a toggle is on or off"},
		{`0ms mode "a`, "x:10: a quote does not end"},
		{strings.Repeat("0ms dance\n", 30), "x:30: more errors are not shown"},

		// These are seen only when they happen.
		{"0ms mode Gone", `x:10: there is no mode "Gone"`},
		{"0ms hold-mode Gone", `x:10: there is no mode "Gone"`},
		{"0ms release-mode", "x:10: no such mode is held"},
		{"0ms reload gone.toml", `x:10: there is no configuration "gone.toml"`},
		{"0ms disable gone", `x:10: there is no mapping "gone"`},
		{"0ms trigger gone", `x:10: there is no mapping "gone"`},
	} {
		p, err := script.Parse("x", archive(tc.events, ""))
		if err == nil {
			_, err = p.Run()
		}
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%q: got %v, want %s", tc.events, err, tc.want)
		}
	}
}

func TestArchivesThatAreNone(t *testing.T) {
	for text, want := range map[string]string{
		"":                                     `x: there is no file "events"`,
		"-- events --\n-- events --\n":         `x:2: there are two files "events"`,
		"so\n-- a.toml --\n[b\n-- events --\n": "x:3:",
		"-- events --\n-- expect --\n5ms\n":    "x:3: nothing is expected here",
		"-- events --\n-- expect --\nx y\n":    `x:3: "x" is no time`,
	} {
		if _, err := script.Parse("x", []byte(text)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", text, err, want)
		}
	}
	p, err := script.Parse("x", []byte("-- events --\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.Run(); err == nil || err.Error() != "x: there is no config.toml" {
		t.Errorf("got %v", err)
	}
}

// TestAllEventsAreRead reads every word there is and writes it again.
func TestAllEventsAreRead(t *testing.T) {
	const events = `0ms on 36 1
1ms off 36 ch 2
1.5ms cc 1 127 ch 15 port 3
2ms bend 16383
2ms pressure 4 port 1
2ms poly 1 2
2ms program 9
3ms start
3ms continue port 2
3ms stop
3ms sysex F0 7E 00 F7
4ms overrun
4ms lost port 1
4ms attach port 1
5ms mode "Ableton Mixer"
5ms cycle -1
5ms hold-mode A
5ms release-mode
5ms release-mode A
6ms pause
6ms resume
6ms inhibit
6ms uninhibit
6ms lock
6ms unlock
6ms inactive
6ms active
7ms focus org.gnome.Terminal
7ms focus ?
7ms focus
7ms clock Sun 23:59
7ms running a "b  c"
7ms present
8ms reload "#2.toml"
8ms enable a
8ms disable "modes[0].mappings[1]\n"
8ms trigger a
8ms toggle x off
9ms refuse
9ms panic
9ms stopping
9ms sink-lost
0.001s advance
`
	text := strings.ReplaceAll(events, "0.001s", "9.000001ms")
	p, err := script.Parse("x", archive(text, "1s a  # a comment\n# one more\n0.25ms b   c\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := string(p.Format())
	want := string(archive(strings.TrimSuffix(text, "\n"), "1000ms a\n0.25ms b c"))
	if got != want {
		t.Error(script.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")))
	}
}

func TestMessageIsAnEvent(t *testing.T) {
	p := script.Performance{Name: "x", Events: []script.Event{
		script.Message(&engine.Input{At: 5 * time.Millisecond, Port: 2, Message: engine.Message{Kind: engine.PitchBend, Channel: 3, Value: 8192}}),
		script.Message(&engine.Input{At: time.Second, Message: engine.Message{Kind: engine.SysEx, Data: []byte{0xF0, 1, 0xF7}}}),
	}}
	const want = "-- events --\n5ms bend 8192 ch 3 port 2\n1000ms sysex F0 01 F7\n-- expect --\n"
	if got := string(p.Format()); got != want {
		t.Errorf("got %s", got)
	}
}

func TestUpdate(t *testing.T) {
	text := archive("0ms on 36 # and why", "1s old")
	got, err := script.Update(text, []string{"2ms new"})
	if want := bytes.Replace(text, []byte("1s old"), []byte("2ms new"), 1); err != nil || !bytes.Equal(got, want) {
		t.Errorf("got %s, %v", got, err)
	}
	if _, err := script.Update(append([]byte("So.\n# hand\n"), text...), nil); !errors.Is(err, script.ErrByHand) {
		t.Errorf("got %v", err)
	}
	if got, err := script.Update([]byte("-- events --\n"), []string{"1ms a"}); err != nil || string(got) != "-- events --\n-- expect --\n1ms a\n" {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestDiff(t *testing.T) {
	lines := func(s string) []string { return strings.Split(s, " ") }
	for _, tc := range []struct{ want, got, diff string }{
		{"a b", "a b", ""},
		{"a b c d e x f g h i", "a b c d e y z f g h i", "  c|  d|  e|- x|+ y|+ z|  f|  g|  h|"},
		{"a a", "a a a", "  a|  a|+ a|"},
		{"a", "b", "- a|+ b|"},
	} {
		if got := strings.ReplaceAll(script.Diff(lines(tc.want), lines(tc.got)), "\n", "|"); got != tc.diff {
			t.Errorf("%s against %s: got %s, want %s", tc.got, tc.want, got, tc.diff)
		}
	}
}

func TestKeysStillDownAreSaid(t *testing.T) {
	got := run(t, "0ms on 36\n10ms on 37")
	want := []string{
		"0ms ctrl Keystroke", "0ms down ctrl", "10ms global_mappings[1] Keystroke", "10ms down a", "10ms held ctrl+a",
	}
	if !slices.Equal(got, want) {
		t.Error(script.Diff(want, got))
	}
}

func TestRefusedKeysAreNotReleased(t *testing.T) {
	got := run(t, "0ms refuse\n0ms on 36\n10ms off 36\n20ms on 36\n30ms off 36")
	want := []string{
		"0ms ctrl Keystroke", "0ms refused down ctrl (queue-full)", "20ms ctrl Keystroke", "20ms down ctrl", "30ms up ctrl (mapping)",
	}
	if !slices.Equal(got, want) {
		t.Error(script.Diff(want, got))
	}
}

// FuzzParse: whatever is read can be written, and then reads the same; what runs does not panic.
func FuzzParse(f *testing.F) {
	f.Add(archive("0ms on 36\n1.5ms off 36 ch 1 port 2\n8ms mode \"a b\" # so\n9ms sysex F0 F7", "5ms a # b\n"))
	f.Add(archive("0ms hold-mode Default\n1ms release-mode\n2ms reload config.toml\n3ms lock\n3ms refuse\n4ms on 36\n5ms sink-lost", ""))
	f.Add([]byte("a\n# hand\n-- events --\r\n0us advance\r\n-- expect --\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := script.Parse("x", text)
		if err != nil {
			return
		}
		first := p.Format()
		q, err := script.Parse("x", first)
		if err != nil {
			t.Fatalf("%v in\n%s", err, first)
		}
		if second := q.Format(); !bytes.Equal(first, second) {
			t.Fatalf("first\n%s\nthen\n%s", first, second)
		}
		if n := len(p.Events); n > 0 && p.Events[n-1].At < time.Minute && len(p.Configs) > 0 {
			_, _ = p.Run() // it may fail, for a name that is not there, and must not panic
		}
	})
}
