package loop

import (
	"context"
	"log/slog"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
)

// nothing performs nothing and hears nothing.
type nothing struct{}

func (nothing) Name() string                { return "keys" }
func (nothing) Open(context.Context) error  { return nil }
func (nothing) Await(context.Context) error { return nil }
func (nothing) Do(*effect.Effect) error     { return nil }
func (nothing) Close() error                { return nil }
func (nothing) Event(report.Event)          {}
func (nothing) Changed()                    {}
func (nothing) Backend(string, error)       {}

func TestLatencyBuckets(t *testing.T) {
	last := -1
	for d := time.Duration(0); d < time.Minute; d += d/9 + 1 {
		b := bucket(d)
		if b < last {
			t.Fatalf("%v is in bucket %d, less before in %d", d, b, last)
		}
		if c := ceiling(b); c < d || c > d+d/8+1 {
			t.Fatalf("%v is in a bucket up to %v", d, c)
		}
		last = b
	}
	var l latency
	if l.quantile(0.5) != 0 {
		t.Error("a quantile of nothing")
	}
	for i := range 100 {
		l.add(time.Duration(i) * time.Microsecond)
	}
	if p := l.quantile(0.5); p < 49*time.Microsecond || p > 57*time.Microsecond {
		t.Errorf("p50 is %v", p)
	}
	if p := l.quantile(0.99); p < 98*time.Microsecond || p > 112*time.Microsecond {
		t.Errorf("p99 is %v", p)
	}
}

func path(tb testing.TB) *Loop {
	tb.Helper()
	p, problems := config.Load("", []byte(`[[global_mappings]]
name = "held"
trigger = { type = "Note", note = 1 }
action = { type = "Keystroke", keys = "a", hold = true }
`))
	if p == nil {
		tb.Fatal(problems)
	}
	began := time.Now()
	l := New(Config{
		Engine: engine.New(p), Now: func() time.Duration { return time.Since(began) }, Observer: nothing{},
		Backends: []Backend{nothing{}}, Log: slog.New(slog.DiscardHandler),
	})
	l.engine.Attach(0, engine.Any)
	l.routes[toKeys].ready = true
	l.timer = time.NewTimer(time.Hour)
	return l
}

// press is one press and release, from the reader to the sink.
func (l *Loop) onePress() {
	for _, kind := range []engine.Kind{engine.NoteOn, engine.NoteOff} {
		l.Deliver(engine.Input{At: l.now(), Message: engine.Message{Kind: kind, Number: 1, Value: 1}})
		l.in = <-l.inputs
		l.step()
		l.arm()
		<-l.routes[toKeys].queue
	}
}

func TestPathAllocatesNothing(t *testing.T) {
	l := path(t)
	l.onePress()
	if n := testing.AllocsPerRun(1000, l.onePress); n != 0 {
		t.Errorf("%v allocations a note", n)
	}
	if l.routes[toKeys].held != 0 || l.stats.Received < 2000 {
		t.Errorf("%d held, %d received", l.routes[toKeys].held, l.stats.Received)
	}
}

func BenchmarkPath(b *testing.B) {
	l := path(b)
	for b.Loop() {
		l.onePress()
	}
}

func TestOverflowGivesTheBackendUp(t *testing.T) {
	l := path(t)
	for range full {
		l.routes[toKeys].queue <- item{}
	}
	l.routes[toKeys].release(&effect.Effect{Kind: effect.KeyUp})
	if !l.routes[toKeys].overflow.Load() {
		t.Fatal("a release was lost without a word")
	}
	if err := l.routes[toKeys].perform(); err == nil {
		t.Error("the backend was kept")
	}
}

func TestVoidedReleaseGoesNowhere(t *testing.T) {
	l := path(t)
	l.routes[toKeys].ready = false
	a := &effect.Keystroke{}
	// A press and the release of its tap in one batch, as after a long sleep.
	l.out = []effect.Effect{
		{Kind: effect.KeyDown, Hold: 7, Action: a}, {Kind: effect.KeyUp, Hold: 6, Action: a}, {Kind: effect.KeyUp, Hold: 7, Action: a},
	}
	l.dispatch()
	if l.out[1].Hold != 6 || l.out[2].Hold != voided {
		t.Errorf("%+v", l.out)
	}
}

func TestLossGivesReservedPlacesBack(t *testing.T) {
	l := path(t)
	for l.routes[toKeys].press(&effect.Effect{Kind: effect.KeyDown}) {
	}
	if l.routes[toKeys].held != Places {
		t.Errorf("%d presses were taken", l.routes[toKeys].held)
	}
	l.obey(&command{sink: l.routes[toKeys]})
	if l.routes[toKeys].held != 0 {
		t.Errorf("%d places are reserved for what is gone", l.routes[toKeys].held)
	}
}

// The world is made anew when it is another one, and not for every note.
func TestClockAllocatesOncePerMinute(t *testing.T) {
	l := path(t)
	wall := time.Date(2026, 11, 23, 9, 30, 0, 0, time.UTC)
	l.clock, l.wall = true, func() time.Time { return wall }
	l.onePress()
	was := l.world
	if n := testing.AllocsPerRun(1000, l.onePress); n != 0 || l.world != was || was.Minute != 570 || was.Weekday != 0 {
		t.Errorf("%v allocations a note, %+v", n, l.world)
	}
	wall = wall.Add(-48*time.Hour + time.Minute)
	l.onePress()
	if l.world == was || l.world.Minute != 571 || l.world.Weekday != 5 {
		t.Errorf("%+v", l.world)
	}
	was = l.world
	w := *was
	w.Present = map[string]bool{}
	l.show(&w, 0, nil)
	if l.world != was {
		t.Error("no device is another world than none")
	}
}
