package config

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine"
)

func TestDiagnosticsAreDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# What can be wrong with a configuration

<!-- Made by go test ./engine/config -update; a test holds it against the code. -->

` + "`midimonctl validate`" + ` checks a file without the daemon, ` + "`midimonctl validate -`" + ` its standard input. All that is wrong is said in one pass: every wrong
value, and of each table the first place that is no TOML (a second one would be a guess). After 100 diagnostics the rest is counted.

    config.toml:42:8: modes[1].mappings[3].trigger.note: 128 is out of range 0-127
       42 | note = 128
          |        ^

That is the file, the line, the column, the path of the key, and what is wrong with it; sometimes with what was probably meant. Lines and columns count
from 1. Columns are code points, so that a letter with an accent or a tab is one column, as in most editors; a byte order mark is none.

An error refuses the file: midimon goes on with what it had. A warning does not. ` + "`--strict`" + ` fails on warnings too, ` + "`--json`" + ` prints all of this for
programs, with the code, which stays the same from version to version.

| code | | what it means |
| --- | --- | --- |
`)
	for _, c := range Codes {
		severity := "error"
		switch {
		case c.Code == More:
			severity = "either"
		case c.Warning:
			severity = "warning"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", c.Code, severity, c.Meaning)
	}
	generatedFile(t, "../../packaging/doc/diagnostics.md", []byte(b.String()))
}

// says is how a shape is told to people.
func (s shape) says() string {
	switch {
	case s.ref != "":
		return "[" + s.ref + "](#" + s.ref + ")"
	case len(s.either) > 0:
		var list []string
		for _, e := range s.either {
			list = append(list, e.says())
		}
		return strings.Join(list, " or ")
	case len(s.words) > 0:
		return "`" + strings.Join(s.words, "`, `") + "`"
	case s.kind == "array" && s.items != nil:
		if of := s.items.says(); of != "" {
			return "array of " + of
		}
		return "array"
	case s.bounded && s.kind == "integer":
		return fmt.Sprintf("%d to %d", int64(s.lo), int64(s.hi))
	case s.bounded:
		return fmt.Sprintf("%g to %g", s.lo, s.hi)
	case s.kind == "":
		return "anything"
	}
	return map[string]string{"string": "text", "boolean": "true or false"}[s.kind] + map[string]string{"number": "number", "integer": "whole number", "array": "array"}[s.kind]
}

func describeTable(b *strings.Builder, t described) {
	list := t.describe()
	if len(list) == 0 {
		b.WriteString("It has no keys but `type`.\n")
		return
	}
	b.WriteString("| key | value | |\n| --- | --- | --- |\n")
	slices.SortStableFunc(list, func(x, y description) int { // those that must be given first
		switch {
		case x.must == y.must:
			return 0
		case x.must:
			return -1
		}
		return 1
	})
	for _, d := range list {
		name := "`" + d.name + "`"
		if d.also != "" {
			name += ", `" + d.also + "`"
		}
		if d.must {
			name = "**" + name + "**"
		}
		fmt.Fprintf(b, "| %s | %s | %s |\n", name, d.shape.says(), strings.ReplaceAll(d.doc, "|", "\\|"))
	}
}

func TestConfigurationIsDocumented(t *testing.T) {
	var b strings.Builder
	b.WriteString(`# Everything a configuration can say

<!-- Made by go test ./engine/config -update; a test holds it against the tables that a configuration is read by. -->

The file is TOML 1.1. Keys in bold must be given; where two are listed, they mean the same. What stands at the end of a description is what holds without
the key. A key that is not here is a warning, with what was probably meant. Editors learn all of this from
[midimon.schema.json](../schema/midimon.schema.json), which the first line of the [starter configuration](../../engine/config/templates/starter.toml) names.
To begin with, copy that one, or [the one for your controller](../../engine/config/templates).

## The file

