//go:build linux

package main

import (
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// TestAnyChanges moves the ground under the configuration in whatever way, again and again:
// what is there in the end is what acts.
func TestAnyChanges(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 0)) //nolint:gosec // the same each time
			h := &house{t: t, dir: t.TempDir()}
			h.mkdir("a/b")
			h.put("a/b/config.toml", version(1))
			h = inhabit(t, h.dir, "a/b/config.toml", nil)
			names := []string{"a", "a/b", "a/b/config.toml", "x", "x/b", "x/b/config.toml", "y", "y/config.toml"}
			place := func() string { return names[r.IntN(len(names))] }
			var did []string
			for n := 2; n < 10; n++ {
				for range 12 {
					from, to := place(), place()
					what := r.IntN(6)
					did = append(did, fmt.Sprint(what, " ", from, " ", to))
					switch what { // most of it fails, which is as good
					case 0:
						_ = os.Rename(h.path(from), h.path(to))
					case 1:
						_ = os.RemoveAll(h.path(from))
					case 2:
						_ = os.MkdirAll(h.path(from), 0o700)
					case 3:
						_ = os.Symlink(h.path(from), h.path(to))
					case 4:
						_ = os.WriteFile(h.path(from), []byte(version(1)), 0o600)
					case 5:
						_ = unix.Renameat2(unix.AT_FDCWD, h.path(from), unix.AT_FDCWD, h.path(to), unix.RENAME_EXCHANGE)
					}
					if r.IntN(4) == 0 {
						time.Sleep(time.Duration(r.IntN(3)) * time.Millisecond) // long enough to be noticed, or not
					}
				}
				if os.WriteFile(h.config, []byte(version(n)), 0o600) != nil {
					h.must(os.RemoveAll(h.path("a")))
					h.mkdir("a/b")
					h.put("a/b/config.toml", version(n))
				}
				h.await(fmt.Sprint("v", n))
			}
			if t.Failed() {
				t.Log(strings.Join(did, "\n"))
			}
		})
	}
}

// TestChangesAtHome: in the user's own folder much happens that is none of our business.
func TestChangesAtHome(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("HOME", dir)
	h := &house{t: t, dir: dir}
	h.mkdir(".config/midimon")
	h.put(".config/midimon/config.toml", version(1))
	h = inhabit(t, dir, ".config/midimon/config.toml", nil)
	h.replace(version(2))
	h.await("v2")
	for name, want := range map[string]bool{".": false, "..": false, ".config": true, ".config/midimon": true} {
		if got := watched(t, h.path(name), want); got != want {
			t.Errorf("%s is watched: %v", name, got)
		}
	}
	h.mkdir("other/midimon")
	h.put("other/midimon/config.toml", version(3))
	h.must(os.Rename(h.path(".config"), h.path("old")), os.Rename(h.path("other"), h.path(".config")))
	h.await("v3")
	h.must(os.RemoveAll(h.path(".config")))
	h.await("bad")
	if !watched(t, dir, true) {
		t.Error("nobody sees when it comes back")
	}
	h.mkdir(".config/midimon")
	h.put(".config/midimon/config.toml", version(4))
	h.await("v4")
	h.expect("v2", "v3", "bad", "v4")
}

// watched says whether somebody in this process watches a directory. Where that is wanted it waits
// for it: a configuration is read before it is known what to watch next.
func watched(t *testing.T, path string, want bool) bool {
	t.Helper()
	for over := time.Now().Add(patience); want && !watchedNow(t, path); time.Sleep(time.Millisecond) {
		if time.Now().After(over) {
			return false
		}
	}
	return want || watchedNow(t, path)
}

func watchedNow(t *testing.T, path string) bool {
	t.Helper()
	var st unix.Stat_t
	if err := unix.Stat(path, &st); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("/proc/self/fdinfo/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, _ := os.ReadFile(f) // it may be closed by now
		if strings.Contains(string(text), fmt.Sprintf(" ino:%x ", st.Ino)) && strings.Contains(string(text), "inotify wd:") {
			return true
		}
	}
	return false
}

// TestChangesLeaveNothing: neither files nor folders that come and go leave goroutines or
// descriptors behind.
func TestChangesLeaveNothing(t *testing.T) {
	h := &house{t: t, dir: t.TempDir()}
	h.mkdir("a/b")
	h.put("a/b/config.toml", version(1))
	h = inhabit(t, h.dir, "a/b/config.toml", nil)
	count := func() (fds, goroutines int) {
		list, err := os.ReadDir("/proc/self/fd")
		h.must(err)
		return len(list), runtime.NumGoroutine()
	}
	fds, goroutines := 0, 0
	for n := 2; n < 202; n++ {
		switch n % 3 {
		case 0:
			h.put("a/b/config.toml", version(n))
		case 1:
			h.replace(version(n))
		case 2:
			h.must(os.RemoveAll(h.path("a")))
			h.mkdir("a/b")
			h.put("a/b/config.toml", version(n))
		}
		h.await(fmt.Sprint("v", n))
		if n == 11 {
			fds, goroutines = count()
		}
	}
	for over := time.Now().Add(patience); ; time.Sleep(time.Millisecond) { // what ends takes a moment
		f, g := count()
		if f <= fds && g <= goroutines {
			return
		}
		if time.Now().After(over) {
			t.Fatalf("%d descriptors, then %d; %d goroutines, then %d", fds, f, goroutines, g)
		}
	}
}

// TestUndoOfAnAutomaticReload: whoever asks to try a configuration out may find that it acts
// already.
func TestUndoOfAnAutomaticReload(t *testing.T) {
	h := &house{t: t, dir: t.TempDir()}
	h.put("config.toml", version(1))
	h = inhabit(t, h.dir, "config.toml", nil)
	h.put("config.toml", version(2))
	h.await("v2")
	r, err := h.Reload(t.Context(), "call")
	h.must(err)
	if !slices.Equal(r.Diff.Other, []string{"modes"}) {
		t.Errorf("compared with itself: %+v", r.Diff)
	}
	h.await("the same")
	_, err = h.ArmRevert(t.Context(), time.Millisecond)
	h.must(err)
	h.await("v1")
	h.must(os.Chtimes(h.config, time.Now(), time.Now())) // what was taken back is not read again
	h.expect("v2", "the same", "v1")
}
