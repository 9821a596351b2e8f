//go:build linux

package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/service"
)

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
