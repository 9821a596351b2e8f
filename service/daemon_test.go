package service_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service"
	"github.com/amiable-dev/midimon/service/lock"
	"github.com/amiable-dev/midimon/service/state"
)

// limit is how long anything may take that is waited for.
const limit = 30 * time.Second

// manager is a service manager that remembers.
type manager struct {
	mu    sync.Mutex
	heard []string
	grew  chan struct{}
}

func (m *manager) say(s string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.heard = append(m.heard, s)
	select {
	case m.grew <- struct{}{}:
	default:
	}
}

func (m *manager) Ready(line string)       { m.say("READY " + line) }
func (m *manager) Status(line string)      { m.say(line) }
func (m *manager) Alive()                  {}
func (m *manager) Stopping()               { m.say("STOPPING") }
func (m *manager) Watchdog() time.Duration { return 0 }

func (m *manager) has(prefix string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.ContainsFunc(m.heard, func(s string) bool { return strings.HasPrefix(s, prefix) })
}

// controller is a driver with one port, and its session.
type controller struct {
	opened  func()
	deliver func(engine.Input)
	done    chan struct{}
	sent    chan []byte
	id      chan engine.Port
}

func (c *controller) Name() string { return "seq" }

func (c *controller) Open(deliver func(engine.Input)) (service.Session, error) {
	c.opened()
	c.deliver = deliver
	return c, nil
}

func (c *controller) Await(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }

func (c *controller) Ports() ([]report.Port, error) {
	return []report.Port{{Client: "Pad", Name: "Pad", In: true, Out: true, Hard: true}}, nil
}
func (c *controller) Changed() <-chan struct{} { return nil }

func (c *controller) Listen(_ report.Port, id engine.Port) error {
	c.id <- id
	return nil
}
func (c *controller) Ignore(engine.Port) error { return nil }

func (c *controller) Send(_ report.Port, midi []byte) error {
	c.sent <- slices.Clone(midi)
	return nil
}
func (c *controller) Done() <-chan struct{} { return c.done }
func (c *controller) Err() error            { return nil }
func (c *controller) Close() error          { close(c.done); return nil }

// keys is a keyboard that remembers and can hang.
type keys struct {
	opened func()
	did    chan effect.Kind
	hang   chan struct{}
}

func (k *keys) Name() string { return "keys" }

func (k *keys) Open(context.Context) error {
	k.opened()
	return nil
}
func (k *keys) Await(context.Context) error { return nil }

func (k *keys) Do(x *effect.Effect) error {
	k.did <- x.Kind
	if k.hang != nil {
		<-k.hang
	}
	return nil
}
func (k *keys) Close() error { return nil }

// clients are served when they are told to be.
type clients struct{ tell chan report.Check }

func (c clients) Serve(ctx context.Context, tell func(report.Check)) {
	for {
		select {
		case row := <-c.tell:
			tell(row)
		case <-ctx.Done():
			return
		}
	}
}

func (c clients) ServePrivate(ctx context.Context, l net.Listener) error {
	<-ctx.Done()
	return l.Close()
}

const configuration = `
[[modes]]
name = "One"
[[modes]]
name = "Two"
[[global_mappings]]
name = "held"
trigger = { type = "Note", note = 1 }
action = { type = "Keystroke", keys = "a", hold = true }
[[global_mappings]]
name = "two"
trigger = { type = "Note", note = 2 }
action = { type = "ModeChange", mode = "Two" }
`

type stage struct {
	*service.Daemon
	t       *testing.T
	options service.Options
	manager *manager
	pad     *controller
	keys    *keys
	clients clients
	stop    context.CancelFunc
	ended   chan error
}

