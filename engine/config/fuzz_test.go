package config_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/amiable-dev/midimon/engine/config"
)

// FuzzLoad holds for any bytes: there is a program exactly if there is no error, every
// diagnostic has a place in the file and can be printed, and the program is whole.
func FuzzLoad(f *testing.F) {
	for _, c := range broken {
		f.Add(file(c.text))
	}
	files, _ := filepath.Glob("testdata/compat/*.toml")
	for _, name := range files {
		src, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(src)
	}
	f.Add(config.Starter())
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
		}
	})
}
