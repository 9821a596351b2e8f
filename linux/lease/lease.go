//go:build linux

// Package lease tells by a lease (fcntl(2), F_SETLEASE) whether somebody has a file open for
// writing, and keeps writers waiting while it is read. Nothing else says so: inotify tells
// that a file was closed, and not whether it was the last who had it open.
package lease

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// remote are file systems where others may write without our kernel knowing, or whose leases
// mean something else.
var remote = map[int64]bool{
	unix.NFS_SUPER_MAGIC:  true,
	unix.SMB_SUPER_MAGIC:  true,
	unix.SMB2_SUPER_MAGIC: true,
	unix.CIFS_SUPER_MAGIC: true,
	unix.CEPH_SUPER_MAGIC: true,
	unix.AFS_SUPER_MAGIC:  true,
	unix.CODA_SUPER_MAGIC: true,
	unix.V9FS_MAGIC:       true,
	unix.FUSE_SUPER_MAGIC: true,
}

// Hold keeps writers away from a regular file, open for reading only, until it is closed: who
// opens it to write waits that long. Writing says that there is one already. Neither says that
// it cannot be told: the file is not ours, or the file system knows no leases.
//
// A lease that a writer waits for is told to us by SIGIO, which Go programs ignore.
func Hold(f *os.File) (held, writing bool) {
	raw, err := f.SyscallConn()
	if err != nil {
		return false, false
	}
	var failed error
	err = raw.Control(func(fd uintptr) {
		var fs unix.Statfs_t
		if failed = unix.Fstatfs(int(fd), &fs); failed != nil {
			return
		}
		if remote[int64(fs.Type)] { //nolint:unconvert // another type on other processors
			failed = unix.ENOTSUP
			return
		}
		_, failed = unix.FcntlInt(fd, unix.F_SETLEASE, unix.F_RDLCK)
	})
	switch {
	case err != nil:
		return false, false
	case errors.Is(failed, unix.EAGAIN):
		return false, true
	}
	return failed == nil, false
}
