package config_test

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/config"
)

func TestShippedConfigurations(t *testing.T) {
	names := config.Templates()
	want := []string{
		"apc-mini", "beatstep", "generic-keyboard", "generic-pads", "launchpad-mini", "lpd8",
		"maschine-mikro-mk3", "mpk-mini", "nanokontrol2", "x-touch-mini",
	}
	if !slices.Equal(names, want) {
		t.Errorf("templates %q, want %q", names, want)
	}
	if config.Template("none") != nil || config.Template("../template") != nil {
		t.Error("there is a template that is none")
	}
	for _, name := range append(names, "starter") {
		t.Run(name, func(t *testing.T) {
			src := string(config.Template(name))
			p, diagnostics := config.Load(name, []byte(src))
			for _, d := range diagnostics {
				t.Error(config.Format(d, true))
			}
			if p == nil || len(p.Mappings) < 5 {
				t.Fatalf("%+v", p)
			}
			if !strings.HasPrefix(src, "#:schema ") {
				t.Error("no schema is named")
			}
			if name == "starter" {
				return
			}
			if !strings.Contains(src, "\n# Source: ") {
				t.Error("no source is named")
			}
			if strings.HasPrefix(name, "generic-") {
				if p.Devices[0].Name != "any" {
					t.Errorf("devices: %v", p.Devices)
				}
				return
			}
			q, diagnostics := config.Load("f", fmt.Appendf(nil, "[[devices]]\nname = \"d\"\ntemplate = %q\n", name))
			if q == nil || !reflect.DeepEqual(q.Devices[0].Match, p.Devices[0].Match) {
				t.Errorf("%v, %v", q, diagnostics)
			}
			q, _ = config.Load("f", fmt.Appendf(nil, "[[devices]]\nname = \"d\"\ntemplate = %q\nmatch = \"serial:1\"\n", name))
			if q == nil || len(q.Devices[0].Match) != 1 || q.Devices[0].Match[0][0].Value != "1" {
				t.Errorf("match and template: %v", q)
			}
		})
	}
}
