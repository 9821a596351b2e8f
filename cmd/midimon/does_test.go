package main

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
)

func TestEveryActionIsTold(t *testing.T) {
	missing := map[string]bool{}
	files, _ := filepath.Glob("../../engine/effect/*.go")
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func \(\*?(?:\w+ )?\*?(\w+)\) Type\(\) string`).FindAllSubmatch(text, -1) {
			missing[string(m[1])] = true
		}
	}
	if len(missing) < 20 {
		t.Fatalf("only %d types of action found", len(missing))
	}
	key := &effect.Keystroke{Keys: "t", Modifiers: []string{"ctrl"}}
	for _, c := range []struct {
		x    effect.Effect
		want string
	}{
		{effect.Effect{Action: key}, "taps Ctrl+T"},
		{effect.Effect{Action: &effect.Keystroke{Keys: "+", Hold: true}}, "holds +"},
		{effect.Effect{Action: &effect.MouseClick{Button: "left"}}, "taps the left button"},
		{effect.Effect{Action: &effect.Text{Text: "hunter2 ä"}}, "types 9 characters"},
		{effect.Effect{Action: &effect.MouseMove{X: 1, Y: -2, Absolute: true}}, "puts the pointer at 1, -2"},
		{effect.Effect{Action: &effect.MouseMove{X: 1, Y: -2}, Steps: -3}, "moves the pointer by -3, 6"},
		{effect.Effect{Action: &effect.Scroll{Y: 1}}, "scrolls by 0, 1"},
		{effect.Effect{Action: &effect.Launch{App: "/hunter2/tool"}}, "starts tool"},
		{effect.Effect{Action: &effect.Open{Target: "https://a.b/?hunter2"}}, "opens https://a.b/"},
		{effect.Effect{Action: &effect.Shell{Command: "mail hunter2"}}, "runs mail"},
		{effect.Effect{Action: &effect.VolumeControl{Step: 10}}, "volume by +10 %"},
		{effect.Effect{Action: &effect.VolumeControl{Step: 10}, Steps: -2}, "volume by -20 %"},
		{effect.Effect{Action: &effect.VolumeControl{Step: 2.5, Operation: effect.VolumeDown}}, "volume by -2.5 %"},
		{effect.Effect{Action: &effect.VolumeControl{Operation: effect.VolumeSet, Input: true}, Level: 40}, "microphone to 40 %"},
		{effect.Effect{Action: &effect.VolumeControl{Operation: effect.VolumeMute}}, "volume mute"},
		{effect.Effect{Action: &effect.Media{Operation: "Next"}}, "tells the player: Next"},
		{effect.Effect{Action: &effect.Notify{Summary: "tea", Body: "hunter2"}}, "notifies of tea"},
		{effect.Effect{Action: &effect.DBusCall{Member: "Quit", Args: []any{"hunter2"}}}, "calls Quit"},
		{effect.Effect{Action: &effect.Emit{Name: "n", Text: "t"}}, "says n t"},
		{effect.Effect{Action: &effect.Emit{Name: "n"}, Level: 0.25}, "says n 0.25"},
		{effect.Effect{Action: &effect.SendMidi{Port: "synth"}}, "sends NoteOn to synth"},
		{effect.Effect{Action: &effect.Panic{}}, "lets go of everything"},
		{effect.Effect{Action: &effect.Sequence{Actions: []effect.Action{key}}}, "begins 1 steps"},
		{effect.Effect{Action: &effect.Repeat{Count: 3}}, "repeats 3 times"},
		{effect.Effect{Action: &effect.Repeat{Cancel: effect.CancelRelease}}, "repeats until release"},
		{effect.Effect{Action: &effect.Delay{For: time.Second}}, "waits 1000 ms"},
		{effect.Effect{Action: &effect.Toggle{State: "s"}, Level: 1}, "switches s on"},
		{effect.Effect{Action: &effect.Toggle{State: "s"}}, "switches s off"},
		{effect.Effect{Action: &effect.Conditional{}, Level: 1}, "holds"},
		{effect.Effect{Action: &effect.Conditional{}}, "does not hold"},
		{effect.Effect{Action: &effect.ModeChange{Mode: "M"}}, "changes to mode M"},
		{effect.Effect{Action: &effect.ModeChange{Mode: "M", Hold: true}}, "holds mode M"},
		{effect.Effect{Action: &effect.ModeChange{Step: 1}}, "goes 1 modes on"},
	} {
		delete(missing, c.x.Action.Type())
		if got := does(&c.x); got != c.want {
			t.Errorf("%s: %q, want %q", c.x.Action.Type(), got, c.want)
		}
	}
	for name := range missing {
		t.Errorf("no %s is tried", name)
	}
}

// What is let go of need not be a keystroke.
func TestEndOfWhatWasHeldIsTold(t *testing.T) {
	var out bytes.Buffer
	tell := &teller{program: &engine.Program{}, now: func() time.Duration { return 0 }, out: &out}
	for _, a := range []effect.Action{&effect.Keystroke{Keys: "a"}, &effect.MouseClick{Button: "left"}, &effect.SendMidi{Port: "synth", Number: 60}} {
		if err := tell.Do(&effect.Effect{Kind: effect.KeyUp, Cause: effect.ByMapping, Origin: &effect.Origin{ID: "id"}, Action: a}); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"lets go of A ", "lets go of the left button", "lets go of note 60 at synth"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("no %q in %s", want, out.String())
		}
	}
}

func TestHowHardAHitWasIsTold(t *testing.T) {
	var out bytes.Buffer
	tell := &teller{program: &engine.Program{}, now: func() time.Duration { return 0 }, out: &out}
	if err := tell.Do(&effect.Effect{Kind: effect.Act, Action: &effect.Panic{}, Hit: effect.Soft}); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "lets go of everything, soft hit ") {
		t.Errorf("not told: %s", out.String())
	}
}
