// Package lock keeps a runtime directory to one daemon: the directory and what makes it
// trustworthy, the lock in it, and the socket beside that.
package lock

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

const fileName = "lock"

// Clients that ask who holds the lock have a share of it for a moment. A daemon that meets
// one tries again.
const (
	tries    = 10
	tryPause = 10 * time.Millisecond
)

// Owner is who holds a lock.
type Owner struct {
	Pid int    // 0: not known
	How string // how it was started: "by systemd"
}

func (o Owner) String() string {
	if o.Pid == 0 {
		return "another process"
	}
	return strings.TrimSpace(fmt.Sprintf("process %d, started %s", o.Pid, o.How))
}

// Held says that another daemon holds the lock.
type Held struct{ Owner Owner }

func (h *Held) Error() string { return "midimon already runs: " + h.Owner.String() }

// Dir makes the directory if there is none. It must be a directory of ours that nobody else
// may enter, and no symbolic link, in a directory in which nobody else could put another in its
// place.
func Dir(dir string) error {
	if err := os.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("cannot make the runtime directory: %w", err)
	}
	fi, err := os.Lstat(dir)
	if err != nil {
		return fmt.Errorf("cannot look at the runtime directory: %w", err)
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	switch {
	case !fi.IsDir():
		return fmt.Errorf("cannot use %s: it is no directory", dir)
	case !ok || int(st.Uid) != os.Geteuid():
		return fmt.Errorf("cannot use %s: it belongs to another user", dir)
	case fi.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("cannot use %s: others may enter it (mode %03o, want 700)", dir, fi.Mode().Perm())
	}
	return parent(filepath.Dir(dir))
}

// parent checks the directory in which ours is.
func parent(dir string) error {
	fi, err := os.Stat(dir)
	if err != nil {
		return fmt.Errorf("cannot look at the runtime directory: %w", err)
	}
	st, ok := fi.Sys().(*syscall.Stat_t)
	switch {
	case !ok || st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return fmt.Errorf("cannot use %s: it belongs to another user", dir)
	case fi.Mode().Perm()&0o022 != 0 && fi.Mode()&fs.ModeSticky == 0:
		return fmt.Errorf("cannot use %s: others may write it", dir)
	}
	return nil
}

// A Lock is held until Close, or until the process ends.
type Lock struct{ file *os.File }

// Take takes the lock in dir, which Dir has checked, and writes down who has it. The error is
// a *Held if another daemon has it.
func Take(dir, how string) (*Lock, error) {
	f, err := os.OpenFile(filepath.Join(dir, fileName), os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cannot open the lock: %w", err)
	}
	err = flock(f, unix.LOCK_EX)
	for range tries {
		if !errors.Is(err, unix.EWOULDBLOCK) {
			break
		}
		time.Sleep(tryPause)
		err = flock(f, unix.LOCK_EX)
	}
	if errors.Is(err, unix.EWOULDBLOCK) {
		err = &Held{Owner: owner(f)}
	} else if err == nil {
		err = write(f, how)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return &Lock{file: f}, nil
}

func flock(f *os.File, how int) error {
	return unix.Flock(int(f.Fd()), how|unix.LOCK_NB)
}

func write(f *os.File, how string) error {
	err := f.Truncate(0)
	if err == nil {
		_, err = f.WriteAt(fmt.Appendf(nil, "%d %s\n", os.Getpid(), how), 0)
	}
	if err != nil {
		return fmt.Errorf("cannot write the lock: %w", err)
	}
	return nil
}

// Close gives the lock back. The file stays: removing it could remove another's.
func (l *Lock) Close() error { return l.file.Close() }

// Holder tells whether a daemon holds the lock in dir, and which.
func Holder(dir string) (Owner, bool, error) {
	f, err := os.OpenFile(filepath.Join(dir, fileName), os.O_RDONLY|unix.O_NOFOLLOW, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return Owner{}, false, nil
	}
	if err != nil {
		return Owner{}, false, fmt.Errorf("cannot open the lock: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	err = flock(f, unix.LOCK_SH)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return owner(f), true, nil
	}
	return Owner{}, false, err
}

func owner(f *os.File) Owner {
	text, err := io.ReadAll(io.NewSectionReader(f, 0, 256))
	if err != nil {
		return Owner{}
	}
	pid, how, _ := strings.Cut(strings.TrimSpace(string(text)), " ")
	n, err := strconv.Atoi(pid)
	if err != nil || n <= 0 {
		return Owner{}
	}
	return Owner{Pid: n, How: how}
}
