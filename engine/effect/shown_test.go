package effect_test

import (
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
)

func TestShown(t *testing.T) {
	for target, want := range map[string]string{
		"":                                      "",
		"/home/u/a file.pdf":                    "/home/u/a file.pdf",
		"https://example.org":                   "https://example.org",
		"https://example.org/a/b?token=hunter2": "https://example.org/a/b",
		"https://example.org/#hunter2":          "https://example.org/",
		"https://u:hunter2@example.org/a@b":     "https://example.org/a@b",
		"https://u:hunter2@example.org":         "https://example.org",
		"mailto:u@example.org?body=hunter2":     "mailto:u@example.org",
	} {
		if got := (&effect.Open{Target: target}).Shown(); got != want {
			t.Errorf("%q is shown as %q, want %q", target, got, want)
		}
	}
	for app, want := range map[string]string{"org.gimp.GIMP": "org.gimp.GIMP", "/opt/a b/tool": "tool", "Visual Studio Code": "Visual Studio Code"} {
		if got := (&effect.Launch{App: app}).Program(); got != want {
			t.Errorf("%q is shown as %q, want %q", app, got, want)
		}
	}
}
