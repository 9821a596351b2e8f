// Package state keeps what survives a restart in one small file. A file that cannot be read
// is set aside, never lost and never fatal.
package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine/report"
)

const (
	// version is that of the format. It grows when an older midimon would misread it.
	version = 1
	// maxSize is far above what is ever written.
	maxSize = 1 << 20
	// maxToggles is how many are kept.
	maxToggles = 1000
	// temporary is what the files are called in which a state is written.
	temporary = ".state-*"
)

// State is what is kept. What is held down, a latched pad too, is let go of when midimon
// stops, and so is not in it.
type State struct {
	BaseMode string          `json:"base_mode"`
	Toggles  map[string]bool `json:"toggles,omitempty"` // that were switched, by state
	Counters Counters        `json:"counters"`
	Reloads  Reloads         `json:"reloads"`
}

// Counters count since they were last made to begin anew.
type Counters struct {
	Received  uint64 `json:"received"`
	Performed uint64 `json:"performed"`
	Failed    uint64 `json:"failed"`
	Refused   uint64 `json:"refused"`
	Lost      uint64 `json:"lost"`
}

// Reloads is report.Reloads.
type Reloads struct {
	Accepted uint64        `json:"accepted"`
	Failed   uint64        `json:"failed"`
	Last     time.Duration `json:"last_ns"`
	Fastest  time.Duration `json:"fastest_ns"`
	Slowest  time.Duration `json:"slowest_ns"`
	Total    time.Duration `json:"total_ns"`
}

// Count takes in what was counted.
func (s *State) Count(c report.Stats, r report.Reloads) {
	s.Counters = Counters{c.Received, c.Performed, c.Failed, c.Refused, c.Lost}
	s.Reloads = Reloads(r)
}

// Counted is what Count took in. How long events take is not kept.
func (s *State) Counted() (report.Stats, report.Reloads) {
	c := s.Counters
	return report.Stats{Received: c.Received, Performed: c.Performed, Failed: c.Failed, Refused: c.Refused, Lost: c.Lost}, report.Reloads(s.Reloads)
}

// Stands says whether both have the engine stand at the same place; counters may differ.
func (s *State) Stands(o *State) bool {
	return s.BaseMode == o.BaseMode && maps.Equal(s.Toggles, o.Toggles)
}

// envelope is the file.
type envelope struct {
	Version int             `json:"version"`
	Sum     string          `json:"sha256"` // of state, without white space
	Saved   time.Time       `json:"saved"`
	State   json.RawMessage `json:"state"`
}

// A SetAsideError says that the file was no state of ours, and is kept under another name.
type SetAsideError struct {
	Path string // where it is now
	Why  error
}

func (e *SetAsideError) Error() string {
	return fmt.Sprintf("cannot use the state, set aside as %s: %v", e.Path, e.Why)
}

func (e *SetAsideError) Unwrap() error { return e.Why }

// Load reads the file. With none there is nothing to know and no error. What is no state of
// this version is renamed, which is a *SetAsideError. Any other error leaves the file alone,
// and it is not ours to write: a symbolic link, somebody else's, no regular file. To look
// leaves it alone whatever it is.
func Load(path string, look bool) (State, error) {
	text, writable, err := read(path)
	if err != nil || text == nil {
		return State{}, err
	}
	s, kind, err := parse(text)
	if writable {
		s, kind, err = State{}, "not-trusted", errors.New("others could write it")
	}
	if err == nil {
		return s, nil
	}
	if look {
		return State{}, fmt.Errorf("cannot use the state: %w", err)
	}
	aside, failed := setAside(path, kind)
	if failed != nil {
		return State{}, fmt.Errorf("cannot use the state: %w", errors.Join(err, failed))
	}
	return State{}, &SetAsideError{aside, err}
}

// read says also whether others can write the file.
func read(path string) (text []byte, writable bool, err error) {
	f, err := os.OpenFile(path, os.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, fmt.Errorf("cannot open the state: %w", err)
	}
	defer f.Close() //nolint:errcheck // nothing was written
	fi, err := f.Stat()
	if err != nil {
		return nil, false, fmt.Errorf("cannot look at the state: %w", err)
	}
	if st, ok := fi.Sys().(*syscall.Stat_t); !ok || !fi.Mode().IsRegular() || int(st.Uid) != os.Geteuid() {
		return nil, false, fmt.Errorf("cannot use the state %s: it is no file of ours", path)
	}
	if text, err = io.ReadAll(io.LimitReader(f, maxSize+1)); err != nil {
		return nil, false, fmt.Errorf("cannot read the state: %w", err)
	}
	return text, fi.Mode().Perm()&0o022 != 0, nil
}

// parse returns what to call a file that is no state.
func parse(text []byte) (s State, kind string, err error) {
	const corrupt = "corrupt"
	if len(text) > maxSize {
		return s, corrupt, fmt.Errorf("it has more than %d bytes", maxSize)
	}
	var e envelope
	if err := json.Unmarshal(text, &e); err != nil {
		return s, corrupt, err
	}
	if e.Version != version {
		return s, fmt.Sprintf("version-%d", e.Version), fmt.Errorf("it is of version %d, and this is version %d", e.Version, version)
	}
	if sum(e.State) != e.Sum {
		return s, corrupt, errors.New("its checksum is wrong")
	}
	if err := json.Unmarshal(e.State, &s); err != nil {
		return State{}, corrupt, err
	}
	return s, "", nil
}

func sum(state json.RawMessage) string {
	var b bytes.Buffer
	_ = json.Compact(&b, state) // what is no JSON has some sum, and not the right one
	h := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(h[:])
}

// setAside gives the file a name that no other has.
func setAside(path, kind string) (string, error) {
	for n := 1; ; n++ {
		aside := path + "." + kind
		if n > 1 {
			aside = fmt.Sprintf("%s-%d", aside, n)
		}
		err := os.Link(path, aside) // a rename would replace what is there
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		return aside, os.Remove(path)
	}
}

// Save writes the file whole or not at all: written beside, flushed, renamed over, and the
// directory flushed.
func Save(path string, s State) error {
	text, err := encode(s)
	if err == nil {
		err = Write(path, text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("cannot save the state: %w", err)
	}
	return nil
}

func encode(s State) ([]byte, error) {
	if len(s.Toggles) > maxToggles {
		s.Toggles = nil // somebody makes names up
	}
	state, err := json.Marshal(s)
	if err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(envelope{version, sum(state), time.Now().UTC().Truncate(time.Second), state}, "", "  ")
	if err != nil {
		return nil, err
	}
	return append(text, '\n'), nil
}

// Clean removes what a midimon that was killed was writing in path's directory.
func Clean(path string) {
	left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), temporary)) // the pattern is good
	for _, name := range left {
		_ = os.Remove(name) // it is in nobody's way
	}
}

// Write makes text the file at path, whole or not at all, whatever happens meanwhile. Its
// directory is made if it is missing.
func Write(path string, text []byte, mode fs.FileMode) error {
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(dir, temporary) // mode 0600
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err == nil && mode != 0o600 {
		err = f.Chmod(mode)
	}
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
