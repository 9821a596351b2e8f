//go:build linux

package main

import (
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

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

// steps does what an editor asks the kernel for, as strace(1) shows it: each line is a call.
// TEXT is what is written, in two parts; F is the file.
func (h *house) steps(script string) {
	h.t.Helper()
	dir := filepath.Dir(h.config)
	text := version(2)
	var f *os.File
	for line := range strings.Lines(strings.TrimSpace(script)) {
		w := strings.Fields(strings.ReplaceAll(line, "F", h.config))
		name := func(i int) string { return filepath.Join(dir, filepath.Base(w[i])) }
		var err error
		switch w[0] {
		case "open":
			flag := os.O_WRONLY
			for _, x := range w[2:] {
				flag |= map[string]int{"creat": os.O_CREATE, "trunc": os.O_TRUNC, "excl": os.O_EXCL}[x]
			}
			f, err = os.OpenFile(name(1), flag, 0o644)
		case "truncate":
			err = f.Truncate(0)
		case "write":
			half := len(text) / 2
			if _, err = f.WriteString(text[:half]); err == nil {
				_, err = f.WriteString(text[half:])
			}
		case "swap": // something that is not ours
			_, err = f.WriteString("b0VIM 9.0")
		case "fsync":
			err = f.Sync()
		case "chmod":
			err = f.Chmod(0o644)
		case "close":
			err = f.Close()
		case "rename":
			err = os.Rename(name(1), name(2))
		case "unlink":
			err = os.Remove(name(1))
		case "symlink":
			err = os.Symlink(w[1], name(2))
		case "copy":
			var was []byte
			if was, err = os.ReadFile(name(1)); err == nil {
				err = os.WriteFile(name(2), was, 0o600)
			}
		default:
			h.t.Fatalf("unknown step %q", line)
		}
		h.must(err)
	}
}

// How editors save, by strace.
var editors = map[string]string{
	"vim": `
		open .config.toml.swp creat excl
		swap
		close
		open F creat
		truncate
		write
		fsync
		chmod
		close
		unlink .config.toml.swp`,
	"vim, backupcopy=no": `
		open 4913 creat excl
		close
		unlink 4913
		rename F F~
		open F creat trunc
		write
		fsync
		chmod
		close
		unlink F~`,
	"vim, backupcopy=yes": `
		copy F F~
		open F creat
		truncate
		write
		fsync
		close
		unlink F~`,
	"emacs": `
		symlink user@host.1234 .#config.toml
		rename F F~
		open F creat trunc
		write
		close
		open F
		chmod
		close
		unlink .#config.toml`,
	"emacs, no backup": `
		symlink user@host.1234 .#config.toml
		open F creat trunc
		write
		close
		open F
		close
		unlink .#config.toml`,
	"nano": `
		open .config.toml.swp creat excl
		close
		open F creat trunc
		write
		fsync
		close
		unlink .config.toml.swp`,
	"nano, backup": `
		copy F F~
		open F creat trunc
		write
		fsync
		close`,
	"VS Code": `
		open F creat trunc
		write
		fsync
		close`,
	"gedit, kate": `
		open .goutputstream-X creat excl
		write
		fsync
		close
		rename .goutputstream-X F`,
}

// TestEditors saves as editors do: never is there a moment at which something else is read.
func TestEditors(t *testing.T) {
	for name, script := range editors {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &house{t: t, dir: t.TempDir()}
			h.put("config.toml", version(1))
			h = inhabit(t, h.dir, "config.toml", nil)
			began := time.Now()
			h.steps(script)
			h.paused = time.Since(began)
			h.expectUnlessLate("v2")
		})
	}
}

