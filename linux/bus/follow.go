//go:build linux

package bus

import (
	"context"

	"github.com/godbus/dbus/v5"
)

// Follow hears the signals of a connection that match, and whatever else comes on it, until ctx is
// done or the connection is lost. Ready is called when none can be missed any more.
func Follow(ctx context.Context, conn *dbus.Conn, match []dbus.MatchOption, hear func(*dbus.Signal), ready func()) {
	FollowAny(ctx, conn, [][]dbus.MatchOption{match}, hear, ready)
}

// FollowAny is Follow for signals that match one of several.
func FollowAny(ctx context.Context, conn *dbus.Conn, matches [][]dbus.MatchOption, hear func(*dbus.Signal), ready func()) {
	signals := make(chan *dbus.Signal, 64)
	conn.Signal(signals)
	defer conn.RemoveSignal(signals)
	for _, match := range matches {
		if conn.AddMatchSignalContext(ctx, match...) != nil {
			return
		}
		defer conn.RemoveMatchSignal(match...) //nolint:errcheck // who lost the bus has lost the rule too
	}
	ready()
	for {
		select {
		case <-ctx.Done():
			return
		case <-conn.Context().Done():
			return
		case s, ok := <-signals:
			if !ok {
				return
			}
			hear(s)
		}
	}
}
