package reload

import (
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

const (
	// Quiet is for how long nothing may have happened before a file counts that is empty, is
	// missing or cannot be read, or of which nobody can tell whether somebody writes it.
	Quiet = 100 * time.Millisecond
	// Settled is the quiet of who does not care.
	Settled = time.Duration(1<<63 - 1)
)

// Outcome is what came of reading the file.
type Outcome struct {
	Program     *engine.Program // nil if Err is not
	Settings    config.Settings
	Diagnostics []report.Diagnostic
	Phases      report.Phases // of reading
	Sum         Sum           // of what was read
	Missing     bool          // there is no file
	Err         error         // wraps report.ErrConfigUnreadable or report.ErrConfigInvalid

	Again   time.Duration // not 0: it is too early to tell, try again then at the latest
	Writing bool          // because somebody has a file open for writing
}

// Sum tells readings apart: by what was read and how far it can be trusted.
type Sum [sha256.Size]byte

// A Reader reads a configuration.
type Reader struct {
	Path  string
	Guard Guard // nil: nobody can tell who writes

	last atomic.Pointer[reading] // nil: nothing was read
	seen map[string]sight        // of what could not be believed at once, by path
}

// sight is what a file looked like, and since when.
type sight struct {
	file  *file // without its text
	since time.Time
}

// unchanged is for how long a file has looked as it does, as far as we have looked: something
// may have happened of which nobody has heard yet.
func (r *Reader) unchanged(f *file) time.Duration {
	now := time.Now()
	if was, ok := r.seen[f.path]; ok && was.file.looksLike(f.info) {
		return now.Sub(was.since)
	}
	if r.seen == nil {
		r.seen = map[string]sight{}
	}
	r.seen[f.path] = sight{&file{info: f.info}, now}
	return 0
}

// reading is what was read.
type reading struct {
	files []string // the first is the reader's own
	sum   Sum
}

// Files are the files that made the configuration read last, or that it wants and are missing.
// It may be called from anywhere.
func (r *Reader) Files() []string {
	if last := r.last.Load(); last != nil {
		return last.files
	}
	return []string{r.Path}
}

// Read reads and compiles the configuration, if nothing happened to it for long enough and
// nobody writes it.
func (r *Reader) Read(quiet time.Duration) Outcome {
	o, _ := r.read(quiet, Sum{})
	return o
}

// ReadOther is Read, but says so and does nothing if what it finds is what was read last.
func (r *Reader) ReadOther(quiet time.Duration) (o Outcome, other bool) {
	known := Sum{}
	if last := r.last.Load(); last != nil {
		known = last.sum
	}
	return r.read(quiet, known)
}

func (r *Reader) read(quiet time.Duration, known Sum) (o Outcome, other bool) {
	began := time.Now()
	lap := func(d *time.Duration) {
		now := time.Now()
		*d, began = now.Sub(began), now
	}
	s := snapshot{guard: r.Guard}
	defer s.close()
	for _, path := range r.Files() { // most likely it is these again
		s.file(path)
	}
	lap(&o.Phases.Read)
	if o.Again, o.Writing = r.wait(&s, quiet); o.Again > 0 {
		return o, true
	}
	if known != (Sum{}) && s.sum() == known && s.same() {
		r.seen = nil
		return o, false
	}
	s.used = s.used[:0]
	var parsed config.Parsed
	main := s.file(r.Path)
	s.use(main)
	if main.err == nil {
		parsed = config.Parse(r.Path, main.text, s.open)
	}
	lap(&o.Phases.Parse)
	if o.Again, o.Writing = r.wait(&s, quiet); o.Again > 0 {
		return o, true
	}
	if !s.same() {
		o.Again = time.Millisecond
		return o, true
	}
	s.close()
	r.seen = nil
	o.Sum = s.sum()
	r.last.Store(&reading{s.paths(), o.Sum})
	if main.err != nil {
		o.Err, o.Missing = main.err, errors.Is(main.err, errMissing)
		return o, true
	}
	o.Program, o.Settings, o.Diagnostics = parsed.Compile()
	o.Diagnostics = slices.Concat(s.warnings(), o.Diagnostics)
	lap(&o.Phases.Compile)
	if o.Program == nil {
		o.Err = invalid(o.Diagnostics)
	}
	return o, true
}

// snapshot is files as they are at one instant.
type snapshot struct {
	guard Guard
	files []*file
	used  []*file // that make the configuration, in the order in which it asks for them
}

// file reads a file, or is what was read of it before.
func (s *snapshot) file(path string) *file {
	i := slices.IndexFunc(s.files, func(f *file) bool { return f.path == path })
	if i < 0 {
		i = len(s.files)
		s.files = append(s.files, read(path, s.guard))
		s.used = append(s.used, s.files[i])
	}
	return s.files[i]
}

// open is a file that another one includes.
func (s *snapshot) open(path string) ([]byte, error) {
	f := s.file(path)
	s.use(f)
	return f.text, f.err
}

func (s *snapshot) use(f *file) {
	if !slices.Contains(s.used, f) {
		s.used = append(s.used, f)
	}
}

// wait is how long it is too early to believe what was read; 0: it is not. For quiet the caller
// has heard of nothing that happened.
func (r *Reader) wait(s *snapshot, quiet time.Duration) (again time.Duration, writing bool) {
	for _, f := range s.used {
		switch {
		case f.writing:
			return time.Millisecond, true
		case quiet == Settled:
		case f.err != nil, f.blank(), !f.guarded:
			again = max(again, Quiet-min(quiet, r.unchanged(f)))
		}
	}
	return again, false
}

// same says that the paths still lead to what was read.
func (s *snapshot) same() bool {
	return !slices.ContainsFunc(s.used, func(f *file) bool { return !f.same() })
}

func (s *snapshot) paths() []string {
	var out []string
	for _, f := range s.used {
		out = append(out, f.path)
	}
	return out
}

func (s *snapshot) warnings() []report.Diagnostic {
	var out []report.Diagnostic
	for _, f := range s.used {
		out = append(out, f.warnings...)
	}
	return out
}

func (s *snapshot) sum() Sum {
	h := sha256.New()
	part := func(text []byte) {
		_ = binary.Write(h, binary.LittleEndian, uint64(len(text))) // a hash takes everything
		_, _ = h.Write(text)
	}
	for _, f := range s.used {
		part([]byte(f.path))
		if f.err != nil {
			part([]byte(f.err.Error()))
			continue
		}
		part(f.text)
		part([]byte{byte(len(f.warnings))})
	}
	return Sum(h.Sum(nil))
}

// close lets writers in again.
func (s *snapshot) close() {
	for _, f := range s.files {
		f.close()
	}
}

// invalid is the error of a file with errors: the first of them.
func invalid(diagnostics []report.Diagnostic) error {
	i := slices.IndexFunc(diagnostics, func(d report.Diagnostic) bool { return d.Severity == report.Error })
	if i < 0 {
		return report.ErrConfigInvalid
	}
	d := diagnostics[i]
	return fmt.Errorf("%w: %s:%d:%d: %s", report.ErrConfigInvalid, d.File, d.Line, d.Column, d.Message)
}

// Defaults is the program of no file at all: no mappings, every controller heard, none missed.
func Defaults() *engine.Program {
	p, _ := config.Load("", nil)
	for i := range p.Devices {
		p.Devices[i].Optional = true
	}
	return p
}
