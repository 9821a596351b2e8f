package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
)

// logFile is the file that the configuration wants the log in, besides where it goes anyway.
// Whoever logs never waits for the disk: a line that finds no place is dropped, and the next
// one that does says so.
type logFile struct {
	lines   chan []byte
	files   chan *os.File // nil: no file any more
	taken   chan struct{} // what was in files is what is written to
	end     chan struct{}
	path    string // of the file in use; only set knows it
	on      atomic.Bool
	dropped atomic.Uint64
}

// waitingLines is how many lines may wait for the disk.
const waitingLines = 256

func newLogFile() *logFile {
	l := &logFile{lines: make(chan []byte, waitingLines), files: make(chan *os.File), taken: make(chan struct{}), end: make(chan struct{})}
	go l.write()
	return l
}

func (l *logFile) write() {
	defer close(l.end)
	var f *os.File
	put := func(line []byte) {
		if f == nil {
			return
		}
		if n := l.dropped.Swap(0); n > 0 {
			_, _ = fmt.Fprintf(f, "level=WARN msg=\"lines were dropped\" lines=%d\n", n)
		}
		_, _ = f.Write(line) // the log itself is where this would be told
	}
	shut := func() {
		for range len(l.lines) {
			put(<-l.lines)
		}
		if f != nil {
			_ = f.Close()
		}
	}
	for {
		select {
		case line := <-l.lines:
			put(line)
		case next, ok := <-l.files:
			shut()
			if !ok {
				return
			}
			f = next
			l.taken <- struct{}{}
		}
	}
}

// Write takes a line.
func (l *logFile) Write(line []byte) (int, error) {
	select {
	case l.lines <- bytes.Clone(line): // who calls keeps the memory
	default:
		l.dropped.Add(1)
	}
	return len(line), nil
}

// set writes to another file from now on, or with an empty path to none. A relative path is
// one in the folder; "~/" is the home directory. Only one goroutine may call it at a time.
func (l *logFile) set(path, folder string) error {
	if home, err := os.UserHomeDir(); err == nil && strings.HasPrefix(path, "~/") {
		path = filepath.Join(home, path[2:])
	}
	if path != "" && !filepath.IsAbs(path) {
		path = filepath.Join(folder, path)
	}
	if path == l.path {
		return nil
	}
	var f *os.File
	if path != "" {
		var err error
		if f, err = openLog(path); err != nil {
			return fmt.Errorf("cannot log to %s: %w", path, err)
		}
	}
	l.path = path
	l.turn(f)
	return nil
}

// turn makes f, or nothing, what is written to, and returns when it is: the next lines would still go where the
// last ones did.
func (l *logFile) turn(f *os.File) {
	if f == nil {
		l.on.Store(false)
	}
	l.files <- f
	<-l.taken
	l.on.Store(f != nil)
}

// openLog opens a file of ours for lines to be added.
func openLog(path string) (*os.File, error) {
	// Opening a FIFO would wait for its reader.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE|syscall.O_NONBLOCK, 0o600)
	if err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = errors.New("it is no regular file")
	}
	if err != nil {
		_ = f.Close()
		return nil, err
	}
	return f, nil
}

// close writes what waits and ends.
func (l *logFile) close() {
	l.on.Store(false)
	close(l.files)
	<-l.end
}

// handler logs to the file while there is one.
func (l *logFile) handler(level slog.Leveler) slog.Handler {
	return fileHandler{slog.NewTextHandler(l, &slog.HandlerOptions{Level: level}), &l.on}
}

// fileHandler does not even put lines together while there is no file.
type fileHandler struct {
	slog.Handler
	on *atomic.Bool
}

func (h fileHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h.on.Load() && h.Handler.Enabled(ctx, level)
}

func (h fileHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return fileHandler{h.Handler.WithAttrs(attrs), h.on}
}

func (h fileHandler) WithGroup(name string) slog.Handler {
	return fileHandler{h.Handler.WithGroup(name), h.on}
}
