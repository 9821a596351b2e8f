package reload

import "github.com/amiable-dev/midimon/engine/config"

// Taken is a configuration that somebody wants to change.
type Taken struct {
	Text []byte
	Open config.Open // for what it includes

	s *snapshot
}

// Take reads a configuration by the same rules as a Reader. Until it is closed nobody writes
// it in place, where that can be had. Errors wrap report.ErrConfigUnreadable.
func Take(path string, guard Guard) (*Taken, error) {
	s := &snapshot{guard: guard}
	f := s.file(path)
	if f.err != nil {
		s.close()
		return nil, f.err
	}
	return &Taken{Text: f.text, Open: s.open, s: s}, nil
}

// Same says that it is still what was read.
func (t *Taken) Same() bool { return t.s.same() }

// Close lets others write.
func (t *Taken) Close() { t.s.close() }
