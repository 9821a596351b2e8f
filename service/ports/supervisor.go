package ports

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// openPause keeps a driver whose Await returns at once from being opened in a tight loop.
const openPause = 100 * time.Millisecond

// Config is what a Supervisor needs.
type Config struct {
	Drivers []Driver
	Loop    Loop
	Program *engine.Program      // the one that the loop begins with
	Now     func() time.Duration // the clock of the inputs
	Publish func(*View)          // called from Run, must not block
	Log     *slog.Logger
}

// A Supervisor keeps the program's devices connected. Run does the work; the other methods
// may be called from anywhere while it runs.
type Supervisor struct {
	loop    Loop
	now     func() time.Duration
	publish func(*View)
	log     *slog.Logger
	drivers []*driver

	posts  chan func()
	wake   chan struct{} // a port was lost
	done   chan struct{}
	routes [engine.MaxPorts]atomic.Pointer[route]

	// The rest is Run's own.
	program  *engine.Program
	paths    []string        // that it names
	off      map[string]bool // devices switched off while we run, by name
	left     map[string]bool // devices that were unplugged and are not to be taken again
	seen     map[string]*device
	open     map[key]*listening
	failures map[key]error
}

// driver is a Driver and its session.
type driver struct {
	Driver
	session Session // nil: not open
	err     error   // why not; nil as long as nobody tried
	ports   []*port
}

// listening is a port that is open.
type listening struct {
	*port
	id    engine.Port
	route *route
}

// route is where a port's inputs go, for the readers.
type route struct {
	counter atomic.Pointer[counter]
	lost    atomic.Bool
}

// counter counts the inputs of a device.
type counter struct {
	events atomic.Uint64
	last   atomic.Int64 // monotonic
}

// device is what is remembered of a device by name, connected or not.
type device struct {
	counter counter
	kind    string
	usb     string
	serial  string
}

// New makes a supervisor. Nothing is opened before Run.
func New(c Config) *Supervisor {
	s := &Supervisor{
		loop: c.Loop, now: c.Now, publish: c.Publish, log: c.Log, program: c.Program,
		posts: make(chan func()), wake: make(chan struct{}, 1), done: make(chan struct{}),
		off: map[string]bool{}, left: map[string]bool{}, seen: map[string]*device{}, open: map[key]*listening{}, failures: map[key]error{},
	}
	for _, d := range c.Drivers {
		s.drivers = append(s.drivers, &driver{Driver: d})
	}
	s.setPaths()
	return s
}

// Run works until ctx is done. It returns when every session has ended.
func (s *Supervisor) Run(ctx context.Context) {
	var keepers sync.WaitGroup
	defer keepers.Wait()
	defer close(s.done)
	for _, d := range s.drivers {
		keepers.Go(func() { s.keep(ctx, d) })
	}
	for {
		select {
		case <-ctx.Done():
			return
		case f := <-s.posts:
			f()
		case <-s.wake:
			s.sweep()
			s.look(ctx)
		}
	}
}

// keep has the driver open whenever that is possible.
func (s *Supervisor) keep(ctx context.Context, d *driver) {
	for ctx.Err() == nil {
		session, err := d.Open(s.deliver)
		if err != nil {
			s.post(func() { d.err = err; s.reconcile(ctx) })
			if err := d.Await(ctx); err != nil && ctx.Err() == nil {
				s.log.Warn("cannot wait for a driver", "driver", d.Name(), "err", err)
			}
			select {
			case <-ctx.Done():
			case <-time.After(openPause):
			}
			continue
		}
		s.post(func() { d.session, d.err = session, nil; s.look(ctx) })
		err = s.follow(ctx, session)
		s.post(func() { s.drop(d, err); s.reconcile(ctx) })
		if err := session.Close(); err != nil {
			s.log.Warn("cannot close a driver", "driver", d.Name(), "err", err)
		}
		<-session.Done()
	}
}

// follow sees changes until the session ends, or ctx.
func (s *Supervisor) follow(ctx context.Context, session Session) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-session.Done():
			return session.Err()
		case <-session.Changed():
			s.post(func() { s.look(ctx) })
		}
	}
}

// post has f done by Run, if that has not ended.
func (s *Supervisor) post(f func()) {
	did := make(chan struct{})
	select {
	case s.posts <- func() { f(); close(did) }:
		<-did
	case <-s.done:
	}
}

// do is post with a context and an error.
func (s *Supervisor) do(ctx context.Context, f func() error) error {
	did := make(chan error, 1)
	select {
	case s.posts <- func() { did <- f() }:
		return <-did
	case <-ctx.Done():
		return ctx.Err()
	case <-s.done:
		return report.ErrStopping
	}
}

// deliver passes an input on. The drivers' readers call it; it must not wait for Run, which
// may wait for them.
func (s *Supervisor) deliver(in engine.Input) {
	r := s.routes[in.Port].Load()
	if r == nil {
		return
	}
	if c := r.counter.Load(); c != nil && in.Kind < engine.PortLost {
		c.events.Add(1)
		c.last.Store(int64(in.At))
	}
	s.loop.Deliver(in)
	if in.Kind == engine.PortLost {
		r.lost.Store(true)
		select {
		case s.wake <- struct{}{}:
		default: // it will look anyway
		}
	}
}

// sweep forgets the ports that were lost.
func (s *Supervisor) sweep() {
	for k, l := range s.open {
		if l.route.lost.Load() {
			s.log.Info("port lost", "port", l.Name)
			s.leave(l)
			s.forget(k)
		}
	}
}

