// Package reload turns the configuration file into a program: it reads the file if it can be
// trusted, has it compiled, and makes requests that come together share one reading. What
// acts meanwhile, and afterwards if the file is bad, is decided elsewhere.
package reload

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"syscall"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

// errMissing is the error of a file that is not there.
var errMissing = fmt.Errorf("%w: there is no file", report.ErrConfigUnreadable)

// read returns the file's bytes. It must be a regular file of at most config.MaxSize bytes,
// ours or root's, that others cannot write; that its group can is a warning. The error wraps
// report.ErrConfigUnreadable.
func read(path string) ([]byte, []report.Diagnostic, error) {
	// Opening a FIFO would wait for its writer.
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil, errMissing
	}
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", report.ErrConfigUnreadable, err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	fi, err := f.Stat()
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", report.ErrConfigUnreadable, err)
	}
	var warnings []report.Diagnostic
	st, ok := fi.Sys().(*syscall.Stat_t)
	refuse := func(why string) ([]byte, []report.Diagnostic, error) {
		return nil, nil, fmt.Errorf("%w: %s %s", report.ErrConfigUnreadable, path, why)
	}
	switch {
	case !fi.Mode().IsRegular():
		return refuse("is no regular file")
	case !ok || st.Uid != 0 && int(st.Uid) != os.Geteuid():
		return refuse("belongs to another user")
	case fi.Mode().Perm()&0o002 != 0:
		return refuse("can be written by everybody")
	case fi.Size() > config.MaxSize:
		return refuse(fmt.Sprintf("has %d bytes, more than %d", fi.Size(), config.MaxSize))
	case fi.Mode().Perm()&0o020 != 0:
		warnings = append(warnings, report.Diagnostic{
			Severity: report.Warn, Code: "group-writable", File: path, Line: 1, Column: 1,
			Message: "its group can write it, and so make midimon run commands", Hint: "chmod g-w " + path,
		})
	}
	text, err := io.ReadAll(io.LimitReader(f, config.MaxSize+1))
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", report.ErrConfigUnreadable, err)
	}
	return text, warnings, nil
}
