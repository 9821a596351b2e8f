package effect_test

import (
	"slices"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
)

func TestChord(t *testing.T) {
	c := effect.NewChord(29, 42, 20)
	if c.Len() != 3 || !slices.Equal(c.Keys(), []effect.Key{29, 42, 20}) {
		t.Errorf("got %v", c.Keys())
	}
	defer func() {
		if recover() == nil {
			t.Error("a ninth key found a place")
		}
	}()
	for range effect.MaxChord {
		c.Add(1)
	}
}

func TestNames(t *testing.T) {
	for _, tc := range []struct {
		action effect.Action
		want   string
	}{
		{&effect.Keystroke{}, "Keystroke"},
		{&effect.Shell{}, "Shell"},
		{&effect.Sequence{}, "Sequence"},
		{&effect.Delay{}, "Delay"},
		{&effect.ModeChange{}, "ModeChange"},
	} {
		if got := tc.action.Type(); got != tc.want {
			t.Errorf("got %q, want %q", got, tc.want)
		}
	}
	if got := effect.Disabled.String(); got != "disabled" { // the last: none is missing
		t.Errorf("got %q", got)
	}
}

func TestOnlyTheProgramOfACommandIsShown(t *testing.T) {
	for command, want := range map[string]string{"notify-send 'my secret'": "notify-send", "  git  push": "git", "": ""} {
		if got := (&effect.Shell{Command: command}).Program(); got != want {
			t.Errorf("%q: got %q, want %q", command, got, want)
		}
	}
}
