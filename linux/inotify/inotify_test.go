//go:build linux

package inotify

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// next is the next event.
func next(t *testing.T, w *Watcher) string {
	t.Helper()
	select {
	case path := <-w.Events:
		return path
	case <-time.After(30 * time.Second):
		t.Fatal("nothing is told")
		return ""
	}
}

func do(t *testing.T, errs ...error) {
	t.Helper()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
}

func TestWatcher(t *testing.T) {
	w, err := New()
	do(t, err)
	defer w.Close()
	outer := t.TempDir()
	dir := filepath.Join(outer, "dir")
	if err := w.Add(dir); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("what is not there: %v", err)
	}
	do(t, os.Mkdir(dir, 0o700), w.Add(dir), w.Add(dir))
	a, b := filepath.Join(dir, "a"), filepath.Join(dir, "b")
	for _, step := range []struct {
		what string
		do   func() error
		want []string
	}{
		{"comes, and is written", func() error { return os.WriteFile(a, []byte("much"), 0o600) }, []string{a}},
		{"written again, then chmod", func() error { return errors.Join(os.WriteFile(a, []byte("more"), 0o600), os.Chmod(a, 0o644)) }, []string{a}},
		{"is renamed", func() error { return os.Rename(a, b) }, []string{a, b}},
		{"goes", func() error { return os.Remove(b) }, []string{b}},
		{"the directory goes", func() error { return os.Remove(dir) }, []string{dir}},
	} {
		do(t, step.do())
		for _, want := range step.want {
			if got := next(t, w); got != want {
				t.Errorf("%s: %q, want %q", step.what, got, want)
			}
		}
	}
	// It may come back.
	do(t, os.Mkdir(dir, 0o700), w.Add(dir), os.WriteFile(a, nil, 0o600))
	if got := next(t, w); got != a {
		t.Errorf("%q, want %q", got, a)
	}
}

func TestClose(t *testing.T) {
	w, err := New()
	do(t, err)
	dir := t.TempDir()
	do(t, w.Add(dir))
	do(t, os.WriteFile(filepath.Join(dir, "a"), nil, 0o600)) // which nobody takes
	w.Close()
	w.Close()
	if err := w.Add(dir); err == nil {
		t.Error("watched by what is closed")
	}
}
