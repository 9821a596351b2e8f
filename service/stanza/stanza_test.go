package stanza_test

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/stanza"
)

const before = `# mine
[[modes]]
name = "Desk" # where I work
[[modes.mappings]]
name = "old"
trigger = { type = "Note", note = 1 }
action = { type = "Panic" }
`

func file(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
	return path
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

var learned = stanza.Mapping{
	"action": map[string]any{
		"type": "Sequence", "actions": []any{
			map[string]any{"type": "Text", "text": "say \"hi\" = \n\\ ü # ]"},
			map[string]any{"type": "Delay", "ms": 50},
		},
	},
	"trigger": map[string]any{"note": 36, "type": "Note", "velocity_min": 1, "device": "LPD8 = [x]"},
	"name":    "learned", "enabled": true, "max_rate": 2.5,
}

const devices = "\n[[devices]]\nname = \"LPD8 = [x]\"\nmatch = \"name:LPD8*\"\n"

func TestAppend(t *testing.T) {
	path := file(t, before+devices, 0o640)
	if err := stanza.Append(path, "Desk", learned, nil); err != nil {
		t.Fatal(err)
	}
	want := before + `
[[modes.mappings]]
name = "learned"
enabled = true
max_rate = 2.5
trigger = { type = "Note", device = "LPD8 = [x]", note = 36, velocity_min = 1 }
action = { type = "Sequence", actions = [{ type = "Text", text = "say \"hi\" = \n\\ ü # ]" }, { type = "Delay", ms = 50 }] }
` + devices
	if got := read(t, path); got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
	if got := read(t, path+stanza.Backup); got != before+devices {
		t.Errorf("backup:\n%s", got)
	}
	for _, p := range []string{path, path + stanza.Backup} {
		if fi, err := os.Stat(p); err != nil || fi.Mode().Perm() != 0o640 {
			t.Errorf("%s: %v, %v", p, fi.Mode(), err)
		}
	}
	p, _ := config.Load(path, []byte(read(t, path)))
	s, ok := p.Mappings[1].Action.(*effect.Sequence)
	if !ok || !reflect.DeepEqual(s.Actions[0], effect.Action(&effect.Text{Text: "say \"hi\" = \n\\ ü # ]"})) {
		t.Errorf("%+v", p.Mappings[1].Action)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 2 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestReplaceThroughALink(t *testing.T) {
	path := file(t, before, 0o600)
	link := filepath.Join(t.TempDir(), "config.toml")
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	m := stanza.Mapping{"trigger": map[string]any{"type": "CC", "cc": 7}, "action": map[string]any{"type": "Panic"}}
	if err := stanza.Replace(link, "old", m, nil); err != nil {
		t.Fatal(err)
	}
	want := strings.Replace(before, "name = \"old\"\ntrigger = { type = \"Note\", note = 1 }", "trigger = { type = \"CC\", cc = 7 }", 1)
	if got := read(t, path); got != want {
		t.Errorf("%s\nwant:\n%s", got, want)
	}
	if to, err := os.Readlink(link); err != nil || to != path {
		t.Error(to, err)
	}
	if got := read(t, path+stanza.Backup); got != before {
		t.Errorf("backup:\n%s", got)
	}
}

func TestRefused(t *testing.T) {
	good := stanza.Mapping{"trigger": map[string]any{"type": "CC", "cc": 7}, "action": map[string]any{"type": "Panic"}}
	writing := func(*os.File) (bool, bool) { return false, true }
	for _, c := range []struct {
		name, path, mode, want string
		m                      stanza.Mapping
		guard                  func(*os.File) (bool, bool)
	}{
		{"no file", filepath.Join(t.TempDir(), "none"), "", "no such file", good, nil},
		{"not to be trusted", file(t, before, 0o602), "", "written by everybody", good, nil},
		{"broken", file(t, "modes = 1", 0o600), "", "has errors", good, nil},
		{"no such mode", file(t, before, 0o600), "Sofa", "no mode", good, nil},
		{"being written", file(t, before, 0o600), "", "still writes", good, writing},
		{"no value", file(t, before, 0o600), "", "unsupported", stanza.Mapping{"trigger": map[string]any{"x": make(chan int)}}, nil},
		{"nothing", file(t, before, 0o600), "", "not right", stanza.Mapping{}, nil},
	} {
		was, _ := os.ReadFile(c.path)
		err := stanza.Append(c.path, c.mode, c.m, c.guard)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), c.path) {
			t.Errorf("%s: %v, want %q", c.name, err, c.want)
		}
		if is, _ := os.ReadFile(c.path); string(is) != string(was) {
			t.Errorf("%s: it was written", c.name)
		}
		if _, err := os.Stat(c.path + stanza.Backup); err == nil {
			t.Errorf("%s: there is a backup of nothing", c.name)
		}
	}
	if err := stanza.Append(file(t, before, 0o602), "", good, nil); !errors.Is(err, report.ErrConfigUnreadable) {
		t.Error(err)
	}
}

// TestChangedMeanwhile: what somebody else saved while we worked is not lost.
func TestChangedMeanwhile(t *testing.T) {
	path := file(t, before, 0o600)
	other := before + "# theirs\n"
	guard := func(*os.File) (bool, bool) { // called while it is read
		if err := errors.Join(os.WriteFile(path+".new", []byte(other), 0o600), os.Rename(path+".new", path)); err != nil {
			t.Fatal(err)
		}
		return true, false
	}
	m := stanza.Mapping{"trigger": map[string]any{"type": "CC", "cc": 7}, "action": map[string]any{"type": "Panic"}}
	if err := stanza.Append(path, "", m, guard); err == nil || !strings.Contains(err.Error(), "meanwhile") {
		t.Error(err)
	}
	if got := read(t, path); got != other {
		t.Errorf("%s", got)
	}
}
