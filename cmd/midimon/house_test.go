//go:build linux

package main

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/lease"
	"github.com/amiable-dev/midimon/service"
)

// alone is a service manager that does not care.
type alone struct{}

func (alone) Ready(string)            {}
func (alone) Status(string)           {}
func (alone) Alive()                  {}
func (alone) Stopping()               {}
func (alone) Watchdog() time.Duration { return 0 }

// house is a daemon of the real parts, whose configuration changes.
type house struct {
	*service.Daemon
	t      *testing.T
	dir    string
	config string
	wake   <-chan struct{}
	drain  func() ([]report.Event, uint64)
	story  []string      // what was accepted ("v2", "the same" as before), and "bad" for what was not
	other  bool          // what is being accepted is another than before
	paused time.Duration // the longest pause
}

// version is a configuration that can be told from others.
func version(n int) string {
	return fmt.Sprintf("# a configuration\n[[modes]]\nname = \"v%d\"\n", n)
}

// inhabit starts a daemon in dir, whose configuration is at a path in it.
func inhabit(t *testing.T, dir, path string, change func(*service.Options)) *house {
	t.Helper()
	h := &house{t: t, dir: dir, config: filepath.Join(dir, path)}
	runtime := t.TempDir()
	o := service.Options{
		Version: "1", Config: h.config, RuntimeDir: runtime, StartedBy: "by a test", Guard: lease.Hold, Supervisor: alone{},
		Clock: service.Monotonic(), Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	h.Daemon = service.New(o)
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- h.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	over := time.After(patience)
	for h.Status().State == report.Starting {
		select {
		case <-time.After(time.Millisecond):
		case <-over:
			t.Fatal("it does not start")
		}
	}
	h.wake, h.drain, _ = h.Subscribe()
	return h
}

// read adds what happened to the story.
func (h *house) read() {
	events, dropped := h.drain()
	if dropped > 0 {
		h.t.Fatalf("%d events lost", dropped)
	}
	for _, e := range events {
		switch {
		case e.Kind == report.ModeChanged && e.Cause == "reload":
			h.story, h.other = append(h.story, e.New), true
		case e.Kind == report.ReloadFinished && !e.Reload.OK:
			h.story = append(h.story, "bad")
		case e.Kind == report.ReloadFinished:
			if !h.other {
				h.story = append(h.story, "the same")
			}
			h.other = false
		}
	}
}

// await waits until the story ends with what is wanted.
func (h *house) await(want string) {
	h.t.Helper()
	over := time.After(patience)
	for h.read(); len(h.story) == 0 || h.story[len(h.story)-1] != want; h.read() {
		select {
		case <-h.wake:
		case <-over:
			h.t.Fatalf("no %s: %q, %+v", want, h.story, h.Status().LastReload)
		}
	}
}

// expect waits for the story. Nothing may come after it but what is changed later.
func (h *house) expect(want ...string) {
	h.t.Helper()
	h.await(want[len(want)-1])
	h.replace(version(999)) // whatever else was on its way comes before this
	h.await("v999")
	if want = append(want, "v999"); !slices.Equal(h.story, want) {
		h.t.Errorf("%q, want %q", h.story, want)
	}
}

func (h *house) must(errs ...error) {
	h.t.Helper()
	for _, err := range errs {
		if err != nil {
			h.t.Fatal(err)
		}
	}
}

func (h *house) path(name string) string { return filepath.Join(h.dir, name) }

// put writes a file in place, as a shell does.
func (h *house) put(name, text string) {
	h.t.Helper()
	h.must(os.WriteFile(h.path(name), []byte(text), 0o600))
}

// replace renames a new file over the configuration's path.
func (h *house) replace(text string) {
	h.t.Helper()
	name := h.config + ".new"
	h.must(os.WriteFile(name, []byte(text), 0o600), os.Rename(name, h.config))
}

func (h *house) mkdir(name string) {
	h.t.Helper()
	h.must(os.MkdirAll(h.path(name), 0o700))
}

func (h *house) link(target, name string) {
	h.t.Helper()
	h.must(os.Symlink(target, h.path(name)))
}

// relink makes a link lead elsewhere at once.
func (h *house) relink(target, name string) {
	h.t.Helper()
	h.link(target, name+".link")
	h.must(os.Rename(h.path(name+".link"), h.path(name)))
}

// pieces writes a file in place, some bytes at a time.
func (h *house) pieces(name, text string, size int, pause time.Duration) {
	h.t.Helper()
	f, err := os.OpenFile(h.path(name), os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	h.must(err)
	for piece := range slices.Chunk([]byte(text), size) {
		_, err := f.Write(piece)
		h.must(err)
		h.pause(pause)
	}
	h.must(f.Close())
}

// pause is what a test is about: somebody does nothing for a while. A machine without a
// processor to give makes it longer.
func (h *house) pause(d time.Duration) {
	began := time.Now()
	time.Sleep(d)
	h.paused = max(h.paused, time.Since(began))
}

// expectUnlessLate is expect where the pauses had to be shorter than a quiet time. Where they were
// not, only what is there in the end can be known.
func (h *house) expectUnlessLate(want ...string) {
	h.t.Helper()
	if h.paused < 80*time.Millisecond {
		h.expect(want...)
		return
	}
	h.t.Logf("paused for %v", h.paused)
	h.await(want[len(want)-1])
}

// long is a version of about that many bytes of which nearly every part of whole lines is a
// configuration of another version.
func long(n, size int) string {
	var b strings.Builder
	for i := 0; b.Len() < size; i++ {
		fmt.Fprintf(&b, "[[modes]]\nname = \"v%d-%d\"\n", n, i)
	}
	return fmt.Sprintf("[[modes]]\nname = \"v%d\"\n", n) + b.String()
}
