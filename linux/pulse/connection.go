//go:build linux

package pulse

import (
	"context"
	"errors"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/jfreymuth/pulse/proto"
)

// requestTimeout is how long the server may take to answer. One that takes longer hangs.
const requestTimeout = time.Second

// kinds of object, as bits.
type kinds uint8

const (
	sinks kinds = 1 << iota
	sources
	playbacks  // sink inputs: what applications play
	recordings // source outputs: what they record
	defaults
	everything = sinks | sources | playbacks | recordings | defaults
)

// connection is one connection to the server. Requests are for one goroutine at a time.
type connection struct {
	client *proto.Client
	wire   *wire
	gone   chan struct{} // closed when the server is
	once   sync.Once
	dirty  chan struct{} // has a value when changed is not empty

	mu      sync.Mutex
	changed kinds
}

// connect reaches the server, says who we are and asks for events.
func connect(ctx context.Context, all []server, secret []byte) (*connection, error) {
	ctx, cancel := context.WithTimeout(ctx, requestTimeout)
	defer cancel()
	socket, err := dial(ctx, all)
	if err != nil {
		return nil, err
	}
	c := &connection{wire: newWire(socket, requestTimeout), gone: make(chan struct{}), dirty: make(chan struct{}, 1)}
	// The library calls Callback as soon as it reads, so it must be there before. Its own
	// Connect sets none, and crashes when the server goes.
	c.client = &proto.Client{Callback: c.hear}
	c.client.SetTimeout(requestTimeout)
	c.client.Open(c.wire)
	if err := c.greet(secret); err != nil {
		c.close()
		return nil, fmt.Errorf("cannot talk to the sound server: %w", err)
	}
	return c, nil
}

func (c *connection) greet(secret []byte) error {
	var auth proto.AuthReply
	if err := c.client.Request(&proto.Auth{Version: c.client.Version(), Cookie: secret}, &auth); err != nil {
		return err
	}
	c.client.SetVersion(auth.Version)
	who := proto.PropList{
		"application.name":       proto.PropListString("midimon"),
		"application.id":         proto.PropListString("com.amiable.Midimon"),
		"application.process.id": proto.PropListString(fmt.Sprint(os.Getpid())),
	}
	if err := c.client.Request(&proto.SetClientName{Props: who}, &proto.SetClientNameReply{}); err != nil {
		return err
	}
	return c.client.Request(&proto.Subscribe{
		Mask: proto.SubscriptionMaskSink | proto.SubscriptionMaskSource | proto.SubscriptionMaskSinkInput |
			proto.SubscriptionMaskSourceInput | proto.SubscriptionMaskServer,
	}, nil)
}

// hear is called by the library's reader. It must neither request nor wait.
func (c *connection) hear(message any) {
	switch m := message.(type) {
	case *proto.ConnectionClosed:
		c.close()
	case *proto.SubscribeEvent:
		c.mu.Lock()
		defer c.mu.Unlock()
		switch m.Event.GetFacility() {
		case proto.EventSink:
			c.changed |= sinks
		case proto.EventSource:
			c.changed |= sources
		case proto.EventSinkSinkInput:
			c.changed |= playbacks
		case proto.EventSinkSourceOutput:
			c.changed |= recordings
		case proto.EventServer:
			c.changed |= defaults
		default:
			return
		}
		select {
		case c.dirty <- struct{}{}:
		default:
		}
	}
}

// news are the kinds that changed since the last time.
func (c *connection) news() kinds {
	c.mu.Lock()
	defer c.mu.Unlock()
	k := c.changed
	c.changed = 0
	return k
}

// request asks the server. An error that is no proto.Error means that it is gone.
func (c *connection) request(args proto.RequestArgs, reply proto.Reply) error {
	err := c.client.Request(args, reply)
	if errors.Is(err, context.DeadlineExceeded) {
		err = fmt.Errorf("it does not answer: %w", err)
	}
	if err != nil && !isRefusal(err) {
		c.close()
	}
	return err
}

// isRefusal says whether the server said no, and is well.
func isRefusal(err error) bool {
	var no proto.Error
	return errors.As(err, &no)
}

// close ends the connection; all that waits for an answer gets an error.
func (c *connection) close() {
	c.once.Do(func() {
		close(c.gone)
		_ = c.wire.Close()
	})
}
