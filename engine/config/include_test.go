package config_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

// folder is files by name.
type folder map[string]string

// load reads the file main.toml in /c and returns the program and the diagnostics as
// file:line:column: code.
func (f folder) load(t *testing.T) (*included, []string) {
	t.Helper()
	opened := []string{}
	p, s, diagnostics := config.LoadAll("/c/main.toml", []byte(f["/c/main.toml"]), func(path string) ([]byte, error) {
		opened = append(opened, path)
		text, ok := f[path]
		if !ok {
			return nil, errors.New("there is no such file")
		}
		return []byte(text), nil
	})
	var said []string
	for _, d := range diagnostics {
		said = append(said, fmt.Sprintf("%s:%d:%d: %s", d.File, d.Line, d.Column, d.Code))
	}
	out := &included{settings: s, opened: opened, diagnostics: diagnostics}
	if p == nil {
		return out, said
	}
	for _, m := range p.Modes {
		out.modes = append(out.modes, m.Name+" "+m.Color+" "+strings.Join(m.Apps, ","))
	}
	for _, m := range p.Mappings {
		out.mappings = append(out.mappings, fmt.Sprintf("%d %s", m.Mode, m.ID))
	}
	for _, d := range p.Devices {
		out.devices = append(out.devices, d.Name)
	}
	out.chord, out.hold = p.Timing.Chord.Milliseconds(), p.Timing.Hold.Milliseconds()
	return out, said
}

type included struct {
	modes, mappings, devices, opened []string
	settings                         config.Settings
	chord, hold                      int64
	diagnostics                      []report.Diagnostic
}

const panics = "trigger = { type = \"Note\", note = %d }\naction = { type = \"Panic\" }\n"

func TestInclude(t *testing.T) {
	f := folder{
		"/c/main.toml": "include = [\"parts/a.toml\", \"/other/b.toml\"]\n[advanced_settings]\nchord_timeout_ms = 10\n" +
			"[[devices]]\nname = \"D\"\nmatch = \"serial:1\"\n" +
			"[[modes]]\nname = \"One\"\napps = [\"x\"]\n[[modes.mappings]]\n" + fmt.Sprintf(panics, 1) + "[[global_mappings]]\n" + fmt.Sprintf(panics, 2),
		"/c/parts/a.toml": "include = [\"b.toml\"]\nadvanced_settings = { chord_timeout_ms = 20, hold_threshold_ms = 700 }\nlogging.level = \"debug\"\n" +
			"[[modes]]\nname = \"Two\"\n[[modes.mappings]]\n" + fmt.Sprintf(panics, 3) +
			"[[modes]]\nname = \"One\"\ncolor = \"red\"\napps = [\"y\"]\n[[modes.mappings]]\n" + fmt.Sprintf(panics, 4) +
			"[[modes.mappings]]\nname = \"named\"\n" + fmt.Sprintf(panics, 5),
		"/c/parts/b.toml": "logging.level = \"error\"\nadvanced_settings.hold_threshold_ms = 900\n[[global_mappings]]\n" +
			"trigger = { type = \"Note\", note = 6, device = \"D\" }\naction = { type = \"ModeChange\", mode = \"Two\" }\n",
		"/other/b.toml": "[[devices]]\nname = \"E\"\nmatch = \"serial:2\"\n[[modes]]\nname = \"Two\"\ncolor = \"blue\"\n[[modes.mappings]]\n" + fmt.Sprintf(panics, 7),
	}
	got, said := f.load(t)
	if len(said) != 0 {
		t.Fatal(said)
	}
	for what, c := range map[string]struct{ got, want []string }{
		"opened":  {got.opened, []string{"/c/parts/a.toml", "/c/parts/b.toml", "/other/b.toml"}},
		"modes":   {got.modes, []string{"One red x,y", "Two blue "}},
		"devices": {got.devices, []string{"D", "E"}},
		"mappings": {got.mappings, []string{
			"0 modes[0].mappings[0]", "0 modes[0].mappings[1]", "0 named", "1 modes[1].mappings[0]", "1 modes[1].mappings[1]",
			"-1 global_mappings[0]", "-1 global_mappings[1]",
		}},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s %q, want %q", what, c.got, c.want)
		}
	}
	// What a file says holds before what it includes says, and that before what comes later.
	if got.chord != 10 || got.hold != 700 || got.settings.LogLevel != "debug" {
		t.Errorf("chord %d, hold %d, level %q", got.chord, got.hold, got.settings.LogLevel)
	}
}

