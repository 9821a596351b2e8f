package service

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime/debug"
	"sync"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/dryrun"
	"github.com/amiable-dev/midimon/service/health"
	"github.com/amiable-dev/midimon/service/loop"
	"github.com/amiable-dev/midimon/service/midi"
	"github.com/amiable-dev/midimon/service/ports"
	"github.com/amiable-dev/midimon/service/process"
	"github.com/amiable-dev/midimon/service/reload"
)

const (
	// busWithin is how long the start waits for the bus.
	busWithin = time.Second
	// endWithin is how long ports and clients may each take to end.
	endWithin = 200 * time.Millisecond
	// atStart is how long the start waits for somebody who writes the configuration. When that
	// ends it is read all the same.
	atStart = 50 * time.Millisecond
	// saveEvery is how often the state is written at most.
	saveEvery = time.Second
)

// Options are what a Daemon is made of.
type Options struct {
	Version    string
	Config     string // path of the configuration
	State      string // path of the state file; empty: none is kept
	RuntimeDir string // $XDG_RUNTIME_DIR; empty: there is none
	Socket     string // path of the private socket; empty: in the runtime directory
	StartedBy  string // how the daemon was started: "by systemd"

	Listener   net.Listener // the private socket if somebody handed it over, else nil
	DryRun     io.Writer    // not nil: actions are written there and none is performed
	Drivers    []Driver
	Backends   []Backend // beside that for programs
	Programs   Programs  // nil: commands only, as children
	Sensors    []Sensor
	Running    func() ([]string, error) // the names of the programs that run; nil: nobody can tell
	PrivateEnv []string                 // variables that commands must not see
	Problems   []report.Check

	Guard      reload.Guard // keeps writers from files while we read them; nil: nobody can tell who writes
	Notifier   Notifier     // nil: nobody is told
	Supervisor Supervisor
	Clients    func(*Daemon) (Clients, error) // nil: none are served
	Clock      func() time.Duration           // monotonic, as the drivers'
	SetLevel   func(level string)             // makes [logging] level the logger's; empty: not given
	SetBackend func(backend string)           // makes [input] backend what presses keys; empty: not given
	SetPresent func(present bool)             // says whether the user has a session at a seat; nil: nobody asks
	SetLogFile func(path string) error        // makes [logging] file one that the logger writes to, too; empty: none. nil: it cannot
	Beside     func(work func())              // does work that takes long, beside the notes; nil: just does it
	Free       func()                         // gives back to the system what is not needed after a reading; nil: only the heap
	Log        *slog.Logger
}

// A Daemon is midimon, the service. Run does the work; the other methods are what clients
// may ask for.
type Daemon struct {
	o        Options
	board    *board
	loop     *loop.Loop
	ports    *ports.Supervisor
	reloader *reload.Reloader
	reader   *reload.Reader
	follower *reload.Follower
	undo     undo
	waiting  bool // for somebody who writes the configuration
	free     free

	validating   chan struct{} // has room for one
	runtime      runtime
	keeper       keeper
	settleWithin time.Duration

	// The loop's goroutine owns these.
	hushed   bool // the gate Inhibited is closed
	inactive bool // the gate Inactive is closed
	asleep   bool
	focus    focus
}

// New makes a daemon. It touches nothing before Run.
func New(o Options) *Daemon {
	if o.Beside == nil {
		o.Beside = func(work func()) { work() }
	}
	if o.Free == nil {
		o.Free = debug.FreeOSMemory
	}
	d := &Daemon{o: o, runtime: runtime{o: &o}, validating: make(chan struct{}, 1), settleWithin: settleWithin}
	d.board = newBoard(o.Log, report.Status{
		Version: o.Version, Pid: os.Getpid(), Started: time.Now(), State: report.Starting, ConfigPath: o.Config,
	}, func() *loop.Modes { return d.loop.Modes() })
	for _, c := range o.Problems {
		d.board.rows.Set(c)
	}
	d.free.do = func() { o.Beside(o.Free) }
	d.reloader = reload.New(d.reload)
	d.reader = &reload.Reader{Path: o.Config, Guard: o.Guard}
	d.follower = reload.NewFollower()
	d.follower.Files, d.follower.Read, d.follower.Watched = d.reader.Files, d.changed, d.unwatched
	return d
}