// leave notes that a port's device was unplugged, if that is for good.
func (s *Supervisor) leave(l *listening) {
	for i := range s.program.Devices {
		if d := &s.program.Devices[i]; d.Once && &s.memory(d).counter == l.route.counter.Load() {
			s.left[d.Name] = true
		}
	}
}

func (s *Supervisor) forget(k key) {
	s.routes[s.open[k].id].Store(nil)
	delete(s.open, k)
}

// shut closes a port that is open. Nothing is held by it afterwards.
func (s *Supervisor) shut(k key) {
	l := s.open[k]
	if k.driver.session != nil {
		if err := k.driver.session.Ignore(l.id); err != nil {
			s.log.Warn("cannot close a port", "port", l.Name, "err", err)
		}
	}
	s.loop.Deliver(engine.Input{At: s.now(), Port: l.id, Message: engine.Message{Kind: engine.PortLost}})
	s.forget(k)
}

// drop forgets a driver's session and everything of it.
func (s *Supervisor) drop(d *driver, err error) {
	if err == nil {
		err = &report.Fault{Check: d.Name(), Fix: "midimonctl restart", Err: fmt.Errorf("the %s driver ended", d.Name())}
	}
	d.session, d.err, d.ports = nil, err, nil
	for k := range s.open {
		if k.driver == d {
			s.shut(k)
		}
	}
}

// look lists all ports again and acts on it.
func (s *Supervisor) look(ctx context.Context) {
	for _, d := range s.drivers {
		if d.session == nil {
			continue
		}
		found, err := d.session.Ports()
		if err != nil {
			s.log.Warn("cannot list ports", "driver", d.Name(), "err", err)
			continue
		}
		d.ports = d.ports[:0:0]
		for _, p := range found {
			d.ports = append(d.ports, &port{p, d})
		}
		for k, l := range s.open {
			if k.driver == d && !slices.ContainsFunc(d.ports, func(p *port) bool { return p.key() == k }) {
				s.leave(l)
			}
		}
	}
	s.reconcile(ctx)
}

func (s *Supervisor) allPorts() []*port {
	var all []*port
	for _, d := range s.drivers {
		all = append(all, d.ports...)
	}
	slices.SortStableFunc(all, byName)
	return all
}

func (s *Supervisor) wanted(i int) bool {
	d := &s.program.Devices[i]
	return d.Enabled && !s.off[d.Name] && !s.left[d.Name]
}

// reconcile opens and closes ports until those are open that the program means.
func (s *Supervisor) reconcile(ctx context.Context) {
	verdicts, clashing := match(s.program.Devices, s.wanted, s.allPorts())
	want := map[key]int{}
	for i, v := range verdicts {
		for _, p := range v.ports {
			if p.In {
				want[p.key()] = i
			}
		}
	}
	for k := range s.open {
		if _, ok := want[k]; !ok {
			s.shut(k)
		}
	}
	clear(s.failures)
	for i, v := range verdicts {
		for _, p := range v.ports {
			if p.In && s.open[p.key()] == nil {
				if err := s.listen(ctx, p, i); err != nil {
					s.failures[p.key()] = err
				}
			}
		}
	}
	s.publish(s.view(verdicts, clashing))
}

// listen opens a port for a device.
func (s *Supervisor) listen(ctx context.Context, p *port, index int) error {
	id := 0
	for id < len(s.routes) && s.routes[id].Load() != nil {
		id++
	}
	if id == len(s.routes) {
		return fmt.Errorf("more than %d ports are open", engine.MaxPorts)
	}
	l := &listening{port: p, id: engine.Port(id), route: &route{}}
	l.route.counter.Store(&s.remember(&s.program.Devices[index], p).counter)
	if err := s.loop.Do(ctx, attach(l.id, index)); err != nil {
		return err
	}
	s.routes[id].Store(l.route)
	if err := p.driver.session.Listen(p.Port, l.id); err != nil {
		s.routes[id].Store(nil)
		return err
	}
	s.open[p.key()] = l
	s.log.Info("port connected", "device", s.program.Devices[index].Name, "port", p.Name)
	return nil
}

func attach(id engine.Port, index int) func(*engine.Engine, time.Duration, []effect.Effect) []effect.Effect {
	return func(e *engine.Engine, _ time.Duration, out []effect.Effect) []effect.Effect {
		e.Attach(id, index)
		return out
	}
}

// remember keeps what is known of a device for when it is gone.
func (s *Supervisor) remember(d *engine.Device, p *port) *device {
	m := s.memory(d)
	m.kind, m.usb, m.serial = p.driver.Name(), p.USB, p.Serial
	return m
}

func (s *Supervisor) memory(d *engine.Device) *device {
	m := s.seen[d.Name]
	if m == nil {
		m = &device{kind: "seq"}
		if len(d.Match) > 0 && has(d.Match[0], engine.MatchRaw) {
			m.kind = rawKind
		}
		s.seen[d.Name] = m
	}
	return m
}

// setPaths tells the drivers which paths the program names, and whether these are others than before.
func (s *Supervisor) setPaths() (changed bool) {
	var paths []string
	for i := range s.program.Devices {
		for _, m := range s.program.Devices[i].Match {
			for _, k := range m {
				if k.Kind == engine.MatchRaw && s.wanted(i) {
					paths = append(paths, k.Value)
				}
			}
		}
	}
	slices.Sort(paths)
	if paths = slices.Compact(paths); slices.Equal(paths, s.paths) {
		return false
	}
	s.paths = paths
	for _, d := range s.drivers {
		if p, ok := d.Driver.(PathDriver); ok {
			p.SetPaths(paths)
		}
	}
	return true
}
