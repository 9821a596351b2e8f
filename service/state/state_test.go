package state_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/state"
)

func some(mode string) state.State {
	s := state.State{BaseMode: mode, Toggles: map[string]bool{"mute": true, "record": false}}
	s.Count(
		report.Stats{Received: 1, Performed: 2, Failed: 3, Refused: 4, Lost: 5},
		report.Reloads{Accepted: 6, Failed: 7, Last: 8, Fastest: 9, Slowest: 10, Total: 11 * time.Second},
	)
	return s
}

func same(a, b state.State) bool { return reflect.DeepEqual(a, b) }

func save(t *testing.T, path string, s state.State) {
	t.Helper()
	if err := state.Save(path, s); err != nil {
		t.Fatal(err)
	}
}

func write(t *testing.T, path, text string, mode fs.FileMode) {
	t.Helper()
	if err := errors.Join(os.WriteFile(path, []byte(text), 0o600), os.Chmod(path, mode)); err != nil {
		t.Fatal(err)
	}
}

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "state.json")
	if s, err := state.Load(path, false); err != nil || !same(s, state.State{}) {
		t.Fatalf("nothing there: %+v, %v", s, err)
	}
	for _, want := range []state.State{some("One"), some("Zwei \"2\"\n<&>"), {}} {
		save(t, path, want)
		if s, err := state.Load(path, false); err != nil || !same(s, want) {
			t.Errorf("%+v, %v", s, err)
		}
	}
	stats, reloads := (&state.State{}).Counted()
	if stats != (report.Stats{}) || reloads != (report.Reloads{}) {
		t.Error(stats, reloads)
	}
	s := some("")
	if stats, reloads = s.Counted(); stats.Lost != 5 || reloads.Total != 11*time.Second {
		t.Error(stats, reloads)
	}
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestStands(t *testing.T) {
	a, b := some("One"), some("One")
	b.Counters.Received++
	if !a.Stands(&b) {
		t.Error("what was counted matters")
	}
	b.Toggles["mute"] = false
	if c := some("Two"); a.Stands(&b) || a.Stands(&c) {
		t.Error("a toggle or the mode does not matter")
	}
}

// What is no state of this version is kept, under a name that says what it is.
func TestSetAside(t *testing.T) {
	good := filepath.Join(t.TempDir(), "state.json")
	save(t, good, some("One"))
	whole, err := os.ReadFile(good)
	if err != nil {
		t.Fatal(err)
	}
	text := string(whole)
	for _, c := range []struct {
		name, text, aside, why string
		mode                   fs.FileMode
	}{
		{"nothing", "", "corrupt", "unexpected end", 0},
		{"no JSON", "{\"version\": 1", "corrupt", "unexpected end", 0},
		{"half of it", text[:len(text)/2], "corrupt", "unexpected end", 0},
		{"another mode", strings.Replace(text, `"One"`, `"Two"`, 1), "corrupt", "checksum", 0},
		{"another sum", strings.Replace(text, `"sha256": "`, `"sha256": "0`, 1), "corrupt", "checksum", 0},
		{"no state", `{"version": 1, "sha256": "x"}`, "corrupt", "checksum", 0},
		{"a later version", strings.Replace(text, `"version": 1`, `"version": 7`, 1), "version-7", "of version 7", 0},
		{"an earlier version", `{"base_mode":"One"}`, "version-0", "of version 0", 0},
		{"too large", strings.Repeat(" ", 1<<20) + text, "corrupt", "more than", 0},
		{"writable by others", text, "not-trusted", "others could write it", 0o622},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "state.json")
			if c.mode == 0 {
				c.mode = 0o600
			}
			write(t, path, c.text, c.mode)
			if s, err := state.Load(path, true); err == nil || !strings.Contains(err.Error(), c.why) || !same(s, state.State{}) {
				t.Errorf("only looked: %+v, %v", s, err)
			}
			for n, suffix := range []string{"", "-2", "-3"} {
				write(t, path, c.text, c.mode)
				s, err := state.Load(path, false)
				aside, ok := errors.AsType[*state.SetAsideError](err)
				if want := path + "." + c.aside + suffix; !ok || aside.Path != want || !strings.Contains(err.Error(), c.why) || !same(s, state.State{}) {
					t.Fatalf("%d: %+v, %v, want %s: %s", n, s, err, want, c.why)
				}
				if kept, err := os.ReadFile(aside.Path); err != nil || string(kept) != c.text {
					t.Errorf("%q, %v", kept, err)
				}
			}
			if s, err := state.Load(path, false); err != nil || !same(s, state.State{}) {
				t.Errorf("afterwards: %+v, %v", s, err)
			}
		})
	}
}

func TestForeignIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "real")
	save(t, real, some("M"))
	link := filepath.Join(dir, "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, dir} {
		s, err := state.Load(path, false)
		if _, aside := errors.AsType[*state.SetAsideError](err); err == nil || aside || !same(s, state.State{}) {
			t.Errorf("%s: %+v, %v", path, s, err)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Error(err)
		}
	}
	if os.Geteuid() == 0 {
		if err := os.Chown(real, 12345, -1); err != nil {
			t.Fatal(err)
		}
		if _, err := state.Load(real, false); err == nil {
			t.Error("somebody else's file was believed")
		}
	}
}

func TestSaveFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	write(t, file, "", 0o600)
	if err := state.Save(filepath.Join(file, "state.json"), state.State{}); err == nil {
		t.Error("saved below a file")
	}
	dir := filepath.Join(t.TempDir(), "state.json") // cannot be renamed over
	if err := os.MkdirAll(filepath.Join(dir, "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := state.Save(dir, state.State{}); err == nil {
		t.Error("saved over a directory")
	}
	if left, err := os.ReadDir(filepath.Dir(dir)); err != nil || len(left) != 1 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

// FuzzLoad: whatever is in the file, it is a state or set aside whole.
func FuzzLoad(f *testing.F) {
	path := filepath.Join(f.TempDir(), "state.json")
	if err := state.Save(path, some("One")); err != nil {
		f.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(good)
	f.Add([]byte(`{"version": 1, "sha256": "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"}`))
	f.Add([]byte("null"))
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "state.json")
		write(t, path, string(text), 0o600)
		_, err := state.Load(path, false)
		kept := path
		if aside, ok := errors.AsType[*state.SetAsideError](err); ok {
			kept = aside.Path
		} else if err != nil {
			t.Fatal(err)
		}
		if now, err := os.ReadFile(kept); err != nil || string(now) != string(text) {
			t.Errorf("%q became %q, %v", text, now, err)
		}
	})
}