`)
	describeTable(&b, rootTable)
	for _, part := range []struct {
		name  string
		table described
	}{
		{"devices", devicesTable},
		{"device", deviceTable},
		{"advanced_settings", timingTable},
		{"input", inputTable},
		{"logging", loggingTable},
		{"mode", modeTable},
		{"mapping", mappingTable},
	} {
		fmt.Fprintf(&b, "\n## %s\n\n", part.name)
		describeTable(&b, part.table)
	}
	b.WriteString("\n## trigger\n\n`type` says which. Notes are numbers or names; C4 is 60. Channels count from 0.\n")
	for i := range triggerKinds {
		k := &triggerKinds[i]
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", k.Type, k.doc)
		describeTable(&b, k.table)
	}
	b.WriteString("\n## action\n\n`type` says which.\n")
	for i := range actionKinds {
		k := &actionKinds[i]
		also := ""
		if k.also != "" {
			also = " (or `" + k.also + "`)"
		}
		fmt.Fprintf(&b, "\n### %s\n\n%s%s\n\n", k.name, k.doc, also)
		describeTable(&b, k.table)
	}
	b.WriteString("\n## value\n\nHow what a control gives becomes the number that an action works with.\n\n")
	describeTable(&b, levelTable)
	b.WriteString("\n## condition\n\n`{ type = \"TimeRange\", start = \"09:00\", end = \"17:00\" }`, or `{ TimeRange = { start = \"09:00\", end = \"17:00\" } }`, or the name alone of what asks for no more.\n")
	for i := range conditionKinds {
		k := &conditionKinds[i]
		fmt.Fprintf(&b, "\n### %s\n\n%s\n\n", k.name, k.doc)
		describeTable(&b, k.table)
	}
	generatedFile(t, "../../packaging/doc/configuration.md", []byte(b.String()))
}

// The contract: what a configuration can say may grow, and nothing of it may go away.
func TestContract(t *testing.T) {
	has := func(what string, t2 described, keys string) {
		t.Helper()
		var names []string
		for _, d := range t2.describe() {
			names = append(names, d.name, d.also)
		}
		for key := range strings.FieldsSeq(keys) {
			if !slices.Contains(names, key) {
				t.Errorf("%s has no %s", what, key)
			}
		}
	}
	has("the file", rootTable, "include device devices advanced_settings input logging modes global_mappings")
	has("device", deviceTable, "name auto_connect auto_reconnect port")
	has("devices", devicesTable, "name match template enabled optional sysex")
	has("advanced_settings", timingTable, "chord_timeout_ms double_tap_timeout_ms hold_threshold_ms max_hold_ms")
	has("input", inputTable, "backend")
	has("logging", loggingTable, "level file")
	has("mode", modeTable, "name color apps enter exit mappings")
	has("mapping", mappingTable, "name description enabled eager when when_locked max_rate trigger action")
	for i := range triggerKinds {
		has(triggerKinds[i].Type.String(), triggerKinds[i].table, "device channel")
	}
	triggers := strings.Fields(`Note NoteRelease VelocityRange LongPress DoubleTap MultiTap NoteChord EncoderTurn CC CC14 NRPN RPN Aftertouch PitchBend
		ProgramChange Transport SysEx`)
	if !slices.Equal(engine.TriggerTypes, triggers) {
		t.Errorf("triggers %q", engine.TriggerTypes)
	}
	actions := strings.Fields(`Keystroke Text Launch Open Shell Sequence Delay MouseClick MouseMove Scroll VolumeControl ModeChange Toggle Repeat
		Conditional SendMidi Media Notify DBusCall Emit Panic`)
	got := slices.Sorted(slices.Values(actionNames))
	slices.Sort(actions)
	if !slices.Equal(got, actions) {
		t.Errorf("actions %q", actionNames)
	}
	if want := []string{"auto", "wayland", "uinput", "portal", "xtest"}; !slices.Equal(backends, want) {
		t.Errorf("backends %q", backends)
	}
	// Both spellings where the ancestor's documents and its parser differ.
	for name, keys := range map[engine.TriggerType]string{
		engine.Note: "velocity_min min_velocity velocity_max max_velocity", engine.LongPress: "duration_ms min_duration_ms",
		engine.DoubleTap: "timeout_ms max_interval_ms", engine.NoteChord: "timeout_ms max_interval_ms",
	} {
		has(name.String(), triggerKinds[name].table, keys)
	}
	has("VolumeControl", volumeTable, "operation action")
}