// Run serves until ctx is done, lets go of everything and returns nil. An error means that
// it could not begin: another daemon runs, or the socket cannot be had.
func (d *Daemon) Run(ctx context.Context) error {
	runtimeLater, err := d.runtime.claim()
	if err != nil {
		return err
	}
	defer d.runtime.close()
	made, err := d.make()
	if err != nil {
		return err
	}

	ctx, fatal := context.WithCancelCause(ctx)
	defer fatal(nil)
	// What people may still read while everything else ends.
	after, end := context.WithCancel(context.WithoutCancel(ctx))
	var last sync.WaitGroup
	defer last.Wait()
	defer end()
	last.Go(func() { d.board.run(after) })
	if runtimeLater != nil {
		d.board.post(func() { d.board.rows.Set(*runtimeLater) })
	}

	serving, hangUp := context.WithCancel(after)
	defer hangUp()
	clients := d.serve(serving, made)
	d.ready()

	// The ports are there until the last note is sent that ends another.
	sounding, silent := context.WithCancel(context.WithoutCancel(ctx))
	defer silent()
	var loops, others sync.WaitGroup
	loops.Go(func() { d.loop.Run(ctx) })
	others.Go(func() { d.ports.Run(sounding) })
	others.Go(func() { d.reloader.Run(ctx) })
	others.Go(func() { d.follower.Run(ctx) })
	others.Go(func() { d.keepState(ctx) })
	others.Go(func() { d.keepChecked(ctx) })
	others.Go(func() { d.keepRunning(ctx) })
	for _, s := range d.o.Sensors {
		others.Go(func() { s.Run(ctx, d) })
	}
	if runtimeLater != nil {
		others.Go(func() { d.awaitRuntime(ctx, serving, clients, fatal) })
	}
	<-ctx.Done()

	d.o.Supervisor.Stopping()
	d.board.post(func() { d.board.phase.Stopping = true })
	d.o.Log.Info("stopping")
	loops.Wait() // bounded by itself
	silent()
	within(endWithin, others.Wait)
	d.saveLast()
	hangUp()
	if clients != nil {
		within(endWithin, clients.wait)
	}
	if f, ok := errors.AsType[fatalError](context.Cause(ctx)); ok {
		return f.error
	}
	return nil
}

// within waits for f, but not for ever.
func within(limit time.Duration, f func()) {
	done := make(chan struct{})
	go func() { defer close(done); f() }()
	select {
	case <-done:
	case <-time.After(limit):
	}
}

// make makes, beside each other, what clients are served with (nil: none are), and all that
// follows from the configuration.
func (d *Daemon) make() (c Clients, err error) {
	d.o.Beside(func() {
		var making sync.WaitGroup
		defer making.Wait()
		if d.o.Clients != nil {
			making.Go(func() {
				if c, err = d.o.Clients(d); err != nil {
					err = fmt.Errorf("cannot serve clients: %w", err)
				}
			})
		}
		d.configure()
	})
	return c, err
}

