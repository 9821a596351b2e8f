package main

import (
	"context"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/focus"
	"github.com/amiable-dev/midimon/linux/session"
	"github.com/amiable-dev/midimon/service"
)

// A sensor tells the daemon what it sees; the daemon's errors mean that it ends.

type sessions struct{ *session.Watcher }

func (s sessions) Run(ctx context.Context, d *service.Daemon) {
	s.Watcher.Run(ctx, func(is report.Session) {
		_ = d.SetSession(ctx, is)
	})
}

type focuses struct{ *focus.Watcher }

// Again does nothing: whatever could tell of the focus is heard of when it comes, and to look for it takes longer
// than all that is done for a device.
func (focuses) Again() {}

func (s focuses) Run(ctx context.Context, d *service.Daemon) {
	s.Watcher.Run(ctx, func(is focus.Focus) {
		if is.Source == "" {
			_ = d.SetFocusUnknown(ctx, is.Why, is.Fix)
		} else {
			_ = d.SetFocus(ctx, is.App, true)
		}
	})
}
