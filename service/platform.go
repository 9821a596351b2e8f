// Package service is the daemon: it joins the loop that owns the engine, the ports that feed
// it, the sinks that perform its effects, configuration, state and health, and starts and
// stops them in order. It knows no bus, no cobra and no platform: cmd hands it those.
package service

import (
	"context"
	"net"
	"time"

	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/loop"
	"github.com/amiable-dev/midimon/service/ports"
	"github.com/amiable-dev/midimon/service/process"
)

// What a platform brings.
type (
	// A Driver finds MIDI ports and opens them.
	Driver = ports.Driver
	// A Session is an open driver.
	Session = ports.Session
	// A Backend performs effects.
	Backend = loop.Backend
	// A Detector can say what it would work with.
	Detector = loop.Detector
	// Programs finds applications and has a place for what is started.
	Programs = process.Platform
)

// A Typist is a Backend that may be ready and yet type no texts.
type Typist interface {
	Backend
	// TellOfText gives it, before it is opened, what to call when that becomes so, with why, and when it is
	// over, with a check without a message.
	TellOfText(tell func(report.Check))
}

// A Supervisor is told how the daemon fares (systemd, or nobody).
type Supervisor interface {
	// Ready says that everything is up that must be before clients may come.
	Ready(status string)
	// Status changes the line that people read.
	Status(line string)
	// Alive feeds the watchdog.
	Alive()
	// Stopping says that the end has begun.
	Stopping()
	// Watchdog is the time within which Alive must be called again; 0: no watchdog.
	Watchdog() time.Duration
}

// A Notifier tells people what they would not notice. Its methods must not block.
type Notifier interface {
	// ReloadFailed says that a changed configuration is not used, and why.
	ReloadFailed(r report.Reload)
}

// Clients is how others reach the daemon: the session bus and the private socket.
type Clients interface {
	// Serve answers for d on the bus until ctx is done. It calls tell with the first outcome
	// within a second and then with every change; tell must not block. A check that is OK
	// says that the bus is there.
	Serve(ctx context.Context, tell func(report.Check))
	// ServePrivate answers on l until ctx is done, and closes it.
	ServePrivate(ctx context.Context, l net.Listener) error
}
