//go:build linux

package x11

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// held is the file that says what is down, one keycode a line, or a button as aButton has it, so
// that whoever comes after a crash can release it.
type held struct {
	path string
	file *os.File // nil: there is no place for one
	size int
}

// openHeld opens the file in a directory, which is made, and returns what was down when whoever
// wrote it ended. Without a directory nothing is written.
func openHeld(dir string) (h *held, left []uint16, err error) {
	h = &held{}
	if dir == "" {
		return h, nil, nil
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return h, nil, fmt.Errorf("cannot keep what is held down: %w", err)
	}
	h.path = filepath.Join(dir, "held")
	text, err := os.ReadFile(h.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return h, nil, fmt.Errorf("cannot read what was held down: %w", err)
	}
	for word := range strings.FieldsSeq(string(text)) {
		if code, err := strconv.ParseUint(word, 10, 9); err == nil && code >= 8 {
			left = append(left, uint16(code))
		}
	}
	if h.file, err = os.OpenFile(h.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return h, left, fmt.Errorf("cannot keep what is held down: %w", err)
	}
	h.size = len(text)
	return h, left, nil
}

// write says what is down now.
func (h *held) write(down []uint16) error {
	if h.file == nil {
		return nil
	}
	var b []byte
	for _, code := range down {
		b = append(strconv.AppendUint(b, uint64(code), 10), '\n')
	}
	_, err := h.file.WriteAt(b, 0)
	if err == nil && len(b) < h.size {
		err = h.file.Truncate(int64(len(b)))
	}
	h.size = len(b)
	if err != nil {
		return fmt.Errorf("cannot keep what is held down: %w", err)
	}
	return nil
}

func (h *held) close() error {
	if h.file == nil {
		return nil
	}
	return errors.Join(h.file.Close(), os.Remove(h.path))
}
