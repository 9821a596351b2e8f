//go:build linux && vm

package vm

import (
	"debug/dwarf"
	"debug/elf"
	"encoding/binary"
	"fmt"
	"os"
	"strings"
	"testing"
)

// goroutines counts the goroutines that a process's own code started and that still live.
// The daemon offers no such number, and need not: the runtime's list of them is read from
// its memory, with the program's debugging information for a map.
func goroutines(t *testing.T, pid int) int {
	t.Helper()
	exe, err := elf.Open(fmt.Sprintf("/proc/%d/exe", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = exe.Close() }()
	memory, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = memory.Close() }()
	word := func(at uint64) uint64 {
		b := make([]byte, 8)
		if _, err := memory.ReadAt(b, int64(at)); err != nil {
			t.Fatal(err)
		}
		return binary.NativeEndian.Uint64(b)
	}
	symbols, err := exe.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	var list uint64
	own := map[uint64]string{} // functions outside the runtime, by where they start
	for _, s := range symbols {
		switch {
		case s.Name == "runtime.allgs":
			list = s.Value
		case s.Name == "runtime.main" || !strings.HasPrefix(s.Name, "runtime."):
			own[s.Value] = s.Name
		}
	}
	status, start := offsets(t, exe)
	count := 0
	for i := range word(list + 8) {
		g := word(word(list) + 8*i)
		const dead, scanned = 6, 0x1000 // runtime2.go: _Gdead, _Gscan
		if s := uint32(word(g+status)) &^ scanned; s == dead || s == 0 {
			continue
		}
		if own[word(g+start)] != "" {
			count++
		}
	}
	return count
}

// offsets are where struct runtime.g has its status and the function that it began with.
func offsets(t *testing.T, exe *elf.File) (status, start uint64) {
	t.Helper()
	data, err := exe.DWARF()
	if err != nil {
		t.Fatal(err)
	}
	for r := data.Reader(); ; {
		entry, err := r.Next()
		if err != nil || entry == nil {
			t.Fatalf("no struct runtime.g: %v, %v", entry, err)
		}
		if entry.Tag != dwarf.TagStructType || entry.Val(dwarf.AttrName) != "runtime.g" {
			continue
		}
		for {
			field, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if field == nil || field.Tag != dwarf.TagMember {
				return status, start
			}
			offset, _ := field.Val(dwarf.AttrDataMemberLoc).(int64)
			switch field.Val(dwarf.AttrName) {
			case "atomicstatus":
				status = uint64(offset)
			case "startpc":
				start = uint64(offset)
			}
		}
	}
}
