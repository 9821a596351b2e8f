// Package reload turns the configuration file into a program: it sees when the file has
// changed and nobody writes it any more, reads it if it can be trusted, has it compiled, and
// makes requests that come together share one reading. What acts meanwhile, and afterwards if
// the file is bad, is decided elsewhere.
package reload

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"syscall"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

// A Guard keeps writers away from a file until it is closed. Writing says that it cannot
// because one is there already; neither that nobody can tell.
type Guard func(f *os.File) (held, writing bool)

var (
	// errMissing is the error of a file that is not there.
	errMissing = fmt.Errorf("%w: there is no file", report.ErrConfigUnreadable)
	errWritten = errors.New("somebody still writes it")
)

// file is a file as it was read. As long as it is open, nobody writes a guarded one.
type file struct {
	path     string
	text     []byte
	warnings []report.Diagnostic
	info     fs.FileInfo // nil: it could not be opened
	guarded  bool
	writing  bool  // somebody has it open for writing, so it was not read
	err      error // wraps report.ErrConfigUnreadable

	open *os.File
}

// read reads a file that has to be a regular one of at most config.MaxSize bytes, ours or
// root's, that others cannot write; that its group can is a warning. It has to be closed.
func read(path string, guard Guard) *file {
	r := &file{path: path}
	r.err = r.read(guard)
	return r
}

// ReadFile is the text of a file that fulfils what read asks for, and what is to be said of it
// besides. Error: one that wraps report.ErrConfigUnreadable, and fs.ErrNotExist if there is none.
func ReadFile(path string) ([]byte, []report.Diagnostic, error) {
	r := read(path, nil)
	r.close()
	if errors.Is(r.err, errMissing) {
		return nil, nil, fmt.Errorf("%w: %w", report.ErrConfigUnreadable, fs.ErrNotExist)
	}
	return r.text, r.warnings, r.err
}

func (r *file) read(guard Guard) (err error) {
	// Opening a FIFO would wait for its writer.
	r.open, err = os.OpenFile(r.path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fault(errMissing, "midimonctl template starter --output ", r.path)
	case errors.Is(err, fs.ErrPermission):
		return fault(fmt.Errorf("%w: %w", report.ErrConfigUnreadable, err), "chmod u+r ", r.path)
	case err != nil:
		return fmt.Errorf("%w: %w", report.ErrConfigUnreadable, err)
	}
	if r.info, err = r.open.Stat(); err == nil {
		err = r.trust()
	}
	if err != nil {
		return err
	}
	if guard != nil {
		if r.guarded, r.writing = guard(r.open); r.writing {
			return fault(fmt.Errorf("%w: %s: %w", report.ErrConfigUnreadable, r.path, errWritten), "fuser -v ", r.path)
		}
	}
	if r.info, err = r.open.Stat(); err == nil { // once nobody writes it
		all := bytes.NewBuffer(make([]byte, 0, r.info.Size()+bytes.MinRead)) // it need not grow
		_, err = all.ReadFrom(io.LimitReader(r.open, config.MaxSize+1))
		r.text = all.Bytes()
	}
	if err != nil {
		return fmt.Errorf("%w: %w", report.ErrConfigUnreadable, err)
	}
	return nil
}

// trust says why the file cannot be believed.
func (r *file) trust() error {
	st, ok := r.info.Sys().(*syscall.Stat_t)
	refuse := func(fix, why string, args ...any) error {
		return fault(fmt.Errorf("%w: %s %s", report.ErrConfigUnreadable, r.path, fmt.Sprintf(why, args...)), fix, r.path)
	}
	switch mode := r.info.Mode(); {
	case !mode.IsRegular():
		return refuse("mv -i -t /tmp ", "is no regular file")
	case !ok || st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return refuse("sudo chown "+us()+" ", "belongs to another user")
	case mode.Perm()&0o002 != 0:
		return refuse("chmod o-w ", "can be written by everybody")
	case r.info.Size() > config.MaxSize:
		return refuse("midimonctl validate ", "has %d bytes, more than %d", r.info.Size(), config.MaxSize)
	case mode.Perm()&0o020 != 0:
		r.warnings = []report.Diagnostic{{
			Severity: report.Warn, Code: string(config.GroupWritable), File: r.path, Line: 1, Column: 1,
			Message: "its group can write it, and so make midimon run commands", Hint: "chmod g-w " + r.path,
		}}
	}
	return nil
}

// fault is an error and the command that mends it, which the path ends.
func fault(err error, fix, path string) error {
	return &report.Fault{Check: "config", Fix: Command(fix, path), Err: err}
}

// Command is a command of a shell that the path ends.
func Command(words, path string) string { return words + quote(path) }

// us is who has to own the file.
func us() string {
	if u, err := user.Current(); err == nil {
		return u.Username
	}
	return strconv.Itoa(os.Geteuid())
}

// quote makes one word of a path, for a shell.
func quote(path string) string {
	plain := path != ""
	for _, c := range []byte(path) {
		plain = plain && (c == '/' || c == '.' || c == '-' || c == '_' || '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z')
	}
	if plain {
		return path
	}
	return "'" + string(bytes.ReplaceAll([]byte(path), []byte("'"), []byte(`'\''`))) + "'"
}

// close lets writers in again.
func (r *file) close() {
	if r.open != nil {
		_ = r.open.Close() // nothing was written
		r.open = nil
	}
}

// blank says that there is nothing in the file, which is what many begin to write with.
func (r *file) blank() bool { return r.err == nil && len(bytes.TrimSpace(r.text)) == 0 }

// same says that the path still leads to what was read, and that nobody changed it since.
func (r *file) same() bool {
	now, err := os.Stat(r.path)
	if err != nil {
		now = nil
	}
	return r.looksLike(now) && (r.err != nil || int64(len(r.text)) == r.info.Size())
}

// looksLike says that a file, or none, looks like this one; nil: there is none.
func (r *file) looksLike(o fs.FileInfo) bool {
	if r.info == nil || o == nil {
		return r.info == nil && o == nil
	}
	return os.SameFile(r.info, o) && r.info.Size() == o.Size() && r.info.ModTime().Equal(o.ModTime()) && r.info.Mode() == o.Mode()
}
