package client

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"time"

	"github.com/fsnotify/fsnotify"
	"github.com/godbus/dbus/v5"

	"github.com/amiable-dev/midimon/dbusapi"
)

// A Moment is how midimon fares at one time.
type Moment struct {
	State            string   `json:"state"` // "stopped": it does not run
	Mode             string   `json:"mode"`
	BaseMode         string   `json:"base_mode"`
	Modes            []string `json:"modes"`
	ConnectedDevices []string `json:"connected_devices"`
	Health           []Check  `json:"health"`
	Inhibitors       []Holder `json:"inhibitors"`
	ConfigStatus     string   `json:"config_status"`
	ConfigGeneration uint64   `json:"config_generation"`
}

// A Holder is who asked for quiet, and why.
type Holder struct {
	Who string `json:"who"`
	Why string `json:"why"`
}

// Stopped is the state of a midimon that does not run.
const Stopped = "stopped"

func stopped() *Moment { return &Moment{State: Stopped} }

// into is where each property goes.
func (m *Moment) into() map[string]any {
	return map[string]any{
		"State": &m.State, "Mode": &m.Mode, "BaseMode": &m.BaseMode, "Modes": &m.Modes, "ConnectedDevices": &m.ConnectedDevices,
		"Health": &m.Health, "Inhibitors": &m.Inhibitors, "ConfigStatus": &m.ConfigStatus, "ConfigGeneration": &m.ConfigGeneration,
	}
}

// An Incident is something that happened and left no trace in a Moment.
type Incident struct {
	Kind    string // "reload", "action-failed", "emitted"
	OK      bool   // reload
	Mapping string // action-failed
	Error   string // reload, action-failed: a stable word
	Detail  string // action-failed: for people
	Name    string // emitted
	Value   any    // emitted: a string or a float64
}

// A Watch follows midimon through its stops and starts. It starts nothing.
type Watch struct {
	Address string // see Find
	Getenv  func(string) string
	// Runs tells whether a daemon has the lock in a directory, and its process (0: not known).
	Runs func(dir string) (pid int, runs bool, err error)

	files *fsnotify.Watcher
}

// How long a daemon whose connection ended may take to give its lock back, and how long to
// wait for a bus or a socket that is there and does not answer.
const (
	endPause = 20 * time.Millisecond
	endTries = 50
	minPause = 50 * time.Millisecond
	maxPause = 5 * time.Second
)

// Run calls tell with how midimon fares, at once and after each change, and with each
// incident, from one goroutine, until ctx is done or tell returns an error.
func (w *Watch) Run(ctx context.Context, tell func(*Moment, *Incident) error) error {
	var err error
	if w.files, err = fsnotify.NewWatcher(); err != nil {
		return fmt.Errorf("cannot wait for midimon: %w", err)
	}
	defer w.files.Close() //nolint:errcheck // it only watched
	var last *Moment
	say := func(m *Moment, i *Incident) error {
		if i == nil && last != nil && reflect.DeepEqual(*last, *m) {
			return nil
		}
		last = m
		return tell(m, i)
	}
	pause := minPause
	for ctx.Err() == nil {
		w.watchFiles() // before looking: what comes later wakes us
		wait, timer, err := w.follow(ctx, say, &pause)
		if err != nil {
			return err
		}
		if ctx.Err() == nil && wait {
			if err := say(stopped(), nil); err != nil {
				return err
			}
			w.settle(ctx, timer, nil)
		}
	}
	return nil
}

// watchFiles watches the directory of the private socket and the lock, and that of the
// session bus, or what there is on the way to them.
func (w *Watch) watchFiles() {
	var dirs []string
	if dir := PrivateDir(w.Getenv); dir != "" {
		dirs = append(dirs, dir)
	}
	if dir := w.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		dirs = append(dirs, dir) // the bus's socket, and where the other directory comes
	}
	for _, dir := range dirs {
		for w.files.Add(dir) != nil && dir != filepath.Dir(dir) {
			dir = filepath.Dir(dir)
		}
	}
}

