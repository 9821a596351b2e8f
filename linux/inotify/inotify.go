//go:build linux

// Package inotify tells of what comes to directories, leaves them or changes its rights
// (inotify(7)), for whoever waits for a device or a socket. Writes are left out, which fsnotify
// cannot be told to do: in /dev every line that any program prints is one. Waiting takes 4 kB of
// memory.
package inotify

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

const mask = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ATTRIB |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

// A Watcher watches directories. Its methods may be called from any goroutine.
type Watcher struct {
	// Events are the paths to which something happened. An empty one says that events were lost,
	// so that anything may have happened.
	Events <-chan string

	file *os.File
	done chan struct{}
	end  sync.Once

	mu   sync.Mutex
	dirs map[int32]string
}

// New makes a watcher that watches nothing yet. The error says that there are too many.
func New() (*Watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	events := make(chan string)
	w := &Watcher{Events: events, file: os.NewFile(uintptr(fd), "inotify"), done: make(chan struct{}), dirs: map[int32]string{}}
	go w.read(events)
	return w, nil
}

// Add has a directory watched too. It may be watched already. Error: fs.ErrNotExist among others.
func (w *Watcher) Add(dir string) error {
	raw, err := w.file.SyscallConn()
	if err != nil {
		return err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var failed error
	err = raw.Control(func(fd uintptr) {
		wd, err := unix.InotifyAddWatch(int(fd), dir, mask)
		if err != nil {
			failed = &os.PathError{Op: "watch", Path: dir, Err: err}
			return
		}
		w.dirs[int32(wd)] = dir //nolint:gosec // it is one
	})
	return errors.Join(err, failed)
}

// Close ends it. Events stays open and has no more values.
func (w *Watcher) Close() {
	w.end.Do(func() {
		close(w.done)
		_ = w.file.Close() // nothing was written
	})
}

func (w *Watcher) read(out chan<- string) {
	buf := make([]byte, 4096)
	for {
		n, err := w.file.Read(buf)
		if err != nil { // it was closed
			return
		}
		for b := buf[:n]; len(b) >= unix.SizeofInotifyEvent; {
			e := (*unix.InotifyEvent)(unsafe.Pointer(&b[0])) //nolint:gosec // as the kernel wrote it
			end := unix.SizeofInotifyEvent + int(e.Len)
			path := w.path(e, unix.ByteSliceToString(b[unix.SizeofInotifyEvent:end]))
			b = b[end:]
			if e.Mask&unix.IN_IGNORED != 0 { // the last of a directory's end, which was told of
				continue
			}
			select {
			case out <- path:
			case <-w.done:
				return
			}
		}
	}
}

// path is what happened to it, or empty if events were lost.
func (w *Watcher) path(e *unix.InotifyEvent, name string) string {
	w.mu.Lock()
	defer w.mu.Unlock()
	dir, ok := w.dirs[e.Wd]
	switch {
	case !ok || e.Mask&unix.IN_Q_OVERFLOW != 0:
		return ""
	case e.Mask&unix.IN_IGNORED != 0:
		delete(w.dirs, e.Wd)
		return dir
	}
	return filepath.Join(dir, name)
}
