package config_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
)

// FuzzLoad holds for any bytes: there is a program exactly if there is no error, every
// diagnostic has a place in the file and can be printed, and the program is whole.
func FuzzLoad(f *testing.F) {
	for _, c := range broken {
		f.Add(file(c.text))
	}
	for _, c := range actions {
		f.Add([]byte(actionFile(c.text)))
	}
	for _, c := range conditions {
		f.Add([]byte(conditionFile(c.text)))
	}
	files, _ := filepath.Glob("testdata/*/*.toml")
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add(config.Starter())
	f.Add([]byte("include = [\"a\", \"b.toml\", \"c\", \"a\"]\n[[modes]]\nname = \"A\"\n"))
	f.Fuzz(func(t *testing.T, src []byte) {
		p, diagnostics := config.Load("config.toml", src)
		if (p == nil) != hasErrors(diagnostics) {
			t.Fatalf("program %v, diagnostics %v", p, diagnostics)
		}
		if len(diagnostics) > 101 {
			t.Fatalf("%d diagnostics", len(diagnostics))
		}
		for _, d := range diagnostics {
			checkDiagnostic(t, d)
			if config.Format(d, true) == "" || d.Line < 1 || d.Column < 1 {
				t.Fatalf("%+v", d)
			}
		}
		checkIncluded(t, src)
		if p == nil {
			return
		}
		if len(p.Modes) == 0 || len(p.Devices) == 0 {
			t.Fatalf("%+v", p)
		}
		ids := map[string]bool{}
		for _, m := range p.Mappings {
			if ids[m.ID] || m.ID == "" || m.Action == nil || m.Mode >= len(p.Modes) || int(m.Trigger.Device) >= len(p.Devices) || m.Trigger.Min > m.Trigger.Max {
				t.Fatalf("%+v", m)
			}
			ids[m.ID] = true
			checkMapping(t, &m)
		}
	})
}

// checkIncluded: files may include each other in any way, and what they say together is whole or
// refused.
func checkIncluded(t *testing.T, src []byte) {
	t.Helper()
	opened := 0
	p, _, diagnostics := config.LoadAll("config.toml", src, func(path string) ([]byte, error) {
		if opened++; len(path)%2 == 0 {
			return nil, os.ErrNotExist
		}
		return append([]byte("[[modes]]\nname = \"One more\"\n[[modes.mappings]]\ntrigger = { type = \"Note\", note = 1 }\naction = { type = \"Panic\" }\n"), src...), nil
	})
	if (p == nil) != hasErrors(diagnostics) || len(diagnostics) > 101 || opened > 65 {
		t.Fatalf("program %v, %d files, diagnostics %v", p, opened, diagnostics)
	}
	if p == nil {
		return
	}
	ids := map[string]bool{}
	for i, m := range p.Mappings {
		if ids[m.ID] || m.Action == nil || m.Mode >= len(p.Modes) || int(m.Trigger.Device) >= len(p.Devices) {
			t.Fatalf("%+v", m)
		}
		if i > 0 && m.Mode >= 0 && m.Mode < p.Mappings[i-1].Mode {
			t.Fatalf("mode %d after mode %d", m.Mode, p.Mappings[i-1].Mode)
		}
		ids[m.ID] = true
	}
}

// checkMapping: what the engine relies on.
func checkMapping(t *testing.T, m *engine.Mapping) {
	t.Helper()
	tr := &m.Trigger
	switch tr.Type {
	case engine.LongPress, engine.DoubleTap, engine.MultiTap, engine.NoteChord:
		if tr.Duration <= 0 {
			t.Fatalf("no duration: %+v", m)
		}
	default:
	}
	if n := len(tr.Notes); tr.Type == engine.NoteChord && (n < 2 || n > 8 || !slices.IsSorted(tr.Notes) || len(slices.Compact(slices.Clone(tr.Notes))) != n) {
		t.Fatalf("notes %v", tr.Notes)
	}
	if tr.Type == engine.SysExclusive && (len(tr.Data) == 0 || tr.Data[0] != 0xf0) {
		t.Fatalf("data %x", tr.Data)
	}
	effect.Within(m.Action, func(a effect.Action) bool {
		switch a := a.(type) {
		case *effect.Toggle:
			if a.State == "" {
				t.Fatalf("a toggle without a state: %+v", m)
			}
		case *effect.Repeat:
			if a.Action == nil || a.Count == 0 && a.Delay < 10*time.Millisecond {
				t.Fatalf("%+v", a)
			}
		case *effect.Conditional:
			if a.Then == nil {
				t.Fatalf("%+v", a)
			}
		}
		return true
	})
}
