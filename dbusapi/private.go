package dbusapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"sync"
	"time"
)

const (
	maxPeers         = 32
	handshakeTimeout = 5 * time.Second
	acceptPause      = 100 * time.Millisecond
)

// ServePrivate serves clients of the private socket, peer to peer, until ctx is done or the
// listener is closed; it closes the listener and returns when every connection has ended. Only
// processes of our own user are let in.
func (s *Server) ServePrivate(ctx context.Context, l net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	var peers sync.WaitGroup
	defer peers.Wait()
	defer cancel()
	places := make(chan struct{}, maxPeers)
	for {
		socket, err := l.Accept()
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("cannot accept clients: %w", err)
		case err != nil: // out of descriptors: clients that end give some back
			s.log.Warn("cannot accept a client", "err", err)
			select {
			case <-ctx.Done():
			case <-time.After(acceptPause):
			}
			continue
		}
		select {
		case places <- struct{}{}:
		default:
			s.log.Warn("client refused: too many", "limit", maxPeers)
			_ = socket.Close()
			continue
		}
		peers.Go(func() {
			defer func() { <-places }()
			defer socket.Close() //nolint:errcheck // its end is all that matters
			if err := s.servePeer(ctx, socket); err != nil {
				s.log.Debug("client refused", "err", err)
			}
		})
	}
}

func (s *Server) servePeer(ctx context.Context, socket net.Conn) error {
	uid, err := peerUID(socket)
	if err != nil {
		return fmt.Errorf("cannot tell who the client is: %w", err)
	}
	if uid != s.uid {
		return fmt.Errorf("the client is of user %d", uid)
	}
	// A stop must not wait for a client that does not speak.
	defer context.AfterFunc(ctx, func() { _ = socket.Close() })()
	if err := socket.SetReadDeadline(time.Now().Add(handshakeTimeout)); err != nil {
		return err
	}
	raw := newLink(socket, s.writeTimeout)
	if err := serverHandshake(raw.in, raw, s.guid); err != nil {
		return fmt.Errorf("handshake: %w", err)
	}
	if err := socket.SetReadDeadline(time.Time{}); err != nil {
		return err
	}
	c, err := s.attach(ctx, newPeerLink(raw, s.guid), true)
	if err != nil {
		return err
	}
	c.run()
	return nil
}
