package main

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/amiable-dev/midimon/"

// rooms are the rooms of the house, what each may import of the others, and why no more.
var rooms = map[string]struct {
	may []string
	why string
}{
	"engine":        {nil, "the engine is a pure machine: whoever wants its effects calls it, and it calls nobody"},
	"introspection": {nil, "the contract of the bus is written down before anything that keeps it"},
	"service":       {[]string{"engine"}, "the daemon declares what it needs of a bus and a platform, so that it runs without either in its tests"},
	"dbusapi":       {[]string{"engine", "introspection"}, "the bus translates for whatever answers as its Backend; were that the daemon itself, neither could be tested alone"},
	"linux":         {[]string{"engine"}, "a platform implements what the daemon declares, in the engine's words, and must not know who uses it"},
	"darwin":        {[]string{"engine"}, "a platform implements what the daemon declares, in the engine's words, and must not know who uses it"},
}

// The linter says the same of each import; this says it of everything an import brings along,
// on both systems.
func TestRoomsImportOneWay(t *testing.T) {
	for _, system := range []string{"linux", "darwin"} {
		for room, r := range rooms {
			cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "./"+room+"/...")
			cmd.Dir = "../.."
			cmd.Env = append(cmd.Environ(), "GOOS="+system, "CGO_ENABLED=0")
			out, err := cmd.Output()
			if err != nil {
				t.Fatalf("%s on %s: %v", room, system, err)
			}
			for path := range strings.FieldsSeq(string(out)) {
				rest, ours := strings.CutPrefix(path, module)
				other, _, _ := strings.Cut(rest, "/")
				if ours && other != room && !slices.Contains(r.may, other) {
					t.Errorf("%s imports %s: %s", room, path, r.why)
				}
				if room == "engine" && slices.Contains([]string{"os", "net", "log", "log/slog", "context"}, path) && !indirect(t, path) {
					t.Errorf("engine imports %s: %s", path, r.why)
				}
			}
		}
	}
}

// indirect says whether a package comes to the engine through the standard library or TOML,
// which is not ours to forbid.
func indirect(t *testing.T, path string) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-f", `{{join .Imports "\n"}}`, "./engine/...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return !slices.Contains(strings.Fields(string(out)), path)
}
