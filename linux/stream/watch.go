//go:build linux

package stream

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// watcher hears of entries that come to directories, leave them or change their mode. It is
// inotify(7) itself because fsnotify cannot be told to leave writes out, and each byte of
// music is one.
type watcher struct {
	file *os.File
	raw  syscall.RawConn
	dirs map[string]int // watch descriptors by directory
}

const watched = unix.IN_CREATE | unix.IN_DELETE | unix.IN_MOVED_FROM | unix.IN_MOVED_TO | unix.IN_ATTRIB |
	unix.IN_DELETE_SELF | unix.IN_MOVE_SELF | unix.IN_ONLYDIR

func newWatcher() (*watcher, error) {
	fd, err := unix.InotifyInit1(unix.IN_NONBLOCK | unix.IN_CLOEXEC)
	if err != nil {
		return nil, os.NewSyscallError("inotify_init1", err)
	}
	f := os.NewFile(uintptr(fd), "inotify")
	raw, err := f.SyscallConn()
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &watcher{file: f, raw: raw}, nil
}

func (w *watcher) add(dir string) (wd int, err error) {
	if e := w.raw.Control(func(fd uintptr) { wd, err = unix.InotifyAddWatch(int(fd), dir, watched) }); e != nil {
		return 0, e
	}
	return wd, err
}

// cover watches the directory of each path or, while that is missing, the nearest above it;
// and nothing else. What was watched before stays watched without a gap.
func (w *watcher) cover(paths []string) {
	before := w.dirs
	w.dirs = map[string]int{}
	for _, path := range paths {
		w.nearest(filepath.Dir(path))
	}
	kept := map[int]bool{}
	for _, wd := range w.dirs {
		kept[wd] = true
	}
	for _, wd := range before {
		if !kept[wd] {
			_ = w.raw.Control(func(fd uintptr) {
				_, _ = unix.InotifyRmWatch(int(fd), uint32(wd)) // gone by itself, at worst
			})
		}
	}
}

func (w *watcher) nearest(want string) {
	dir := want
	wd, err := w.add(dir)
	for err != nil && filepath.Dir(dir) != dir {
		dir = filepath.Dir(dir)
		wd, err = w.add(dir)
	}
	w.dirs[dir] = wd
	for dir != want { // down again, as far as directories came in between
		dir = below(dir, want)
		if wd, err = w.add(dir); err != nil {
			return
		}
		w.dirs[dir] = wd
	}
}

// below is the directory under dir on the way down to path.
func below(dir, path string) string {
	for filepath.Dir(path) != dir {
		path = filepath.Dir(path)
	}
	return path
}

// watch runs until the session is closed. Events only say that it is time to look.
func (s *Session) watch() {
	buf := make([]byte, 4096)
	for {
		if _, err := s.watcher.file.Read(buf); err != nil {
			return
		}
		s.mu.Lock()
		if !s.closed {
			s.look()
		}
		s.mu.Unlock()
	}
}

// look brings watches, listeners and Changed up to what the paths name now. The caller
// holds mu.
func (s *Session) look() {
	s.watcher.cover(s.places())
	for _, l := range s.listeners {
		if now, err := look(l.path()); err != nil || !now.closeSame(l.target) {
			l.stop(vanished)
		}
	}
	now := map[string]unix.Stat_t{}
	for _, path := range s.paths {
		if t, err := look(path); err == nil {
			now[path] = t.stat
			t.close()
		}
	}
	if !sameFiles(now, s.seen) {
		s.ping()
	}
	s.seen = now
}

// places are the paths and what symbolic links among them lead to: either may change. Paths
// listened to count while they are, configured or not.
func (s *Session) places() []string {
	all := append([]string(nil), s.paths...)
	for _, l := range s.listeners {
		all = append(all, l.path())
	}
	for _, path := range all {
		if end, err := filepath.EvalSymlinks(path); err == nil && end != path {
			all = append(all, end)
		}
	}
	return all
}

func sameFiles(a, b map[string]unix.Stat_t) bool {
	if len(a) != len(b) {
		return false
	}
	for path, x := range a {
		if y, ok := b[path]; !ok || !sameFile(&x, &y) {
			return false
		}
	}
	return true
}

func sameFile(a, b *unix.Stat_t) bool {
	return a.Dev == b.Dev && a.Ino == b.Ino && a.Rdev == b.Rdev
}
