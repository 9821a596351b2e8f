// Package state keeps what survives a restart in one small file. A file that cannot be read
// is set aside, never lost and never fatal.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"golang.org/x/sys/unix"
)

// maxSize is far above what is ever written.
const maxSize = 1 << 20

// State is what is kept.
type State struct {
	BaseMode string `json:"base_mode"`
}

// Load reads the file. With none there is nothing to know and no error. A file that is no
// state of ours is renamed to path.corrupt, which the error says; one that is not ours, or no
// regular file, is left alone.
func Load(path string) (State, error) {
	var s State
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return s, nil
	}
	if err != nil {
		return s, fmt.Errorf("cannot open the state: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	fi, err := f.Stat()
	if err != nil {
		return s, fmt.Errorf("cannot look at the state: %w", err)
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); !ok || !fi.Mode().IsRegular() || int(st.Uid) != os.Geteuid() {
		return s, fmt.Errorf("cannot use the state %s: it is no file of ours", path)
	}
	text, err := io.ReadAll(io.LimitReader(f, maxSize))
	if err != nil {
		return s, fmt.Errorf("cannot read the state: %w", err)
	}
	if err := json.Unmarshal(text, &s); err != nil {
		aside := path + ".corrupt"
		return State{}, errors.Join(fmt.Errorf("cannot read the state, set aside as %s: %w", aside, err), os.Rename(path, aside))
	}
	return s, nil
}

// Save writes the file whole or not at all: written beside, flushed, renamed over, and the
// directory flushed.
func Save(path string, s State) error {
	if err := save(path, s); err != nil {
		return fmt.Errorf("cannot save the state: %w", err)
	}
	return nil
}

func save(path string, s State) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, ".state-*") // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
