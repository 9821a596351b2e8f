// Package report is what the daemon can say of itself, as plain data: devices, health,
// diagnostics, the outcome of a reload. It decides nothing and formats nothing; the bus,
// the client and the log each show it in their own way.
package report

import "time"

// Port is one MIDI port as the platform found it. Index and Path identify the cable and
// the socket; client and card numbers are not stable and never appear.
type Port struct {
	Addr   uint32 // the driver's own handle, valid while the port is there
	Client string // name of the device or client
	Name   string // name of the port
	Index  int    // which of the device's ports (cable), from 0
	In     bool   // it sends to us
	Out    bool   // we can send to it
	Hard   bool   // real hardware, not another program's port
	USB    string // "17cc:1700", or empty
	Serial string // USB serial number, or empty
	Path   string // USB path "1-1.2", or empty; for raw ports the file
}

// DeviceState is where a device stands.
type DeviceState string

// The states of a device.
const (
	Connected DeviceState = "connected"
	Absent    DeviceState = "absent"
	Busy      DeviceState = "busy"  // another program holds it exclusively
	Faulty    DeviceState = "error" // see Error
	Ignored   DeviceState = "ignored"
)

// Device is a configured device, or one that is there and not configured.
type Device struct {
	ID         string // stable for the same device on the same configuration
	Name       string // the configured name, else the device's own
	Kind       string // "seq" or "raw"
	USB        string
	Serial     string
	State      DeviceState
	Error      string
	Enabled    bool
	Optional   bool
	Configured bool
	Ports      []Port
	Events     uint64
	LastEvent  time.Time // zero: none yet
}

// Check is one row of health.
type Check struct {
	Name    string // stable: "alsa", "keys", "bus", "config", "device-absent:LPD8", "no-runtime-dir"
	Status  string // "ok", "warning" or "failed"
	Message string
	Fix     string // the one command that mends it, or what to do where there is none; empty: it is OK
}

// The words of Check.Status.
const (
	OK      = "ok"
	Warning = "warning"
	Failed  = "failed"
)

// Diagnostic is one thing to say of a configuration.
type Diagnostic struct {
	Severity string // Error or Warn
	Code     string // stable kind: "out-of-range"
	Message  string // with the path of the key and without the position
	File     string
	Line     int           // from 1
	Column   int           // from 1, in code points
	Path     string        // modes[1].mappings[3].trigger.note
	Hint     string        // "did you mean velocity_min?", or empty
	Waits    time.Duration // added-latency: how long after the press, or its last press, the mapping acts at the latest
	Excerpt  string        // the line itself, for terminals only; never on a bus
}

// The words of Diagnostic.Severity.
const (
	Error = "error"
	Warn  = "warning"
)

// Reload is the outcome of reading the configuration, or of going back to the one before.
type Reload struct {
	Time        time.Time
	OK          bool
	Trigger     string // "start", "call", "signal", "file" or "revert"
	Took        time.Duration
	Phases      Phases
	Grade       string // of Took; empty at the start and where OK is false
	Generation  uint64
	Modes       int
	Mappings    int
	Diff        Diff // what Revert would undo
	Diagnostics []Diagnostic
	Err         string // empty when OK
}

// Phases is where the time of a reload went. Their sum is about Reload.Took.
type Phases struct {
	Detect  time.Duration // from the last sign that somebody still writes; 0: nobody watched
	Read    time.Duration
	Parse   time.Duration
	Compile time.Duration
	Swap    time.Duration // until the new one acted
}

// The grades of a reload, best first, and how long it may take for each. What takes longer is
// the last.
var grades = [...]struct {
	name string
	most time.Duration
}{
	{"A", 20 * time.Millisecond}, {"B", 50 * time.Millisecond}, {"C", 100 * time.Millisecond}, {"D", 200 * time.Millisecond},
}

const worstGrade = "F"

// Grade judges how long a reload took: A up to 20 ms, B 50, C 100, D 200, else F.
func Grade(took time.Duration) string {
	for _, g := range grades {
		if took <= g.most {
			return g.name
		}
	}
	return worstGrade
}

