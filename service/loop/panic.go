package loop

import (
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// restarts is the command that brings a backend back which has panicked.
const restarts = "midimonctl restart"

// closeWithin is how long a backend that has panicked may take to let go of what it holds.
const closeWithin = 2 * time.Second

var (
	// errPanic is the error of a backend that panicked. It is not called again: nobody knows in
	// which state it is. The others go on.
	errPanic = errors.New("it panicked and is out of use until midimon is restarted")
	// errHangs is the error of one that then does not even let go of what it holds.
	errHangs = errors.New("it does not let go of what it holds")
)

// guard calls the backend. A panic becomes an error.
func (s *sink) guard(call func() error) (err error) {
	defer s.caught(&err)
	return call()
}

// caught is deferred around calls of the backend: it makes an error of their panic, and the
// row of health that says so. What the backend does in goroutines of its own it does not see: such a
// panic ends the process, and with that the kernel lets go of the keys.
func (s *sink) caught(err *error) {
	v := recover()
	if v == nil {
		return
	}
	name := s.backend.Name()
	s.loop.log.Error("a backend panicked", "backend", name, "panic", fmt.Sprint(v), "stack", string(debug.Stack()))
	*err = &report.Fault{Check: name, Fix: restarts, Err: fmt.Errorf("%w: %v", errPanic, v)}
}

// try has the backend perform an effect.
func (s *sink) try(x *effect.Effect) (err error) {
	defer s.caught(&err)
	return s.backend.Do(x)
}

// close closes the backend, which lets go of what it holds. Why is what made that necessary; nil: the
// end. If one that presses keys cannot, then nothing but the end of the process releases them: the
// kernel does, and who supervises us starts us again.
func (s *sink) close(why error) error {
	var err error
	if !errors.Is(why, errPanic) {
		err = s.guard(s.backend.Close)
	} else {
		closed := make(chan error, 1)
		go func() { closed <- s.guard(s.backend.Close) }()
		select {
		case err = <-closed:
		case <-time.After(closeWithin):
			err = errHangs
		}
	}
	if why != nil && s == s.loop.routes[toKeys] && (errors.Is(err, errPanic) || errors.Is(err, errHangs)) {
		panic(fmt.Sprintf("keys may be held that only the end of midimon releases: %v", err))
	}
	return err
}
