//go:build linux

package launch

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
)

// home is a home with applications and programs: what each file holds, by its path.
func home(t *testing.T, files map[string]string) (Places, string) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(name, "bin/") {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return Places{Data: []string{filepath.Join(dir, "mine"), filepath.Join(dir, "all")}, Path: filepath.Join(dir, "bin"), Home: dir}, dir
}

func entryOf(name, exec string, more ...string) string {
	return "[Desktop Entry]\nType=Application\nName=" + name + "\nExec=" + exec + "\n" + strings.Join(more, "\n") + "\n"
}

func TestFind(t *testing.T) {
	p, dir := home(t, map[string]string{
		"bin/calc": "", "bin/other": "", "bin/xdg-open": "", "bin/x-terminal-emulator": "",
		"all/applications/org.example.Calc.desktop":  entryOf("Calculator", "calc %U"),
		"mine/applications/org.example.Calc.desktop": entryOf("Calculator", "calc --mine %U"),
		"all/applications/kde/edit.desktop":          entryOf("Edit", "other", "Path="+"~/work", "StartupNotify=true", "StartupWMClass=Ed"),
		"all/applications/gone.desktop":              entryOf("Gone", "calc", "Hidden=true"),
		"all/applications/try.desktop":               entryOf("Try", "calc", "TryExec=nowhere"),
		"all/applications/term.desktop":              entryOf("Top", "other -x", "Terminal=true"),
		"all/applications/org.example.Bus.desktop":   entryOf("Bus", "calc", "DBusActivatable=true"),
		"all/applications/broken.desktop":            "[Desktop Entry]\nType=Application\nExec=\"\n",
		"notes.txt":                                  "",
	})
	bin := func(name string) string { return filepath.Join(dir, "bin", name) }
	for _, c := range []struct {
		action effect.Action
		want   []string
		fails  string
	}{
		{action: &effect.Launch{App: "org.example.Calc"}, want: []string{bin("calc"), "--mine"}},
		{action: &effect.Launch{App: "org.example.Calc.desktop", Args: []string{"f"}}, want: []string{bin("calc"), "--mine", "f"}},
		{action: &effect.Launch{App: "kde-edit"}, want: []string{bin("other")}},
		{action: &effect.Launch{App: "calc", Args: []string{"-v", ""}}, want: []string{bin("calc"), "-v", ""}},
		{action: &effect.Launch{App: "calculator"}, want: []string{bin("calc"), "--mine"}}, // as people know it
		{action: &effect.Launch{App: "~/bin/other"}, want: []string{bin("other")}},
		{action: &effect.Launch{App: bin("calc")}, want: []string{bin("calc")}},
		{action: &effect.Launch{App: filepath.Join(dir, "all/applications/term.desktop")}, want: []string{bin("x-terminal-emulator"), "-e", "other", "-x"}},
		{action: &effect.Launch{App: "gone"}, fails: `no application, program or file "gone"`},
		{action: &effect.Launch{App: "nothing"}, fails: `no application, program or file "nothing"`},
		{action: &effect.Launch{App: "try"}, fails: "there is no program nowhere"},
		{action: &effect.Launch{App: "broken"}, fails: "a quote in Exec is not closed"},
		{action: &effect.Launch{App: "~/notes.txt"}, fails: "it is no program"},
		{action: &effect.Launch{App: "/no/such"}, fails: "no such file"},
		{action: &effect.Open{Target: "https://example.org/a?b"}, want: []string{bin("xdg-open"), "https://example.org/a?b"}},
		{action: &effect.Open{Target: "notes.txt"}, want: []string{bin("xdg-open"), filepath.Join(dir, "notes.txt")}},
		{action: &effect.Open{Target: "~/missing"}, fails: "cannot open"},
		{action: &effect.Shell{}, fails: "unsupported"},
	} {
		got, err := p.Find(c.action)
		switch {
		case c.fails != "":
			if err == nil || !strings.Contains(err.Error(), c.fails) {
				t.Errorf("%+v: %+v, %v; want an error with %q", c.action, got, err, c.fails)
			}
		case err != nil || !slices.Equal(got.Argv, c.want):
			t.Errorf("%+v: %q, %v; want %q", c.action, got.Argv, err, c.want)
		}
	}
	c, err := p.Find(&effect.Launch{App: "org.example.Bus", Args: []string{"/f"}})
	if err != nil || c.BusName != "org.example.Bus" || !slices.Equal(c.Files, []string{"/f"}) || c.Startup != nil || c.Name != "org.example.Bus" {
		t.Errorf("%+v, %v", c, err)
	}
	if c, err := p.Find(&effect.Launch{App: "kde-edit"}); err != nil || c.Dir != filepath.Join(dir, "work") || c.Startup == nil || *c.Startup != (effect.Startup{Name: "Edit", Class: "Ed"}) {
		t.Errorf("%+v, %v", c, err)
	}
}

func TestPlacesOf(t *testing.T) {
	env := map[string]string{"HOME": "/h", "XDG_DATA_DIRS": "/a:b:/c", "PATH": "/bin"}
	p := PlacesOf(func(name string) string { return env[name] })
	if want := []string{"/h/.local/share", "/a", "/c"}; !slices.Equal(p.Data, want) || p.Path != "/bin" || p.Home != "/h" {
		t.Errorf("%+v", p)
	}
}
