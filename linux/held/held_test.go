//go:build linux

package held

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestHeldIsFoundByTheNextOne(t *testing.T) {
	path := filepath.Join(t.TempDir(), "midimon", "held")
	h, left, err := Open(path)
	if err != nil || left != nil {
		t.Fatal(left, err)
	}
	for _, down := range [][]uint16{{24}, {24, 111, 257}, {24, 257}, {111}, {38, 255}} {
		if err := h.Write(down); err != nil {
			t.Fatal(err)
		}
		next, left, err := Open(path)
		if err != nil || !slices.Equal(left, down) {
			t.Errorf("%v is left, want %v (%v)", left, down, err)
		}
		_ = next.file.Close()
	}
	if err := h.Write(nil); err != nil {
		t.Fatal(err)
	}
	if _, left, _ := Open(path); left != nil {
		t.Errorf("%v is left of nothing", left)
	}
	if err := os.WriteFile(path, []byte("nonsense 0 -1 1024 24\n70000 38"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, left, _ := Open(path); !slices.Equal(left, []uint16{24, 38}) {
		t.Errorf("%v is left", left)
	}
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	if none, left, err := Open(""); err != nil || left != nil || none.Write([]uint16{24}) != nil || none.Close() != nil {
		t.Error("without a directory it does not do nothing")
	}
}
