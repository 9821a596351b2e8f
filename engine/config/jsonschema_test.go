package config

import (
	"bytes"
	flags "flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	burntsushi "github.com/BurntSushi/toml"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

var update = flags.Bool("update", false, "write what is generated")

// generatedFile holds a file of the tree against what it is made of.
func generatedFile(t *testing.T, name string, want []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s is not what the tables say; go test ./engine/config -update writes it", name)
	}
}

func TestSchemaIsShipped(t *testing.T) {
	generatedFile(t, "../../packaging/schema/midimon.schema.json", JSONSchema())
}

func compiled(tb testing.TB) *jsonschema.Schema {
	tb.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(JSONSchema()))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft7)
	if err := c.AddResource(SchemaURL, doc); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile(SchemaURL)
	if err != nil {
		tb.Fatal(err)
	}
	return s
}

// fits says why a text does not fit the schema.
func fits(s *jsonschema.Schema, text string) error {
	var v map[string]any
	if err := burntsushi.Unmarshal([]byte(text), &v); err != nil {
		return err
	}
	if v == nil {
		v = map[string]any{}
	}
	return s.Validate(alike(v))
}

func TestSchemaTakesWhatIsShipped(t *testing.T) {
	s := compiled(t)
	var files []string
	for _, pattern := range []string{"templates/*.toml", "testdata/compat/*.toml"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) < 17 {
		t.Errorf("only %q", files)
	}
	for _, f := range files {
		src, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := fits(s, string(src)); err != nil {
			t.Errorf("%s: %v", f, err)
		}
	}
}

// samples are values of a shape, good ones and bad ones, as TOML says them.
func samples(s *shape) (good, bad []string) {
	switch {
	case s.ref != "":
		return []string{refSamples[s.ref]}, []string{"5.5"}
	case len(s.either) > 0:
		for _, e := range s.either {
			g, _ := samples(e)
			good = append(good, g...)
		}
		return good, []string{"true", "[{}]"}
	case s.kind == "integer" && s.bounded:
		return []string{fmt.Sprint(int64(s.lo)), fmt.Sprint(int64(s.hi))}, []string{fmt.Sprint(int64(s.lo) - 1), fmt.Sprint(int64(s.hi) + 1), `"1"`, "1.5", "true", "[]"}
	case s.kind == "number" && s.bounded:
		return []string{fmt.Sprintf("%g", s.lo), fmt.Sprintf("%g", s.hi)}, []string{fmt.Sprintf("%g", s.hi+1), fmt.Sprintf("%g", s.lo-1), `"1"`, "true"}
	case s.kind == "integer":
		return []string{"1"}, []string{`"1"`}
	case s.kind == "number":
		return []string{"1", "0.5"}, []string{`"1"`}
	case s.kind == "boolean":
		return []string{"true", "false"}, []string{"1", `"true"`}
	case len(s.words) > 0:
		for _, w := range s.words {
			good = append(good, fmt.Sprintf("%q", w))
		}
		return good, []string{`"none of them"`, "1"}
	case s.kind == "string" && s.pattern != "":
		return nil, []string{`"none that fits"`, "true"}
	case s.kind == "string" && s.filled:
		return nil, []string{`""`, "1", "[1]"}
	case s.kind == "string":
		return []string{`"text"`, `""`}, []string{"1"}
	case s.kind == "array" && s.items != nil:
		if s.hi > 0 {
			bad = append(bad, "["+strings.Repeat("0,", int(s.hi)+1)+"]")
		}
		if s.lo > 0 {
			bad = append(bad, "[]")
		}
		return nil, append(bad, `{}`, "true")
	}
	return nil, nil
}

var refSamples = map[string]string{
	"trigger": `{ type = "Note", note = 1 }`, "action": `{ type = "Panic" }`, "condition": `"Always"`, "value": "{ min = 1 }",
	"advanced_settings": "{}", "input": "{}", "logging": "{}", "mapping": "{}", "mode": "{}", "device": `{ name = "x" }`, "devices": "{}",
}

// A place is where a table can be written, and what it has to have besides the key under test.
type tablePlace struct {
	name  string
	table described
	text  string            // with %s for its keys
	needs map[string]string // in a good table
	own   map[string]string // values that are good where samples cannot know
}