func TestIncludeOnce(t *testing.T) {
	f := folder{
		"/c/main.toml":   "include = [\"a.toml\", \"b.toml\"]\n",
		"/c/a.toml":      "include = [\"common.toml\"]\n",
		"/c/b.toml":      "include = [\"./x/../common.toml\"]\n",
		"/c/common.toml": "[[global_mappings]]\n" + fmt.Sprintf(panics, 1),
	}
	if got, said := f.load(t); len(said) != 0 || len(got.mappings) != 1 {
		t.Errorf("%v, %v", got, said)
	}
}

func TestIncludeFaults(t *testing.T) {
	deep := folder{}
	for i := range 9 {
		deep[fmt.Sprintf("/c/%d.toml", i)] = fmt.Sprintf("include = [\"%d.toml\"]\n", i+1)
	}
	many := folder{"/c/main.toml": "include = ["}
	for i := range 65 {
		many["/c/main.toml"] += fmt.Sprintf("\n\"%d.toml\",", i)
		many[fmt.Sprintf("/c/%d.toml", i)] = ""
	}
	many["/c/main.toml"] += "]"
	deep["/c/main.toml"] = "include = [\"0.toml\"]"
	for name, c := range map[string]struct {
		folder
		want []string
	}{
		"itself":     {folder{"/c/main.toml": "include = [\"main.toml\"]"}, []string{"/c/main.toml:1:12: include-cycle"}},
		"each other": {folder{"/c/main.toml": "include = [\"a.toml\"]", "/c/a.toml": "\ninclude = [\n\"../c/main.toml\"]"}, []string{"/c/a.toml:3:1: include-cycle"}},
		"not there":  {folder{"/c/main.toml": "include = [\"a.toml\", \"\", 5]"}, []string{"/c/main.toml:1:12: include-unreadable", "/c/main.toml:1:22: empty", "/c/main.toml:1:26: wrong-type"}},
		"no list":    {folder{"/c/main.toml": "include = \"a.toml\""}, []string{"/c/main.toml:1:11: wrong-type"}},
		"too deep":   {deep, []string{"/c/7.toml:1:12: too-deep"}},
		"too many":   {many, []string{"/c/main.toml:66:1: too-many"}},
		"too large":  {folder{"/c/main.toml": "include = [\"a.toml\"]", "/c/a.toml": strings.Repeat("#", config.MaxSize+1)}, []string{"/c/a.toml:1:1: too-large"}},
		"every file in order": {folder{
			"/c/main.toml": "include = [\"a.toml\", \"b.toml\"]\n[[devices]]\nname = \"D\"\nmatch = \"serial:1\"\n[[global_mappings]]\nname = \"m\"\n" + fmt.Sprintf(panics, 200),
			"/c/a.toml":    "x = 1\n[[devices]]\nname = \"D\"\nmatch = \"serial:2\"\n[[global_mappings]]\nname = \"m\"\n" + fmt.Sprintf(panics, 1),
			"/c/b.toml":    "[device]\nname = \"C\"\n[[modes]]\nname = \"A\"\n[[modes]]\nname = \"A\"\n[input\n",
		}, []string{
			"/c/main.toml:7:35: out-of-range", "/c/a.toml:1:1: unknown-key", "/c/a.toml:3:8: duplicate-name", "/c/a.toml:6:8: duplicate-name",
			"/c/b.toml:1:2: conflict", "/c/b.toml:6:8: duplicate-name", "/c/b.toml:7:7: syntax",
		}},
		"two of the old form": {folder{"/c/main.toml": "include = [\"a.toml\"]\ndevice.name = \"A\"", "/c/a.toml": "device.name = \"B\""}, []string{"/c/a.toml:1:1: conflict"}},
	} {
		if got, said := c.load(t); !slices.Equal(said, c.want) {
			t.Errorf("%s: %q, want %q", name, said, c.want)
			for _, d := range got.diagnostics {
				t.Log(config.Format(d, true))
			}
		}
	}
}

// Gestures of several files wait for each other.
func TestLatencyOverFiles(t *testing.T) {
	f := folder{
		"/c/main.toml": "include = [\"a.toml\"]\n[[modes]]\nname = \"A\"\n[[modes.mappings]]\n" + fmt.Sprintf(panics, 1) + "[[modes]]\nname = \"B\"\napps = [\"b\"]\n[[modes.mappings]]\n" + fmt.Sprintf(panics, 1),
		"/c/a.toml":    "[[modes]]\nname = \"A\"\n[[modes.mappings]]\ntrigger = { type = \"LongPress\", note = 1 }\naction = { type = \"Panic\" }\n[[modes.mappings]]\n" + fmt.Sprintf(panics, 1),
	}
	if _, said := f.load(t); !slices.Equal(said, []string{"/c/main.toml:4:9: added-latency", "/c/a.toml:6:9: shadowed"}) {
		t.Error(said)
	}
}
