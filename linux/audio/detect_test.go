//go:build linux

package audio

import (
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/report"
)

func TestDetect(t *testing.T) {
	dir := t.TempDir()
	for _, c := range []struct {
		name  string
		env   map[string]string
		words string
	}{
		{"a server that is named", map[string]string{"PULSE_SERVER": "unix:/nowhere"}, "by the sound server"},
		{"none, and no amixer", map[string]string{"XDG_RUNTIME_DIR": dir, "PATH": dir}, "there is no sound server"},
	} {
		t.Setenv("PATH", dir)
		got := New(func(name string) string { return c.env[name] }).Detect(t.Context())
		if got.Name != "audio" || !strings.Contains(got.Message, c.words) || (got.Status == report.OK) != (c.env["PULSE_SERVER"] != "") {
			t.Errorf("%s: %+v", c.name, got)
		}
	}
}