func places() []tablePlace {
	mapping := "[[global_mappings]]\ntrigger = %s\naction = %s\n"
	list := []tablePlace{
		{name: "advanced_settings", table: timingTable, text: "[advanced_settings]\n%s"},
		{name: "logging", table: loggingTable, text: "[logging]\n%s"},
		{name: "input", table: inputTable, text: "[input]\n%s"},
		{name: "device", table: deviceTable, text: "[device]\n%s", needs: map[string]string{"name": `"x"`}},
		{name: "devices", table: devicesTable, text: "[[devices]]\n%s", needs: map[string]string{"name": `"x"`, "match": `"serial:1"`}, own: map[string]string{"match": `"serial:2"`}},
		{name: "mode", table: modeTable, text: "[[modes]]\n%s", needs: map[string]string{"name": `"x"`}, own: map[string]string{"mappings": "[]"}},
		{
			name: "mapping", table: mappingTable, text: "[[global_mappings]]\n%s",
			needs: map[string]string{"trigger": refSamples["trigger"], "action": refSamples["action"]},
		},
		{name: "value", table: levelTable, text: fmt.Sprintf(mapping, `{ type = "VelocityRange", note = 1 }`, `{ type = "Emit", name = "x", value = { soft = 1, medium = 2, hard = 3, max = 9 } }`) + "\n[[global_mappings]]\ntrigger = { type = \"CC\", cc = 1 }\naction.type = \"Emit\"\naction.name = \"x\"\n[global_mappings.action.value]\n%s"},
	}
	for i := range triggerKinds {
		k := &triggerKinds[i]
		name := k.Type.String()
		needs := map[string]string{}
		for _, d := range k.table.describe() {
			if d.must {
				needs[d.name] = map[string]string{"notes": "[1, 2]", "message": `"start"`, "data": `"F0"`, "taps": "3"}[d.name]
				if needs[d.name] == "" {
					needs[d.name] = "1"
				}
			}
		}
		if strings.Contains("NoteRelease LongPress DoubleTap MultiTap", name) {
			needs["note"] = "1"
		}
		list = append(list, tablePlace{
			name: name, table: k.table, needs: needs,
			text: "[[global_mappings]]\naction = " + refSamples["action"] + "\n[global_mappings.trigger]\ntype = \"" + name + "\"\n%s",
			own:  map[string]string{"device": `"any"`, "notes": "[1, 2]", "data": `"F0 7E"`},
		})
	}
	needs := map[string]map[string]string{
		"Keystroke": {"keys": `"a"`}, "Text": {"text": `"x"`}, "Launch": {"app": `"x"`}, "Open": {"target": `"x"`}, "Shell": {"command": `"x"`},
		"Sequence": {"actions": "[" + refSamples["action"] + "]"}, "Delay": {"ms": "1"}, "MouseMove": {"x": "1", "y": "1"}, "Scroll": {"y": "1"},
		"VolumeControl": {"operation": `"Set"`}, "ModeChange": {"step": "1"}, "Toggle": {"on": refSamples["action"]},
		"Repeat": {"action": refSamples["action"], "count": "2"}, "Conditional": {"condition": `"Always"`, "then_action": refSamples["action"]},
		"SendMidi": {"port": `"x"`, "message_type": `"NoteOn"`}, "Media": {"operation": `"Play"`}, "Notify": {"summary": `"x"`},
		"DBusCall": {"destination": `"a.b"`, "path": `"/a"`, "interface": `"a.b"`, "method": `"M"`}, "Emit": {"name": `"x"`},
	}
	for i := range actionKinds {
		k := &actionKinds[i]
		list = append(list, tablePlace{
			name: k.name, table: k.table, needs: needs[k.name],
			text: "[[global_mappings]]\ntrigger = " + refSamples["trigger"] + "\n[global_mappings.action]\ntype = \"" + k.name + "\"\n%s",
			own: map[string]string{
				"keys": `"b"`, "modifiers": `["ctrl"]`, "actions": needs["Sequence"]["actions"], "mode": "0", "args": `["x"]`,
				"message_type": `"NoteOn"`, "data": `"F0 F7"`,
			},
		})
	}
	for i := range conditionKinds {
		k := &conditionKinds[i]
		needs := map[string]map[string]string{
			"TimeRange": {"start": `"1:00"`, "end": `"2:00"`}, "DayOfWeek": {"days": "[1]"}, "ModeIs": {"mode": "0"}, "AppRunning": {"app_name": `"x"`},
			"AppFrontmost": {"app_name": `"x"`}, "AppFocused": {"app_name": `"x"`}, "DevicePresent": {"device": `"any"`},
			"And": {"conditions": `["Always"]`}, "Or": {"conditions": `["Always"]`}, "Not": {"condition": `"Always"`},
		}[k.name]
		list = append(list, tablePlace{
			name: k.name, table: k.table, needs: needs, own: needs,
			text: "[[global_mappings]]\ntrigger = " + refSamples["trigger"] + "\naction = " + refSamples["action"] + "\n[global_mappings.when]\ntype = \"" + k.name + "\"\n%s",
		})
	}
	return list
}

