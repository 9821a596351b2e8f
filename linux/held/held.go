//go:build linux

// Package held keeps what is held down in a file, for servers that keep keys down whose client was killed:
// whoever comes after a crash releases them. It presses nothing.
package held

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// A File says what is down, one code a line.
type File struct {
	path string
	file *os.File // nil: there is no place for one
	size int
}

// Open opens the file, whose directory is made, and returns what was down when whoever wrote it ended.
// Without a path nothing is written.
func Open(path string) (f *File, left []uint16, err error) {
	f = &File{path: path}
	if path == "" {
		return f, nil, nil
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return f, nil, fmt.Errorf("cannot keep what is held down: %w", err)
	}
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return f, nil, fmt.Errorf("cannot read what was held down: %w", err)
	}
	for word := range strings.FieldsSeq(string(text)) {
		if code, err := strconv.ParseUint(word, 10, 10); err == nil && code > 0 {
			left = append(left, uint16(code))
		}
	}
	if f.file, err = os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return f, left, fmt.Errorf("cannot keep what is held down: %w", err)
	}
	f.size = len(text)
	return f, left, nil
}

// Write says what is down now.
func (f *File) Write(down []uint16) error {
	if f.file == nil {
		return nil
	}
	var b []byte
	for _, code := range down {
		b = append(strconv.AppendUint(b, uint64(code), 10), '\n')
	}
	_, err := f.file.WriteAt(b, 0)
	if err == nil && len(b) < f.size {
		err = f.file.Truncate(int64(len(b)))
	}
	f.size = len(b)
	if err != nil {
		return fmt.Errorf("cannot keep what is held down: %w", err)
	}
	return nil
}

// Close removes the file.
func (f *File) Close() error {
	if f.file == nil {
		return nil
	}
	return errors.Join(f.file.Close(), os.Remove(f.path))
}
