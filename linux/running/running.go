//go:build linux

// Package running knows which programs of the user's run. It is asked; the kernel announces them to
// root alone.
package running

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/amiable-dev/midimon/engine/report"
)

const proc = "/proc"

// Names are the programs of the user's that run, each once: as the kernel has them, which cuts names
// after 15 bytes, and as they were started, without folders.
func Names() ([]string, error) {
	dirs, err := os.ReadDir(proc)
	if err != nil {
		return nil, &report.Fault{Check: "running", Fix: "sudo mount -t proc proc " + proc, Err: fmt.Errorf("cannot see which programs run: %w", err)}
	}
	var names []string
	for _, d := range dirs {
		if _, err := strconv.Atoi(d.Name()); err == nil {
			names = append(names, namesOf(filepath.Join(proc, d.Name()))...)
		}
	}
	slices.Sort(names)
	return slices.Compact(names), nil
}

// namesOf is a process's names; one that is not ours, or has ended, has none.
func namesOf(dir string) (names []string) {
	fi, err := os.Stat(dir)
	if err != nil {
		return nil
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); !ok || int(st.Uid) != os.Geteuid() {
		return nil
	}
	if comm, err := os.ReadFile(dir + "/comm"); err == nil {
		names = append(names, strings.TrimSpace(string(comm)))
	}
	if line, err := os.ReadFile(dir + "/cmdline"); err == nil {
		if program, _, _ := bytes.Cut(line, []byte{0}); len(program) > 0 {
			names = append(names, filepath.Base(string(program)))
		}
	}
	return names
}
