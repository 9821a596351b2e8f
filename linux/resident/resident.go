//go:build linux

// Package resident gives back to the system what a process has in memory and does not need any
// more. What the process keeps is not its business.
package resident

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"strings"

	"golang.org/x/sys/unix"
)

// Program gives back the pages of the program's own code and constants, which most of it needs
// only to begin. The system still has them, as a part of the file, and gives back those that are
// used again, a few at a time and without reading the file: some 20 us for the next note.
func Program() error {
	f, err := os.Open("/proc/self/maps")
	if err != nil {
		return err
	}
	defer f.Close() //nolint:errcheck // nothing was written
	all, err := mappings(f, reflect.ValueOf(Program).Pointer())
	if err != nil {
		return fmt.Errorf("cannot find the program in memory: %w", err)
	}
	for _, m := range all {
		if _, _, e := unix.Syscall(unix.SYS_MADVISE, m.from, m.to-m.from, unix.MADV_DONTNEED); e != 0 {
			return os.NewSyscallError("madvise", e)
		}
	}
	return nil
}

// mapping is a part of the address space.
type mapping struct{ from, to uintptr }

var errNone = errors.New("it is not there")

// mappings are those of the file which is mapped at an address that cannot be written, out of a
// text as proc_pid_maps(5) describes it. Nothing of them can differ from the file.
func mappings(maps io.Reader, at uintptr) (of []mapping, err error) {
	files := map[string][]mapping{}
	own := ""
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		var m mapping
		var may, offset, device string
		var inode uint64
		if _, err := fmt.Sscanf(lines.Text(), "%x-%x %s %s %s %d", &m.from, &m.to, &may, &offset, &device, &inode); err != nil {
			return nil, fmt.Errorf("%q: %w", lines.Text(), err)
		}
		file := fmt.Sprint(device, " ", inode)
		if inode == 0 || strings.Contains(may, "w") || !strings.HasPrefix(may, "r") {
			continue
		}
		files[file] = append(files[file], m)
		if m.from <= at && at < m.to {
			own = file
		}
	}
	if own == "" {
		return nil, errors.Join(errNone, lines.Err())
	}
	return files[own], lines.Err()
}