// prepare makes a daemon; change may change its options.
func prepare(t *testing.T, change func(*stage)) *stage {
	t.Helper()
	dir := t.TempDir()
	s := &stage{
		t: t, manager: &manager{grew: make(chan struct{}, 1)}, clients: clients{make(chan report.Check, 1)}, ended: make(chan error, 1),
		keys: &keys{did: make(chan effect.Kind, 16)}, pad: &controller{done: make(chan struct{}), sent: make(chan []byte, 16), id: make(chan engine.Port, 1)},
	}
	early := func() {
		if !s.manager.has("READY") {
			t.Error("something was opened before READY")
		}
	}
	s.keys.opened, s.pad.opened = early, early
	s.clients.tell <- report.Check{Name: "bus", Status: report.OK}
	s.options = service.Options{
		Version: "1", Config: filepath.Join(dir, "config.toml"), State: filepath.Join(dir, "state.json"),
		RuntimeDir: filepath.Join(dir, "run"), StartedBy: "by a test",
		Drivers: []service.Driver{s.pad}, Backends: []service.Backend{s.keys}, Supervisor: s.manager,
		Clients: func(*service.Daemon) (service.Clients, error) { return s.clients, nil },
		Clock:   service.Monotonic(), Log: slog.New(slog.DiscardHandler),
	}
	for _, err := range []error{os.WriteFile(s.options.Config, []byte(configuration), 0o600), os.Mkdir(s.options.RuntimeDir, 0o700)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	if change != nil {
		change(s)
	}
	s.Daemon = service.New(s.options)
	return s
}

func (s *stage) run() *stage {
	ctx, cancel := context.WithCancel(s.t.Context())
	s.stop = cancel
	gone := make(chan struct{})
	go func() { defer close(gone); s.ended <- s.Run(ctx) }()
	s.t.Cleanup(func() { cancel(); <-gone })
	return s
}

// await waits until the status satisfies ok.
func (s *stage) await(what string, ok func(*report.Status) bool) {
	s.t.Helper()
	for over := time.After(limit); !ok(s.Status()); {
		select {
		case <-s.manager.grew:
		case <-time.After(time.Millisecond):
		case err := <-s.ended:
			s.t.Fatalf("ended, waiting for %s: %v", what, err)
		case <-over:
			s.t.Fatalf("no %s: %+v", what, s.Status())
		}
	}
}

// end stops the daemon and says how long that took.
func (s *stage) end() (time.Duration, error) {
	s.t.Helper()
	began := time.Now()
	s.stop()
	select {
	case err := <-s.ended:
		return time.Since(began), err
	case <-time.After(limit):
		s.t.Fatal("it does not end")
		return 0, nil
	}
}

func running(st *report.Status) bool {
	return st.State == report.Running && len(st.ConnectedDevices()) == 1
}

func (s *stage) play(id engine.Port, note uint8) {
	s.pad.deliver(engine.Input{At: s.options.Clock(), Port: id, Message: engine.Message{Kind: engine.NoteOn, Number: note, Value: 1}})
}

// press plays the pad until a key goes down: presses before the keyboard is open are refused.
func (s *stage) press(id engine.Port) {
	s.t.Helper()
	for over := time.Now().Add(limit); time.Now().Before(over); {
		s.play(id, 1)
		select {
		case k := <-s.keys.did:
			if k != effect.KeyDown {
				s.t.Errorf("did %d", k)
			}
			return
		case <-time.After(10 * time.Millisecond):
		}
	}
	s.t.Fatal("no key goes down")
}

func TestLife(t *testing.T) {
	s := prepare(t, nil).run()
	s.await("running", running)
	st := s.Status()
	if st.Version != "1" || st.Pid != os.Getpid() || st.Mode != "One" || st.ConfigStatus != "ok" || st.Generation != 1 || st.LastReload.Mappings != 2 {
		t.Errorf("%+v", st)
	}
	if owner, held, err := lock.Holder(filepath.Join(s.options.RuntimeDir, "midimon")); !held || err != nil || owner.How != "by a test" {
		t.Errorf("%+v, %v, %v", owner, held, err)
	}
	id := <-s.pad.id
	s.press(id)
	s.await("a counted event", func(st *report.Status) bool { return st.Devices[0].Events > 0 && !st.Devices[0].LastEvent.IsZero() })
	if a, b := s.Status(), s.Status(); a != b {
		t.Error("a status in which nothing changed is another one")
	}
	took, err := s.end()
	if err != nil {
		t.Error(err)
	}
	t.Logf("ended after %v; the goal is a second", took)
	if k := <-s.keys.did; k != effect.KeyUp {
		t.Errorf("did %d at the end", k)
	}
	if st := s.Status(); st.State != report.Stopping || !s.manager.has("STOPPING") {
		t.Errorf("%s", st.State)
	}
	if _, held, _ := lock.Holder(filepath.Join(s.options.RuntimeDir, "midimon")); held {
		t.Error("the lock is still held")
	}
}

func TestRequests(t *testing.T) {
	s := prepare(t, nil).run()
	s.await("running", running)
	ctx := t.Context()
	wake, drain, cancel := s.Subscribe()

	if err := s.SetMode(ctx, "Two"); err != nil || s.Status().Mode != "Two" || s.Status().BaseMode != "Two" {
		t.Errorf("%v, %+v", err, s.Status())
	}
	<-wake
	if events, dropped := drain(); len(events) != 1 || dropped != 0 || events[0].New != "Two" || events[0].Old != "One" || events[0].Cause != "caller" {
		t.Errorf("%+v, %d", events, dropped)
	}
	if err := s.SetMode(ctx, "None"); !errors.Is(err, report.ErrUnknownMode) {
		t.Error(err)
	}
	for _, paused := range []bool{true, false} {
		if err := s.Pause(ctx, paused); err != nil || (s.Status().State == report.Paused) != paused {
			t.Errorf("%v, %s", err, s.Status().State)
		}
	}
	id := <-s.pad.id
	s.press(id)
	if err := s.Panic(ctx); err != nil {
		t.Error(err)
	}
	if k := <-s.keys.did; k != effect.KeyUp {
		t.Errorf("did %d", k)
	}
	if err := s.SetDeviceEnabled(ctx, "nobody", true); !errors.Is(err, report.ErrUnknownDevice) {
		t.Error(err)
	}
	if err := s.Reconnect(ctx, "any"); err != nil {
		t.Error(err)
	}
	for range 300 { // more than wait for anybody
		if err := s.SetMode(ctx, "One"); err != nil {
			t.Fatal(err)
		}
		if err := s.SetMode(ctx, "Two"); err != nil {
			t.Fatal(err)
		}
	}
	if events, dropped := drain(); len(events) != 256 || dropped != 600-256 {
		t.Errorf("%d events, %d dropped", len(events), dropped)
	}
	cancel()
	if _, err := s.end(); err != nil {
		t.Error(err)
	}
	if err := s.SetMode(ctx, "One"); !errors.Is(err, report.ErrStopping) {
		t.Error(err)
	}
	if _, err := s.Reload(ctx, "call"); !errors.Is(err, report.ErrStopping) {
		t.Error(err)
	}
	if kept, err := state.Load(s.options.State, true); err != nil || kept.BaseMode != "Two" {
		t.Errorf("%+v, %v", kept, err)
	}
	again := prepare(t, func(o *stage) { o.options.State = s.options.State }).run()
	again.await("the mode of before", func(st *report.Status) bool { return st.BaseMode == "Two" })
}

func TestReload(t *testing.T) {
	s := prepare(t, nil).run()
	s.await("running", running)
	_, drain, cancel := s.Subscribe()
	defer cancel()
	write := func(text string) {
		if err := os.WriteFile(s.options.Config, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("[[modes]]\nname = \"Three\"\n")
	r, err := s.Reload(t.Context(), "call")
	st := s.Status()
	if err != nil || !r.OK || r.Generation != 2 || r.Modes != 1 || r.Trigger != "call" || st.Generation != 2 || st.Mode != "Three" {
		t.Errorf("%+v, %v, %+v", r, err, st)
	}
	write("modes = 1")
	r, err = s.Reload(t.Context(), "call")
	st = s.Status()
	if !errors.Is(err, report.ErrConfigInvalid) || r.OK || r.Generation != 2 || r.Err == "" || len(r.Diagnostics) == 0 ||
		st.Generation != 2 || st.ConfigStatus != "kept-previous" || st.Mode != "Three" || st.State != report.Degraded || !slices.Equal(st.Problems(), []string{"config"}) {
		t.Errorf("%+v, %v, %+v", r, err, st)
	}
	var oks []bool
	events, _ := drain()
	for _, e := range events {
		if e.Kind == report.ReloadFinished {
			oks = append(oks, e.Reload.OK)
		}
	}
	if !slices.Equal(oks, []bool{true, false}) {
		t.Errorf("%v in %+v", oks, events)
	}
	write(configuration)
	if _, err = s.Reload(t.Context(), "call"); err != nil || s.Status().ConfigStatus != "ok" || len(s.Status().Health) != 0 {
		t.Errorf("%v, %+v", err, s.Status())
	}
}

func TestBadFileAtTheStart(t *testing.T) {
	for text, problems := range map[string][]string{"modes = 1": {"config"}, "": {}} {
		s := prepare(t, func(s *stage) {
			err := os.WriteFile(s.options.Config, []byte(text), 0o600)
			if text == "" {
				err = os.Remove(s.options.Config)
			}
			if err != nil {
				t.Fatal(err)
			}
		}).run()
		s.await("a connected controller", func(st *report.Status) bool { return len(st.ConnectedDevices()) == 1 })
		st := s.Status()
		if st.ConfigStatus != "defaults" || st.Mode != "Default" || st.Generation != 0 || !slices.Equal(st.Problems(), problems) || len(st.Health) != 1 {
			t.Errorf("%q: %+v", text, st)
		}
		if c := st.Health[0]; !strings.Contains(c.Message+c.Fix, s.options.Config) {
			t.Errorf("the path is not named: %+v", c)
		}
		if _, err := s.end(); err != nil {
			t.Error(err)
		}
	}
}

func TestSilentBusDelaysNobodyForLong(t *testing.T) {
	began := time.Now()
	s := prepare(t, func(s *stage) { <-s.clients.tell }).run()
	s.await("running", running)
	t.Logf("running after %v; the goal is two seconds", time.Since(began))
	s.clients.tell <- report.Check{Name: "bus", Status: report.Failed, Message: "gone"}
	s.await("the problem", func(st *report.Status) bool { return slices.Equal(st.Problems(), []string{"bus"}) })
	s.clients.tell <- report.Check{Name: "bus", Status: report.OK}
	s.await("running again", running)
}

func TestHangingBackendDoesNotKeepUsFromEnding(t *testing.T) {
	s := prepare(t, func(s *stage) { s.keys.hang = make(chan struct{}) }).run()
	s.await("running", running)
	s.press(<-s.pad.id)
	took, err := s.end() // it would be never
	if err != nil {
		t.Error(err)
	}
	t.Logf("ended after %v; the goal is a second", took)
	close(s.keys.hang)
}

func TestSecondDaemon(t *testing.T) {
	first := prepare(t, nil).run()
	first.await("running", running)
	second := prepare(t, func(s *stage) { s.options.RuntimeDir = first.options.RuntimeDir })
	err := second.Run(t.Context())
	if held, ok := errors.AsType[*lock.Held](err); !ok || held.Owner.How != "by a test" {
		t.Errorf("%v", err)
	}
	if second.manager.has("READY") {
		t.Error("the second said READY")
	}
}

func TestRuntimeDirectoryThatComesLater(t *testing.T) {
	s := prepare(t, func(s *stage) { s.options.RuntimeDir += "/later" }).run()
	s.await("the problem", func(st *report.Status) bool { return slices.Equal(st.Problems(), []string{"no-runtime-dir"}) })
	if err := os.Mkdir(s.options.RuntimeDir, 0o700); err != nil {
		t.Fatal(err)
	}
	s.await("running", running)
	if _, err := os.Stat(s.options.RuntimeDir + "/midimon/bus"); err != nil {
		t.Error(err)
	}
}

func TestRuntimeDirectoryThatComesWithAnother(t *testing.T) {
	dir := t.TempDir()
	if err := lock.Dir(dir + "/midimon"); err != nil {
		t.Fatal(err)
	}
	l, err := lock.Take(dir+"/midimon", "first")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	s := prepare(t, func(s *stage) { s.options.RuntimeDir += "/later" }).run()
	s.await("the problem", func(st *report.Status) bool { return slices.Equal(st.Problems(), []string{"no-runtime-dir"}) })
	if err := os.Rename(dir, s.options.RuntimeDir); err != nil {
		t.Fatal(err)
	}
	if _, ok := errors.AsType[*lock.Held](<-s.ended); !ok {
		t.Error("two run")
	}
}

func TestSocketHandedOver(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	l, err := net.Listen("unix", path) //nolint:noctx // it waits for nothing
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	s := prepare(t, func(s *stage) { s.options.Listener = l }).run()
	s.await("running", running)
	if _, err := s.end(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("the manager's socket was removed:", err)
	}
	if _, err := os.Stat(s.options.RuntimeDir + "/midimon/bus"); err == nil {
		t.Error("a second socket was made")
	}
}

func TestClientsThatCannotBeServed(t *testing.T) {
	s := prepare(t, func(s *stage) {
		s.options.Clients = func(*service.Daemon) (service.Clients, error) { return nil, errors.New("no contract") }
	})
	if err := s.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "no contract") {
		t.Error(err)
	}
}

// Problems of a backend count only if the configuration uses it.
func TestUnusedBackendIsNoProblem(t *testing.T) {
	for text, want := range map[string]string{
		configuration:                 "[keys]",
		"[[modes]]\nname = \"One\"\n": "[]",
		`[[global_mappings]]
trigger = { type = "Note", note = 1 }
action = { type = "Sequence", actions = [ { type = "Keystroke", keys = "a" } ] }
`: "[keys]",
	} {
		refused := make(chan struct{})
		s := prepare(t, func(s *stage) {
			s.options.Backends = []service.Backend{refusing{refused}}
			if err := os.WriteFile(s.options.Config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}).run()
		<-refused
		s.await(want, func(st *report.Status) bool {
			return len(st.ConnectedDevices()) == 1 && fmt.Sprint(st.Problems()) == want
		})
		if _, err := s.end(); err != nil {
			t.Error(err)
		}
	}
}

// What keeps texts from being typed is a warning as long as it is so, and only of who types any.
func TestTextThatCannotBeTyped(t *testing.T) {
	for text, want := range map[string][]report.Check{
		`action = { type = "Text", text = "a" }`:      {{Name: "text", Status: report.Warning, Message: "why", Fix: "mend it"}},
		`action = { type = "Keystroke", keys = "a" }`: nil,
	} {
		mute := &mute{}
		s := prepare(t, func(s *stage) {
			mute.keys = s.keys
			s.options.Backends = []service.Backend{mute}
			text = "[[global_mappings]]\ntrigger = { type = \"Note\", note = 1 }\n" + text
			if err := os.WriteFile(s.options.Config, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}).run()
		s.await("running", running)
		mute.tell(report.Check{Message: "why", Fix: "mend it"})
		if got := s.Status().Health; !slices.Equal(got, want) {
			t.Errorf("%s: %+v", text, got)
		}
		mute.tell(report.Check{})
		if got := s.Status().Health; len(got) > 0 {
			t.Errorf("%s: %+v when it is over", text, got)
		}
		if _, err := s.end(); err != nil {
			t.Error(err)
		}
	}
}

// mute may not type.
type mute struct {
	*keys
	tell func(report.Check)
}

func (m *mute) TellOfText(tell func(report.Check)) { m.tell = tell }

// refusing never opens. Await is called when that has been told.
type refusing struct{ told chan struct{} }

func (refusing) Name() string               { return "keys" }
func (refusing) Open(context.Context) error { return errors.New("no") }

func (r refusing) Await(ctx context.Context) error {
	close(r.told)
	<-ctx.Done()
	return ctx.Err()
}
func (refusing) Do(*effect.Effect) error { return nil }
func (refusing) Close() error            { return nil }
