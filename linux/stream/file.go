//go:build linux

package stream

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kind is what a path is, as far as it may be opened.
type kind int

const (
	fifo kind = iota
	tty
	sound
)

// ErrRefused says that a path exists and must not be opened.
var ErrRefused = errors.New("refused")

// target is a path resolved and looked at, and not yet opened: what open opens is the very
// file that was looked at, whatever the path means by then.
type target struct {
	path *os.File // O_PATH
	stat unix.Stat_t
	kind kind
}

// look resolves a path, symbolic links too, without opening what it names: opening a device
// may already do something to it. Errors: fs.ErrNotExist, ErrRefused, others.
func look(path string) (*target, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	t := &target{path: os.NewFile(uintptr(fd), path)}
	if err := unix.Fstat(fd, &t.stat); err != nil {
		t.close()
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if t.kind, err = judge(&t.stat); err != nil {
		t.close()
		return nil, fmt.Errorf("%s is %w", path, err)
	}
	return t, nil
}

// judge says what a file is, or why it must not be opened.
func judge(st *unix.Stat_t) (kind, error) {
	k, err := kindOf(st)
	switch {
	case err != nil:
	case st.Uid != 0 && st.Uid != uint32(os.Getuid()):
		err = fmt.Errorf("%w: its owner is neither you nor root", ErrRefused)
	case st.Mode&unix.S_IWOTH != 0:
		err = fmt.Errorf("%w: everybody may write to it", ErrRefused)
	}
	return k, err
}

// kindOf tells FIFOs, terminal lines and sound devices from what must not be opened. The
// kernel says of a device what it is in /sys/dev/char; of pseudo terminals it does not, but
// their major numbers are fixed (Documentation/admin-guide/devices.txt).
func kindOf(st *unix.Stat_t) (kind, error) {
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		return fifo, nil
	case unix.S_IFCHR:
		major, minor := unix.Major(st.Rdev), unix.Minor(st.Rdev)
		if major >= 136 && major <= 143 {
			return tty, nil
		}
		subsystem, err := os.Readlink(fmt.Sprintf("/sys/dev/char/%d:%d/subsystem", major, minor))
		switch filepath.Base(subsystem) {
		case "tty":
			return tty, err
		case "sound":
			return sound, err
		}
	}
	return 0, fmt.Errorf("%w: it is no FIFO, serial line or sound device", ErrRefused)
}

func (t *target) close() { _ = t.path.Close() } // nothing was written

// closeSame closes t and says whether it is the same file as o.
func (t *target) closeSame(o *target) bool {
	t.close()
	return sameFile(&t.stat, &o.stat)
}

// open opens what was looked at, ready for bytes: without waiting, without becoming our
// terminal, and a FIFO for writing too, so that it does not end with its last writer.
func (t *target) open() (*os.File, error) {
	name := t.path.Name()
	fd, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", t.path.Fd()), unix.O_RDWR|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: name, Err: err}
	}
	switch t.kind {
	case tty:
		err = makeRaw(fd)
	case sound:
		growBuffer(fd)
	case fifo:
	}
	if err != nil {
		return nil, errors.Join(&os.PathError{Op: "set raw", Path: name, Err: err}, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}

// makeRaw does what cfmakeraw(3) does: the line's discipline would eat half of the bytes.
// The speed stays as it is set; no carrier is waited for.
func makeRaw(fd int) error {
	t, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return err
	}
	t.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	t.Oflag &^= unix.OPOST
	t.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	t.Cflag &^= unix.CSIZE | unix.PARENB
	t.Cflag |= unix.CS8 | unix.CLOCAL | unix.CREAD
	t.Cc[unix.VMIN], t.Cc[unix.VTIME] = 1, 0
	return unix.IoctlSetTermios(fd, unix.TCSETS, t)
}

// rawmidiParams is struct snd_rawmidi_params (include/uapi/sound/asound.h).
type rawmidiParams struct {
	stream     int32
	bufferSize uintptr
	availMin   uintptr
	_          [20]byte
}

const (
	rawmidiInput  = 1       // SNDRV_RAWMIDI_STREAM_INPUT
	rawmidiBuffer = 1 << 20 // bytes, the most that the kernel grants; the default is 4096
)

// growBuffer gives a flood room. A device that refuses works with the room it has.
func growBuffer(fd int) {
	p := rawmidiParams{stream: rawmidiInput, bufferSize: rawmidiBuffer, availMin: 1}
	const request = 3<<30 | unsafe.Sizeof(p)<<16 | 'W'<<8 | 0x10 // SNDRV_RAWMIDI_IOCTL_PARAMS
	_, _, _ = unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(&p)))
}

// writeWithin is how long a Send may wait for a line to take its bytes: MIDI 1.0 sends
// some 3000 of them a second.
const writeWithin = time.Second