// Every key of every table: what is right is taken, and what is wrong refused, by the reader
// and by the schema alike.
func TestSchemaSaysWhatTheReaderDoes(t *testing.T) {
	schema := compiled(t)
	tried := 0
	for _, p := range places() {
		base := map[string]string{}
		for k, v := range p.needs {
			base[k] = v
		}
		text := func(with map[string]string) string {
			var b strings.Builder
			for k, v := range with {
				fmt.Fprintf(&b, "%s = %s\n", k, v)
			}
			return fmt.Sprintf(p.text, b.String())
		}
		check := func(what string, with map[string]string, good bool) {
			t.Helper()
			tried++
			src := text(with)
			_, diagnostics := Load("f", []byte(src))
			ok := true
			for _, d := range diagnostics {
				// A value may be of the right form and do nothing here, or mean more than its form.
				if c := Code(d.Code); c != NoEffect && c != AddedLatency && c != Conflict && c != EmptyRange && c != NotSupported {
					ok = false
				}
			}
			err := fits(schema, src)
			if ok != good || (err == nil) != good {
				t.Errorf("%s: %s: the reader says %v, the schema %v\n%s", p.name, what, diagnostics, err, src)
			}
		}
		check("as it must be", base, true)
		check("with an unknown key", merged(base, "unknown_key", "1"), false)
		for _, d := range p.table.describe() {
			if d.must {
				check("without "+d.name, merged(base, d.name, ""), false)
			}
			if d.doc == "" {
				t.Errorf("%s.%s: nobody says what it is", p.name, d.name)
			}
			good, bad := samples(d.shape)
			if strings.HasPrefix(d.doc, "Ignored") {
				bad = nil
			}
			base := base
			if p.name == "SendMidi" { // which numbers mean something depends on the message
				base = merged(base, "message_type", map[string]string{
					"controller": `"CC"`, "value": `"CC"`, "program": `"PC"`, "pitch": `"PB"`, "pressure": `"AT"`, "data": `"SysEx"`,
				}[d.name])
				if base["message_type"] == "" {
					base["message_type"] = `"NoteOn"`
				}
				if d.name == "value" {
					base["controller"] = "1"
				}
			}
			if own, ok := p.own[d.name]; ok {
				good = []string{own}
			}
			for _, key := range []string{d.name, d.also} {
				if key == "" {
					continue
				}
				rest := merged(base, d.name, "")
				if key == "cc" && base["note"] != "" {
					rest = merged(rest, "note", "")
				}
				for _, v := range good {
					if d.name == "step" && p.name == "ModeChange" || d.name == "mode" && p.name == "ModeChange" {
						rest = merged(merged(base, "step", ""), "mode", "")
					}
					if d.name == "count" && v == "0" || d.name == "soft" || d.name == "medium" || d.name == "hard" {
						continue // one of several that go together
					}
					if p.name == "Repeat" && d.name == "count" {
						v = "3"
					}
					check(key+" = "+v, merged(rest, key, v), true)
				}
				for _, v := range bad {
					check(key+" = "+v, merged(rest, key, v), false)
				}
			}
		}
	}
	if tried < 1000 {
		t.Errorf("only %d texts", tried)
	}
}

// merged is a copy of m with one key set, or left out if the value is empty.
func merged(m map[string]string, key, value string) map[string]string {
	out := map[string]string{}
	for k, v := range m {
		out[k] = v
	}
	delete(out, key)
	if value != "" {
		out[key] = value
	}
	return out
}