// TestChanges changes the configuration in every way in which it is changed: each is seen once.
func TestChanges(t *testing.T) {
	const conf = "config.toml"
	for _, c := range []struct {
		name  string
		path  string // "" is conf
		set   func(h *house)
		act   func(h *house)
		story string
		quiet bool // it is about what is not believed before nothing happened for a while
	}{
		{name: "in place", act: func(h *house) { h.put(conf, version(2)) }},
		{name: "4 kB pieces", act: func(h *house) { h.pieces(conf, long(2, 40_000), 4096, 5*time.Millisecond) }},
		{name: "single bytes", act: func(h *house) { h.pieces(conf, long(2, 300), 1, 2*time.Millisecond) }},
		{name: "a long pause", act: func(h *house) { h.pieces(conf, version(2)+version(3)[18:], len(version(2)), 300*time.Millisecond) }},
		{name: "another file over it", act: func(h *house) { h.replace(version(2)) }},
		{name: "another file over it, from elsewhere", act: func(h *house) {
			h.mkdir("elsewhere")
			h.put("elsewhere/x", version(2))
			h.must(os.Rename(h.path("elsewhere/x"), h.config))
		}},
		{name: "an older file over it", act: func(h *house) {
			h.put("old", version(2))
			h.must(os.Chtimes(h.path("old"), time.Unix(1, 0), time.Unix(1, 0)), os.Rename(h.path("old"), h.config))
		}},
		{name: "emptied first", quiet: true, act: func(h *house) {
			h.put(conf, "")
			h.pause(30 * time.Millisecond)
			h.put(conf, "\n\n")
			h.pause(30 * time.Millisecond)
			h.put(conf, version(2))
		}},
		{name: "removed first", quiet: true, act: func(h *house) {
			h.must(os.Remove(h.config))
			h.pause(30 * time.Millisecond)
			h.put(conf, version(2))
		}},
		{name: "emptied", story: "Default v2", act: func(h *house) {
			h.put(conf, "")
			h.await("Default")
			h.put(conf, version(2))
		}},
		{name: "removed for long", story: "bad v2", act: func(h *house) {
			h.must(os.Remove(h.config))
			h.await("bad")
			h.put(conf, version(2))
		}},
		{name: "bad, then good", story: "bad v2", act: func(h *house) {
			h.put(conf, "modes = 1")
			h.await("bad")
			h.put(conf, version(2))
		}},
		{name: "touched", act: func(h *house) {
			for _, touch := range []func(){
				func() { h.must(os.Chtimes(h.config, time.Now(), time.Now())) },
				func() { h.must(os.Chmod(h.config, 0o400)) },
				func() { h.must(os.Chmod(h.config, 0o600)) },
				func() { h.put(conf, version(1)) },
				func() { h.replace(version(1)) },
			} {
				touch()
				time.Sleep(20 * time.Millisecond) // long enough to be read each time
			}
			h.replace(version(2))
		}},
		{name: "not to be trusted", story: "bad v2", act: func(h *house) {
			h.must(os.Chmod(h.config, 0o602))
			h.await("bad")
			h.must(os.Chmod(h.config, 0o600)) // what it was before: nothing to tell
			h.put(conf, version(2))
		}},
		{
			name: "its link, at once",
			set:  func(h *house) { h.put("a", version(1)); h.put("b", version(2)); h.link("a", conf) },
			act:  func(h *house) { h.relink("b", conf) },
		},
		{
			name: "its link, in two steps",
			set:  func(h *house) { h.put("a", version(1)); h.put("b", version(2)); h.link("a", conf) },
			act: func(h *house) {
				h.must(os.Remove(h.config))
				h.link(h.path("b"), conf)
			},
		},
		{
			name: "what its link leads to, in place",
			path: "conf/config.toml",
			set: func(h *house) {
				h.mkdir("conf")
				h.mkdir("dotfiles/x")
				h.put("dotfiles/x/midimon", version(1))
				h.link("../dotfiles/x/midimon", "conf/config.toml")
			},
			act: func(h *house) { h.put("dotfiles/x/midimon", version(2)) },
		},
		{
			name: "what its link leads to, another file",
			path: "conf/config.toml",
			set: func(h *house) {
				h.mkdir("conf")
				h.mkdir("dotfiles")
				h.put("dotfiles/midimon", version(1))
				h.link("../dotfiles/midimon", "conf/config.toml")
			},
			act: func(h *house) { h.put("x", version(2)); h.must(os.Rename(h.path("x"), h.path("dotfiles/midimon"))) },
		},
		{
			name: "a generation of links (NixOS)",
			path: "config/midimon/config.toml",
			set: func(h *house) {
				for i, g := range []string{"store/1", "store/2"} {
					h.mkdir(g + "/etc/midimon")
					h.put(g+"/etc/midimon/config.toml", version(i+1))
				}
				h.mkdir("config")
				h.mkdir("profiles")
				h.link("../store/1", "profiles/now")
				h.link("../profiles/now/etc/midimon", "config/midimon")
			},
			act: func(h *house) { h.relink("../store/2", "profiles/now") },
		},
		{
			name: "a folder of links (stow)",
			path: "config/midimon/config.toml",
			set: func(h *house) {
				h.mkdir("config")
				h.mkdir("dotfiles/midimon")
				h.put("dotfiles/midimon/config.toml", version(1))
				h.link("../dotfiles/midimon", "config/midimon")
			},
			act: func(h *house) { // stow unfolds the folder into a real one with links in it
				h.put("dotfiles/midimon/config.toml", version(2))
				h.must(os.Remove(h.path("config/midimon")))
				h.mkdir("config/midimon")
				h.link("../../dotfiles/midimon/config.toml", "config/midimon/config.toml")
			},
		},
		{
			name: "its folder removed and made again",
			path: "a/b/config.toml",
			set:  func(h *house) { h.mkdir("a/b"); h.put("a/b/config.toml", version(1)) },
			act: func(h *house) {
				for range 3 { // the same names, other folders
					h.must(os.RemoveAll(h.path("a")))
					h.mkdir("a/b")
				}
				h.put("a/b/config.toml", version(2))
			},
		},
		{
			name: "another folder in its place",
			path: "a/b/config.toml",
			set: func(h *house) {
				h.mkdir("a/b")
				h.put("a/b/config.toml", version(1))
				h.mkdir("x/b")
				h.put("x/b/config.toml", version(2))
			},
			act: func(h *house) {
				h.must(os.Rename(h.path("a"), h.path("old")), os.Rename(h.path("x"), h.path("a")))
			},
		},
		{
			name: "two folders change places",
			path: "a/b/config.toml",
			set: func(h *house) {
				h.mkdir("a/b")
				h.put("a/b/config.toml", version(1))
				h.mkdir("x/b")
				h.put("x/b/config.toml", version(2))
			},
			act: func(h *house) {
				h.must(unix.Renameat2(unix.AT_FDCWD, h.path("a"), unix.AT_FDCWD, h.path("x"), unix.RENAME_EXCHANGE))
			},
		},
		{
			name: "what it includes",
			set: func(h *house) {
				h.put(conf, "include = [\"more/a.toml\"]\n")
				h.mkdir("more")
				h.put("more/a.toml", version(1))
			},
			act: func(h *house) { h.put("more/a.toml", version(2)) },
		},
		{
			name: "what it includes, by a link",
			set: func(h *house) {
				h.put(conf, "include = [\"a.toml\"]\n")
				h.mkdir("more")
				h.put("more/1", version(1))
				h.put("more/2", version(2))
				h.link("more/1", "a.toml")
			},
			act: func(h *house) { h.relink("more/2", "a.toml") },
		},
		{
			name:  "what it includes was not there",
			story: "bad v2",
			set:   func(h *house) { h.put(conf, version(1)) },
			act: func(h *house) {
				h.put(conf, "include = [\"more/a.toml\"]\n")
				h.await("bad")
				h.mkdir("more")
				h.put("more/a.toml", version(2))
			},
		},
		{
			name:  "what it includes is not to be trusted",
			story: "bad v2",
			set:   func(h *house) { h.put(conf, "include = [\"a.toml\"]\n"); h.put("a.toml", version(1)) },
			act: func(h *house) {
				h.must(os.Chmod(h.path("a.toml"), 0o602))
				h.await("bad")
				h.must(os.Chmod(h.path("a.toml"), 0o600), os.WriteFile(h.path("a.toml"), []byte(version(2)), 0o600))
			},
		},
		{
			name: "what is included by what is included",
			set: func(h *house) {
				h.put(conf, "include = [\"1.toml\"]\n")
				for i := range 7 {
					h.put(fmt.Sprint(i+1, ".toml"), fmt.Sprintf("include = [\"%d.toml\"]\n", i+2))
				}
				h.put("8.toml", version(1))
			},
			act: func(h *house) { h.pieces("8.toml", version(2), 10, 10*time.Millisecond) },
		},
		{
			name: "a folder that was not there",
			path: "a/b/c/config.toml",
			set:  func(*house) {},
			act:  func(h *house) { h.mkdir("a/b/c"); h.put("a/b/c/config.toml", version(2)) },
		},
		{
			name: "a link that led nowhere",
			set:  func(h *house) { h.link("later/midimon", conf) },
			act:  func(h *house) { h.mkdir("later"); h.put("later/midimon", version(2)) },
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			h := &house{t: t, dir: t.TempDir()}
			if c.path == "" {
				c.path = conf
			}
			if c.set == nil {
				h.put(conf, version(1))
			} else {
				c.set(h)
			}
			h = inhabit(t, h.dir, c.path, nil)
			began := time.Now()
			c.act(h)
			if c.story == "" {
				c.story = "v2"
				if h.paused == 0 { // it is to happen at once
					h.paused, c.quiet = time.Since(began), true
				}
			}
			if c.quiet {
				h.expectUnlessLate(strings.Fields(c.story)...)
				return
			}
			h.expect(strings.Fields(c.story)...)
		})
	}
}

// TestChangesWithoutLeases is for file systems that know none: then nothing may have happened
// for a while.
func TestChangesWithoutLeases(t *testing.T) {
	for name, act := range map[string]func(h *house){
		"in place":             func(h *house) { h.put("config.toml", version(2)) },
		"4 kB pieces":          func(h *house) { h.pieces("config.toml", long(2, 40_000), 4096, 20*time.Millisecond) },
		"another file over it": func(h *house) { h.replace(version(2)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := &house{t: t, dir: t.TempDir()}
			h.put("config.toml", version(1))
			h = inhabit(t, h.dir, "config.toml", func(o *service.Options) { o.Guard = nil })
			act(h)
			h.expectUnlessLate("v2")
		})
	}
}

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