// follow is one connection, from its beginning to its end. It returns whether to wait before
// the next, and at most how long (nil: until something happens).
func (w *Watch) follow(ctx context.Context, say func(*Moment, *Incident) error, pause *time.Duration) (wait bool, timer <-chan time.Time, err error) {
	retry := func() (bool, <-chan time.Time, error) {
		d := *pause
		*pause = min(2*d, maxPause)
		return true, time.After(d), nil
	}
	address, dir, err := Find(w.Address, w.Getenv)
	switch {
	case errors.Is(err, ErrNotRunning):
		return true, nil, nil
	case err != nil:
		return false, nil, err
	}
	pid := 0
	if dir != "" {
		var runs bool
		if pid, runs, err = w.Runs(dir); err != nil {
			return false, nil, fmt.Errorf("cannot tell whether midimon runs: %w", err)
		} else if !runs {
			return true, nil, nil
		}
	}
	c, err := Dial(ctx, address, false)
	if err != nil {
		return retry()
	}
	defer c.Close() //nolint:errcheck // it only listened
	if err := c.listen(ctx); err != nil {
		return retry()
	}
	m, err := c.moment(ctx)
	switch {
	case errors.Is(err, ErrNotRunning): // the bus says so
		// The connection must stay while it is waited on.
		if err := say(stopped(), nil); err != nil {
			return false, nil, err
		}
		w.settle(ctx, nil, c)
		return false, nil, nil
	case err != nil:
		return retry()
	}
	*pause = minPause
	if err := say(m, nil); err != nil {
		return false, nil, err
	}
	if err := c.hear(ctx, m, say); err != nil {
		return false, nil, err
	}
	// What the socket answers next may be systemd's, which would start a new daemon: this one
	// gets the time to end.
	for range endTries {
		now, runs, err := 0, false, error(nil)
		if dir != "" {
			now, runs, err = w.Runs(dir)
		}
		if err != nil || !runs || now != pid || ctx.Err() != nil {
			break
		}
		time.Sleep(endPause)
	}
	return false, nil, nil
}

// settle returns when something happened: to a file, in time, or on the bus if there is a connection to it.
func (w *Watch) settle(ctx context.Context, timer <-chan time.Time, c *Client) {
	var signals <-chan *dbus.Signal
	var end <-chan struct{}
	if c != nil {
		signals, end = c.heard.signals, c.conn.Context().Done()
	}
	for {
		select {
		case <-ctx.Done():
			return
		case <-timer:
			return
		case e := <-w.files.Events:
			// Every program of the session has files there; these are midimon's, or the bus.
			if name := filepath.Base(e.Name); name == "lock" || name == "bus" || name == "midimon" {
				return
			}
		case <-w.files.Errors: //nolint:errcheck // events were lost: look again
			return
		case <-end:
			return
		case s := <-signals:
			if owned(s) {
				return
			}
		}
	}
}

// owned says whether the signal tells that midimon's name has, or has no more, an owner.
func owned(s *dbus.Signal) bool {
	return s.Name == "org.freedesktop.DBus.NameOwnerChanged" && len(s.Body) == 3 && s.Body[0] == dbusapi.BusName
}

// listen makes the signals of the root object come.
func (c *Client) listen(ctx context.Context) error {
	for _, match := range [][]dbus.MatchOption{
		{dbus.WithMatchSender(dbusapi.BusName), dbus.WithMatchObjectPath(dbusapi.RootPath)},
		{dbus.WithMatchSender("org.freedesktop.DBus"), dbus.WithMatchMember("NameOwnerChanged"), dbus.WithMatchArg(0, dbusapi.BusName)},
	} {
		if err := c.conn.AddMatchSignalContext(ctx, match...); err != nil {
			return cause(ctx, err)
		}
	}
	return nil
}

func (c *Client) moment(ctx context.Context) (*Moment, error) {
	var values map[string]dbus.Variant
	if err := c.call(ctx, propsGetAll, []any{dbusapi.BusName}, &values); err != nil {
		return nil, err
	}
	m := &Moment{}
	return m, store(values, m.into())
}

// hear follows the signals until the daemon ends, or say was so slow that some were lost.
func (c *Client) hear(ctx context.Context, m *Moment, say func(*Moment, *Incident) error) error {
	for s := c.next(ctx); s != nil && !owned(s) && !c.heard.lost.Load(); s = c.next(ctx) {
		next, incident, err := read(s, m)
		if err != nil {
			return fmt.Errorf("cannot read %s: %w", s.Name, err)
		}
		if next == m && incident == nil {
			continue
		}
		m = next
		if err := say(m, incident); err != nil {
			return err
		}
	}
	return nil
}

// read makes of a signal what changed.
func read(s *dbus.Signal, m *Moment) (*Moment, *Incident, error) {
	if s.Path != dbusapi.RootPath {
		return m, nil, nil
	}
	switch s.Name {
	case "org.freedesktop.DBus.Properties.PropertiesChanged":
		var iface string
		var values map[string]dbus.Variant
		var gone []string
		if err := dbus.Store(s.Body, &iface, &values, &gone); err != nil || iface != dbusapi.BusName {
			return m, nil, err
		}
		next := *m
		return &next, nil, store(values, next.into())
	case dbusapi.BusName + ".ReloadFinished":
		i := &Incident{Kind: "reload"}
		var generation uint64
		var trigger string
		var found []dbusapi.Diagnostic
		return m, i, dbus.Store(s.Body, &i.OK, &generation, &trigger, &i.Error, &found)
	case dbusapi.BusName + ".ActionFailed":
		i := &Incident{Kind: "action-failed"}
		var mode string
		return m, i, dbus.Store(s.Body, &i.Mapping, &mode, &i.Error, &i.Detail)
	case dbusapi.BusName + ".Emitted":
		i := &Incident{Kind: "emitted"}
		var value dbus.Variant
		err := dbus.Store(s.Body, &i.Name, &value)
		i.Value = value.Value()
		return m, i, err
	}
	return m, nil, nil
}