// configure reads the configuration and the state and makes the machine of them.
func (d *Daemon) configure() {
	b := d.board
	began := time.Now()
	o := d.read(context.Background(), atStart)
	p := o.Program
	if p == nil {
		p = reload.Defaults()
	}
	e := engine.New(p)
	counted := d.restore(e, o.Err == nil)
	b.program = p
	lc := loop.Config{Engine: e, Now: d.o.Clock, Wall: time.Now, Observer: b, Stats: counted, Watchdog: d.o.Supervisor, Log: d.o.Log}
	if d.o.DryRun != nil {
		lc.Recorder = dryrun.New(d.o.DryRun)
	} else {
		commands := process.New(process.Config{
			Platform: d.o.Programs, Private: d.o.PrivateEnv, Log: d.o.Log,
			Fail:      func(x effect.Effect, word string, err error) { d.loop.Failed(x, word, err) },
			Contained: func(err error) { b.post(func() { b.uncontained = health.Of(containedCheck, err) }) },
		})
		messages := midi.New(func(ctx context.Context, port string, b []byte) error { return d.ports.SendTo(ctx, port, b) }, nil)
		for _, one := range d.o.Backends {
			if typist, ok := one.(Typist); ok {
				typist.TellOfText(func(c report.Check) { c.Name = textCheck; b.post(func() { b.untyped = c }) })
			}
		}
		lc.Backends = append(d.o.Backends[:len(d.o.Backends):len(d.o.Backends)], commands, messages)
	}
	d.loop = loop.New(lc)
	d.ports = ports.New(ports.Config{
		Drivers: d.o.Drivers, Loop: d.loop, Program: p, Now: d.o.Clock, Log: d.o.Log,
		Publish: func(v *ports.View) {
			b.post(func() { b.setView(v) })
			d.free.soon()
			// A loop that has ended asks no condition.
			_ = d.loop.World(context.Background(), func(w *effect.World) {
				was := w.Present
				w.Present = connected(v)
				d.lookAgain(was, w.Present)
			})
		},
	})
	b.setView(d.ports.Initial())
	generation := uint64(0)
	if o.Err == nil {
		generation = 1
	}
	b.configured(&o, outcome(&o, "start", began, generation))
	if o.Err == nil {
		d.undo.accept(&o)
		d.applySettings(o.Settings)
	}
}

func (d *Daemon) applySettings(s config.Settings) {
	if d.o.SetLevel != nil {
		d.o.SetLevel(s.LogLevel)
	}
	if d.o.SetBackend != nil {
		d.o.SetBackend(s.Backend)
	}
	if d.o.SetLogFile != nil {
		if err := d.o.SetLogFile(s.LogFile); err != nil {
			d.o.Log.Warn("no log file", "err", err)
		}
	}
}

// ready ends the start.
func (d *Daemon) ready() {
	d.board.post(func() {
		d.board.phase.Starting = false
		d.board.status = func(line string) {
			d.o.Supervisor.Ready(line) // it is the first line
			d.board.status = d.o.Supervisor.Status
		}
	})
	// The start read a file too. By then the back ends are open as well.
	d.free.soon()
	s := d.Status()
	d.o.Log.Info("ready", "state", s.State, "mode", s.Mode, "config", s.ConfigPath)
}

// serve answers clients: on the private socket if there is one, and on the bus.
func (d *Daemon) serve(ctx context.Context, c Clients) *serving {
	if c == nil {
		return nil
	}
	s := &serving{Clients: c}
	s.private(ctx, d.runtime.listener, d.o.Log)
	told := make(chan struct{})
	var once sync.Once
	s.running.Go(func() {
		c.Serve(ctx, func(row report.Check) {
			d.board.post(func() { d.board.rows.Set(row) })
			once.Do(func() { close(told) })
		})
	})
	select {
	case <-told:
	case <-time.After(busWithin):
	}
	return s
}

// serving is clients being served.
type serving struct {
	Clients
	running sync.WaitGroup
}

func (s *serving) wait() { s.running.Wait() }

func (s *serving) private(ctx context.Context, l net.Listener, log *slog.Logger) {
	if l == nil {
		return
	}
	s.running.Go(func() {
		if err := s.ServePrivate(ctx, l); err != nil && ctx.Err() == nil {
			log.Error("private socket lost", "err", err)
		}
	})
}

// connected are the names of the configured devices that are there.
func connected(v *ports.View) map[string]bool {
	present := map[string]bool{}
	for _, x := range v.Devices() {
		if x.Configured && x.State == report.Connected {
			present[x.Name] = true
		}
	}
	return present
}
