package state_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/amiable-dev/midimon/service/state"
)

func TestSaveAndLoad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "deep", "state.json")
	if s, err := state.Load(path); err != nil || s != (state.State{}) {
		t.Fatalf("nothing there: %+v, %v", s, err)
	}
	for _, mode := range []string{"One", "Zwei \"2\"\n"} {
		if err := state.Save(path, state.State{BaseMode: mode}); err != nil {
			t.Fatal(err)
		}
		if s, err := state.Load(path); err != nil || s.BaseMode != mode {
			t.Errorf("%+v, %v", s, err)
		}
	}
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
		t.Errorf("left over: %v, %v", left, err)
	}
}

func TestCorruptIsSetAside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "state.json")
	if err := os.WriteFile(path, []byte(`{"base_mode":"On`), 0o600); err != nil {
		t.Fatal(err)
	}
	if s, err := state.Load(path); err == nil || s != (state.State{}) {
		t.Errorf("%+v, %v", s, err)
	}
	if text, err := os.ReadFile(path + ".corrupt"); err != nil || string(text) != `{"base_mode":"On` {
		t.Errorf("%q, %v", text, err)
	}
	if s, err := state.Load(path); err != nil || s != (state.State{}) {
		t.Errorf("the second time: %+v, %v", s, err)
	}
}

func TestForeignIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	real := filepath.Join(dir, "real")
	if err := state.Save(real, state.State{BaseMode: "M"}); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(real, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{link, dir} {
		if s, err := state.Load(path); err == nil || s != (state.State{}) {
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
		if _, err := state.Load(real); err == nil {
			t.Error("somebody else's file was believed")
		}
	}
}

func TestSaveFails(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
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
