// Package ports decides which MIDI ports are listened to: it keeps the drivers open, sees
// what comes and goes, and finds the program's devices among it. One goroutine owns all of
// that. What messages mean is the engine's business; they pass by here and are counted.
package ports

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

// A PathDriver has to be told which paths the program names.
type PathDriver interface {
	SetPaths(paths []string)
}

// rawKind is the Name of the driver of raw: paths.
const rawKind = "raw"

// A Loop owns the engine.
type Loop interface {
	Deliver(in engine.Input)
	Do(ctx context.Context, change func(e *engine.Engine, now time.Duration, out []effect.Effect) []effect.Effect) error
}
