package config_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
)

// TestFilesOfTheAncestor: every file loads, every mapping of it is there, and what is said of
// it is true.
func TestFilesOfTheAncestor(t *testing.T) {
	for name, want := range map[string]struct {
		modes, mappings int
		said            []string
	}{
		"apc-mini":       {1, 2, nil},
		"config":         {1, 4, nil},
		"launchpad-mini": {1, 2, nil},
		"config_enhanced": {3, 24, []string{
			"19:9: added-latency", "54:9: added-latency", "131:9: added-latency", "141:9: added-latency", "200:3: unreached-mode",
		}},
		"daw-control-ableton": {3, 25, []string{
			"26:9: added-latency", "39:9: added-latency", "52:9: added-latency", "260:3: unreached-mode",
		}},
		"maschine-mikro-mk3": {2, 5, []string{"52:3: unreached-mode"}},
	} {
		src, err := os.ReadFile("testdata/compat/" + name + ".toml")
		if err != nil {
			t.Fatal(err)
		}
		p, diagnostics := config.Load(name, src)
		var said []string
		for _, d := range diagnostics {
			said = append(said, fmt.Sprintf("%d:%d: %s", d.Line, d.Column, d.Code))
		}
		if !slices.Equal(said, want.said) {
			t.Errorf("%s: said %q, want %q", name, said, want.said)
		}
		if p == nil || len(p.Modes) != want.modes || len(p.Mappings) != want.mappings {
			t.Errorf("%s: not %d modes and %d mappings", name, want.modes, want.mappings)
		}
	}
}

func TestStarter(t *testing.T) {
	p, diagnostics := config.Load("config.toml", config.Starter())
	if p == nil || len(diagnostics) != 0 {
		t.Fatal(diagnostics)
	}
	var ids []string
	for _, m := range p.Mappings {
		ids = append(ids, m.ID)
		if m.Label == "" {
			t.Errorf("%s has no description", m.ID)
		}
	}
	want := strings.Fields("reopen-tab new-tab space held push-to-talk duplicate to-media play-pause to-desk louder quieter pedal fader-top")
	if !slices.Equal(ids, want) {
		t.Errorf("mappings %v", ids)
	}
	if first := p.Mappings[0].Action.(*effect.Keystroke).Chord; !slices.Equal(first.Keys(), []effect.Key{29, 42, 20}) {
		t.Errorf("the hard pad presses %v, not Ctrl+Shift+T", first.Keys())
	}
	config.Starter()[0] = 'X'
	if config.Starter()[0] != '#' {
		t.Error("whoever asks for the starter can change it for all others")
	}
}
