package client

import (
	"context"
	"sync/atomic"

	"github.com/godbus/dbus/v5"
)

// heardRoom is how many signals wait for who reads them slowly.
const heardRoom = 1024

// heard is where the signals of a connection wait until they are read. Who does not read them must hold up
// neither the answers to calls, which come the same way, nor memory: what finds no room is lost.
type heard struct {
	signals chan *dbus.Signal
	lost    atomic.Bool
}

func newHeard() *heard { return &heard{signals: make(chan *dbus.Signal, heardRoom)} }

// DeliverSignal is godbus' way in. The reader calls it.
func (h *heard) DeliverSignal(_, _ string, s *dbus.Signal) {
	select {
	case h.signals <- s:
	default:
		h.lost.Store(true)
	}
}

// next is the next signal, or nil after the last one: when the connection or ctx ended.
func (c *Client) next(ctx context.Context) *dbus.Signal {
	select {
	case s := <-c.heard.signals:
		return s
	case <-ctx.Done():
		return nil
	case <-c.conn.Context().Done():
	}
	select {
	case s := <-c.heard.signals:
		return s
	default:
		return nil
	}
}
