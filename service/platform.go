// Package service is the daemon: the loop that owns the engine, the ports that feed it, the
// sinks that perform its effects, configuration, state, health, start and stop. It knows no
// bus, no cobra and no platform: cmd hands it a Platform.
package service

import (
	"context"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// A Driver finds MIDI ports and opens them.
type Driver interface {
	// Name is the kind of its devices: "seq" or "raw".
	Name() string
	// Open starts a session. Every input of its ports goes to deliver, which may block
	// and is called from the session's reader only. A *report.Fault says how to mend it.
	Open(deliver func(engine.Input)) (Session, error)
	// Await returns nil when Open is worth another try, or ctx's error.
	Await(ctx context.Context) error
}

// A Session is an open driver.
type Session interface {
	// Ports lists the ports that are there now.
	Ports() ([]report.Port, error)
	// Changed has a value (capacity 1) after Ports may have come to answer differently.
	Changed() <-chan struct{}
	// Listen makes the port's messages arrive as inputs of id. When the port goes, its last
	// input is a PortLost. Errors: report.ErrDeviceBusy, report.ErrDeviceAbsent, others.
	Listen(port report.Port, id engine.Port) error
	// Ignore ends Listen; nothing arrives for id after it returns.
	Ignore(id engine.Port) error
	// Send writes whole MIDI messages to the port.
	Send(port report.Port, midi []byte) error
	// Done is closed when the session can no longer work; Err says why.
	Done() <-chan struct{}
	Err() error
	Close() error
}

// A Backend performs effects. One goroutine owns it and calls nothing concurrently, save
// Await, which may run while Do is not called.
type Backend interface {
	// Name is the check that speaks for it: "keys", "process".
	Name() string
	// Open makes it ready. A *report.Fault says how to mend it.
	Open(ctx context.Context) error
	// Await returns nil when Open is worth another try, or ctx's error.
	Await(ctx context.Context) error
	// Do performs one effect. An error that wraps report.ErrKeysUnavailable means that the
	// backend is lost and must be opened again.
	Do(x *effect.Effect) error
	Close() error
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
