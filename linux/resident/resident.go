//go:build linux

// Package resident gives back to the system what a process has in memory and does not need any
// more. What the process keeps is not its business.
package resident

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// Tables gives back the pages of the tables by which Go finds its way on stacks, a third of the
// program: they are needed to begin, to collect garbage and to panic, and for no note. The system
// still has them, as a part of the file, and gives back what is used again.
func Tables() error {
	exe, err := os.Open("/proc/self/exe")
	if err != nil {
		return err
	}
	defer exe.Close() //nolint:errcheck // nothing was written
	at, size, err := section(exe, ".gopclntab")
	if err != nil {
		return fmt.Errorf("cannot find the tables in the program: %w", err)
	}
	maps, err := os.Open("/proc/self/maps")
	if err != nil {
		return err
	}
	defer maps.Close() //nolint:errcheck // nothing was written
	path, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	from, to, err := mapped(maps, path, at, size)
	if err != nil {
		return fmt.Errorf("cannot find the tables in memory: %w", err)
	}
	page := uintptr(os.Getpagesize())
	from, to = (from+page-1)&^(page-1), to&^(page-1)
	if _, _, e := unix.Syscall(unix.SYS_MADVISE, from, to-from, unix.MADV_DONTNEED); e != 0 {
		return os.NewSyscallError("madvise", e)
	}
	return nil
}

var errNone = errors.New("they are not there")

// section is where a section stands in an ELF file of 64 bits (elf(5)). debug/elf says it too,
// and brings all that a debugger needs.
func section(f io.ReaderAt, name string) (at, size uint64, err error) {
	var head [64]byte
	if _, err := f.ReadAt(head[:], 0); err != nil {
		return 0, 0, err
	}
	var order binary.ByteOrder = binary.LittleEndian
	if head[5] == 2 {
		order = binary.BigEndian
	}
	if string(head[:5]) != "\x7fELF\x02" {
		return 0, 0, errors.New("it is no program of 64 bits")
	}
	each, n, names := int64(order.Uint16(head[58:])), int64(order.Uint16(head[60:])), int64(order.Uint16(head[62:]))
	if each < 64 {
		return 0, 0, errNone
	}
	table := make([]byte, each*n)
	if _, err := f.ReadAt(table, int64(order.Uint64(head[40:]))); err != nil { //nolint:gosec // too large: an error
		return 0, 0, err
	}
	place := func(s []byte) (at, size uint64) { return order.Uint64(s[24:]), order.Uint64(s[32:]) }
	if names >= n {
		return 0, 0, errNone
	}
	textAt, textSize := place(table[each*names:])
	text := make([]byte, min(textSize, 1<<16))
	if _, err := f.ReadAt(text, int64(textAt)); err != nil { //nolint:gosec // too large: an error
		return 0, 0, err
	}
	for s := table; int64(len(s)) >= each; s = s[each:] {
		if i := int64(order.Uint32(s)); i < int64(len(text)) && strings.HasPrefix(string(text[i:]), name+"\x00") {
			at, size := place(s)
			return at, size, nil
		}
	}
	return 0, 0, errNone
}

// mapped is where a part of a file is in memory, out of a text as proc_pid_maps(5) describes it.
// What can be written is not meant: it may differ from the file.
func mapped(maps io.Reader, path string, at, size uint64) (from, to uintptr, err error) {
	lines := bufio.NewScanner(maps)
	for lines.Scan() {
		line, ok := strings.CutSuffix(lines.Text(), path)
		if !ok {
			continue
		}
		var begin, end, offset uint64
		var may string
		if _, err := fmt.Sscanf(line, "%x-%x %s %x", &begin, &end, &may, &offset); err != nil {
			return 0, 0, fmt.Errorf("%q: %w", line, err)
		}
		if strings.HasPrefix(may, "r-") && offset <= at && at-offset+size <= end-begin {
			begin += at - offset
			return uintptr(begin), uintptr(begin + size), nil
		}
	}
	return 0, 0, errors.Join(errNone, lines.Err())
}
