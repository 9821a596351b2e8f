package dryrun_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/service/dryrun"
)

// actions is an effect of every type of action and the fields that its line has of its own.
// What must not be shown contains "hunter2".
var actions = []struct {
	x    effect.Effect
	want string
}{
	{effect.Effect{Action: &effect.Keystroke{Keys: "t", Modifiers: []string{"ctrl"}, Hold: true}}, `"keys":"t","modifiers":["ctrl"],"hold":true`},
	{effect.Effect{Action: &effect.Text{Text: "hunter2 ä"}}, `"length":9`},
	{effect.Effect{Action: &effect.MouseClick{Button: "left"}}, `"button":"left","hold":false`},
	{effect.Effect{Action: &effect.MouseClick{Button: "left", Hold: true, Place: &effect.Place{Y: 2}}}, `"button":"left","hold":true,"x":0,"y":2`},
	{effect.Effect{Action: &effect.MouseMove{X: -1, Y: 2}, Steps: -3}, `"steps":-3,"x":-1,"y":2,"absolute":false`},
	{effect.Effect{Action: &effect.Scroll{Y: 1}}, `"x":0,"y":1`},
	{effect.Effect{Action: &effect.Launch{App: "/home/hunter2/tool", Args: []string{"hunter2"}}}, `"program":"tool"`},
	{effect.Effect{Action: &effect.Open{Target: "https://example.org/a?hunter2"}}, `"target":"https://example.org/a"`},
	{effect.Effect{Action: &effect.Shell{Command: "mail hunter2", Timeout: time.Second}}, `"program":"mail"`},
	{effect.Effect{Action: &effect.VolumeControl{Step: 5}, Steps: 2}, `"steps":2,"operation":"Up","target":"output","by":5`},
	{
		effect.Effect{Action: &effect.VolumeControl{Operation: effect.VolumeSet, Input: true, App: "focused"}, Level: 62.5},
		`"operation":"Set","target":"input","app":"focused","level":62.5`,
	},
	{effect.Effect{Action: &effect.VolumeControl{Operation: effect.VolumeMute, Device: "usb"}}, `"operation":"Mute","target":"output","device":"usb"`},
	{effect.Effect{Action: &effect.Media{Operation: "Next"}}, `"operation":"Next"`},
	{effect.Effect{Action: &effect.Media{Operation: "Play", Player: "mpv"}}, `"operation":"Play","player":"mpv"`},
	{
		effect.Effect{Action: &effect.Notify{Summary: "s", Body: "hunter2", Icon: "i", Slot: "v", Timeout: time.Second}},
		`"summary":"s","icon":"i","slot":"v","timeout_ms":1000`,
	},
	{
		effect.Effect{Action: &effect.DBusCall{Destination: "d.d", Path: "/p", Interface: "i.i", Member: "M", Args: []any{"hunter2"}}},
		`"bus":"session","destination":"d.d","path":"/p","interface":"i.i","method":"M","args":1`,
	},
	{
		effect.Effect{Action: &effect.DBusCall{System: true, Args: []any{"hunter2", &effect.Value{}}}, Level: 0.5},
		`"bus":"system","destination":"","path":"","interface":"","method":"","args":2,"level":0.5`,
	},
	{effect.Effect{Action: &effect.Emit{Name: "n", Text: "t"}}, `"name":"n","text":"t"`},
	{effect.Effect{Action: &effect.Emit{Name: "n"}}, `"name":"n","level":0`},
	{effect.Effect{Action: &effect.SendMidi{Port: "p", Channel: 9, Number: 60}, Level: 99.6}, `"port":"p","message":"NoteOn","channel":9,"number":60,"value":100`},
	{
		effect.Effect{Action: &effect.SendMidi{Port: "p", Hold: true}, Level: 1},
		`"port":"p","message":"NoteOn","channel":0,"number":0,"value":1,"hold":true`,
	},
	{effect.Effect{Action: &effect.SendMidi{Port: "p", Message: effect.SendPitchBend}, Level: -8192}, `"port":"p","message":"PitchBend","channel":0,"value":-8192`},
	{effect.Effect{Action: &effect.SendMidi{Port: "p", Message: effect.SendProgramChange, Number: 3}}, `"port":"p","message":"ProgramChange","channel":0,"number":3`},
	{effect.Effect{Action: &effect.SendMidi{Port: "p", Message: effect.SendSysEx, Data: []byte{0xf0, 0xf7}}}, `"port":"p","message":"SysEx","length":2`},
	{effect.Effect{Action: &effect.SendMidi{Port: "p", Message: effect.SendStart}}, `"port":"p","message":"Start"`},
	{effect.Effect{Action: &effect.Panic{}}, ``},
	{effect.Effect{Action: &effect.Sequence{}}, ``},
	{effect.Effect{Action: &effect.Repeat{Count: 2, Delay: time.Second}}, `"count":2,"delay_ms":1000`},
	{effect.Effect{Action: &effect.Delay{For: time.Second}, Step: 2}, `"step":2,"ms":1000`},
	{effect.Effect{Action: &effect.Toggle{State: "s"}, Level: 1}, `"state":"s","on":true`},
	{effect.Effect{Action: &effect.Toggle{State: "s"}}, `"state":"s","on":false`},
	{effect.Effect{Action: &effect.Conditional{}, Level: 1}, `"holds":true`},
	{effect.Effect{Action: &effect.Conditional{}}, `"holds":false`},
	{effect.Effect{Action: &effect.ModeChange{Mode: "M", Hold: true}}, `"target":"M","hold":true`},
	{effect.Effect{Action: &effect.ModeChange{Step: -1}}, `"by":-1`},
	{effect.Effect{Kind: effect.KeyUp, Action: &effect.SendMidi{Port: "p", Hold: true}}, `"port":"p","message":"NoteOn","channel":0,"number":0,"hold":true`},
}

func TestEveryActionHasItsLine(t *testing.T) {
	missing := types(t)
	for _, c := range actions {
		delete(missing, c.x.Action.Type())
		var out bytes.Buffer
		if err := dryrun.New(&out).Do(&c.x); err != nil {
			t.Fatal(err)
		}
		kind := c.x.Action.Type()
		if c.x.Kind == effect.KeyUp {
			kind = "KeyUp"
		}
		want := `{"at_us":0,"mapping":"","label":"","mode":"","action":"` + kind + `"`
		if c.want != "" {
			want += "," + c.want
		}
		if got := out.String(); got != want+"}\n" {
			t.Errorf("got  %swant %s}", got, want)
		}
		if strings.Contains(out.String(), "hunter2") {
			t.Errorf("shown: %s", out.String())
		}
		once(t, out.Bytes())
	}
	for name := range missing {
		t.Errorf("no line of %s is tried", name)
	}
}

// types are the types of action that there are.
func types(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	files, err := filepath.Glob("../../engine/effect/*.go")
	if err != nil || len(files) == 0 {
		t.Fatal("no types of action", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`(?m)^func \(\*?(?:\w+ )?\*?(\w+)\) Type\(\) string`).FindAllSubmatch(text, -1) {
			all[string(m[1])] = true
		}
	}
	if len(all) < 20 {
		t.Fatalf("only %d types of action found", len(all))
	}
	return all
}

// once checks that no key of a line is there twice.
func once(t *testing.T, line []byte) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(line))
	seen := map[any]bool{}
	if _, err := d.Token(); err != nil {
		t.Fatal(err)
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			t.Fatal(err)
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			t.Fatal(err)
		}
		if seen[key] {
			t.Errorf("%v is there twice: %s", key, line)
		}
		seen[key] = true
	}
}