// Reloads is the statistics of the accepted reloads. The start and going back are none.
type Reloads struct {
	Accepted uint64
	Failed   uint64
	Last     time.Duration // 0: there was none
	Fastest  time.Duration
	Slowest  time.Duration
	Total    time.Duration // of all accepted
}

// Average is how long an accepted reload took; 0 without one.
func (r *Reloads) Average() time.Duration {
	if r.Accepted == 0 {
		return 0
	}
	return r.Total / time.Duration(r.Accepted)
}

// Add counts a reload.
func (r *Reloads) Add(ok bool, took time.Duration) {
	if !ok {
		r.Failed++
		return
	}
	if r.Accepted++; r.Accepted == 1 {
		r.Fastest = took
	}
	r.Last, r.Total = took, r.Total+took
	r.Fastest, r.Slowest = min(r.Fastest, took), max(r.Slowest, took)
}

// Diff is what differs between two programs.
type Diff struct {
	Changes []Change // of mappings: the old ones' in their order, then what is new
	More    int      // changes that are not listed
	Other   []string // else: "modes", "devices" or "timing"
}

// Change is a mapping that one program has and another has not, or has otherwise.
type Change struct {
	Kind    string // Added, Removed or Changed
	ID      string
	Label   string // its description, or empty
	Mode    string // empty: a global one
	Trigger string // its type
	Action  string // its type
}

// The words of Change.Kind.
const (
	Added   = "added"
	Removed = "removed"
	Changed = "changed"
)

// State is the daemon's state; the first that applies, in the order of declaration.
type State string

// The states.
const (
	Stopping  State = "stopping"
	Starting  State = "starting"
	Reloading State = "reloading"
	Paused    State = "paused"
	Degraded  State = "degraded"
	Running   State = "running"
)

// Status is everything the daemon publishes at one instant. It is never changed after
// it is published, so readers share it without a lock.
type Status struct {
	Version      string
	Pid          int
	Started      time.Time
	State        State
	Health       []Check // rows not ok only, worst first
	Mode         string  // what acts
	BaseMode     string
	Modes        []string
	Mappings     int // how many there are
	Inhibitors   []Inhibitor
	Devices      []Device // configured first, in file order, then the ignored by name
	ConfigPath   string
	ConfigStatus string // "ok", "kept-previous" or "defaults"
	Generation   uint64
	LastReload   Reload
	Reloads      Reloads
	Armed        uint64       // the generation that will be taken back unless it is kept; 0: none
	Diagnostics  []Diagnostic // of the last file read
}

// Problems are the names of the failed checks.
func (s *Status) Problems() []string {
	out := []string{}
	for _, c := range s.Health {
		if c.Status == Failed {
			out = append(out, c.Name)
		}
	}
	return out
}

// ConnectedDevices are the configured devices that are connected, in file order.
func (s *Status) ConnectedDevices() []string {
	out := []string{}
	for _, d := range s.Devices {
		if d.Configured && d.State == Connected {
			out = append(out, d.Name)
		}
	}
	return out
}

// Stats count since the daemon began.
type Stats struct {
	Received  uint64        // inputs
	Performed uint64        // actions started
	Failed    uint64        // actions that did not succeed
	Refused   uint64        // actions that a gate or a rate refused
	Lost      uint64        // messages that the kernel lost
	P50, P99  time.Duration // from an input's arrival until what came of it was handed on
}

// Event is something that happened, in order; state that merely changed is in Status.
type Event struct {
	Kind    EventKind
	Old     string  // ModeChanged
	New     string  // ModeChanged
	Cause   string  // ModeChanged
	Mapping string  // ActionFailed, Emitted: its id
	Mode    string  // ActionFailed, Emitted
	Error   string  // ActionFailed: a stable word, "keys-unavailable"
	Detail  string  // ActionFailed: for people
	Name    string  // Emitted
	Text    string  // Emitted: the value, if it is a text
	Number  float64 // Emitted: the value, where Text is empty
	Caller  string  // ModeHoldReleased: who held it
	Cookie  uint32  // ModeHoldReleased
	Reload  *Reload
}

// EventKind says which fields of an Event count.
type EventKind uint8

// The kinds of event.
const (
	ModeChanged EventKind = iota
	ActionFailed
	ReloadFinished
	Emitted
	ModeHoldReleased
)
