//go:build linux

package bus

import (
	"sync"

	"github.com/godbus/dbus/v5"
)

// maxBehind is how many signals may wait for one who is behind.
const maxBehind = 4096

// signals hands the signals of a connection to all who hear them, in their order, and waits for none of
// them: godbus's handlers let those who are behind be so without a bound. One who has missed a signal would
// know something false from then on. So the connection ends when one is too far behind, and all look anew,
// as they do when the bus is lost.
type signals struct {
	end func() // the connection; set before anybody hears

	mu      sync.Mutex
	hearers []*hearer
	ended   bool
}

// connect makes a connection to a bus with such signals.
func connect(address string) (*dbus.Conn, error) {
	s := &signals{}
	conn, err := dbus.Connect(address, dbus.WithSignalHandler(s))
	if err != nil {
		return nil, err
	}
	s.end = func() { _ = conn.Close() }
	return conn, nil
}

// DeliverSignal takes a signal from the connection.
func (s *signals) DeliverSignal(_, _ string, signal *dbus.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	for _, h := range s.hearers {
		if !h.put(signal) {
			s.ended = true
			go s.end() // it waits for us
			return
		}
	}
}

// AddSignal makes signals go to a channel.
func (s *signals) AddSignal(ch chan<- *dbus.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ended {
		return
	}
	h := &hearer{to: ch, more: make(chan struct{}, 1), done: make(chan struct{}), over: make(chan struct{})}
	s.hearers = append(s.hearers, h)
	go h.run()
}

// RemoveSignal ends that. Nothing goes to the channel any more when it returns.
func (s *signals) RemoveSignal(ch chan<- *dbus.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, h := range s.hearers {
		if h.to == ch {
			h.close()
			s.hearers = append(s.hearers[:i], s.hearers[i+1:]...)
			return
		}
	}
}

// Terminate closes all channels: the connection is lost.
func (s *signals) Terminate() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
	for _, h := range s.hearers {
		h.close()
		close(h.to)
	}
	s.hearers = nil
}

// A hearer is one channel, and what waits for it.
type hearer struct {
	to         chan<- *dbus.Signal
	more       chan struct{} // something waits
	done, over chan struct{} // it is to end; it has

	mu      sync.Mutex
	waiting []*dbus.Signal
}

// put adds a signal to what waits, if there is room.
func (h *hearer) put(s *dbus.Signal) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) == maxBehind {
		return false
	}
	h.waiting = append(h.waiting, s)
	select {
	case h.more <- struct{}{}:
	default:
	}
	return true
}

// take is the first of what waits, or nil.
func (h *hearer) take() *dbus.Signal {
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.waiting) == 0 {
		h.waiting = nil // and the room of a flood is given back
		return nil
	}
	s := h.waiting[0]
	h.waiting[0], h.waiting = nil, h.waiting[1:]
	return s
}

func (h *hearer) run() {
	defer close(h.over)
	for {
		select {
		case <-h.done:
			return
		case <-h.more:
		}
		for s := h.take(); s != nil; s = h.take() {
			select {
			case <-h.done:
				return
			case h.to <- s:
			}
		}
	}
}

func (h *hearer) close() {
	close(h.done)
	<-h.over
}
