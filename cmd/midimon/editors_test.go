//go:build linux

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

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
