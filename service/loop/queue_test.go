package loop

import (
	"runtime"
	"slices"
	"sync"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
)

var (
	fader   = &effect.VolumeControl{Operation: effect.VolumeSet}
	knob    = &effect.VolumeControl{}
	mapping = [...]*effect.Origin{{ID: "a"}, {ID: "b"}}
)

// queue is a sink without a goroutine.
func queue() *sink { return newSink(nil, nothing{}) }

// rest is what a sink would perform now, in order.
func (s *sink) rest() []effect.Effect {
	out := []effect.Effect{}
	for range len(s.queue) {
		i := <-s.queue
		if x := i.take(); x != nil {
			out = append(out, *x)
		}
	}
	return out
}

func at(m int, level float64) *effect.Effect {
	return &effect.Effect{Origin: mapping[m], Action: fader, Level: level}
}

func by(m int, steps int16) *effect.Effect {
	return &effect.Effect{Origin: mapping[m], Action: knob, Steps: steps}
}

func TestValuesThatWaitAreRenewed(t *testing.T) {
	fixed := &effect.VolumeControl{Operation: effect.VolumeSet, Level: effect.Value{Given: true}}
	note := &effect.SendMidi{}
	s := queue()
	for _, x := range []*effect.Effect{
		at(0, 1), at(1, 2), at(0, 3),
		by(0, 1), by(1, -1), by(0, 2),
		{Origin: mapping[0], Action: fixed, Level: 4},
		{Origin: mapping[0], Action: fixed, Level: 5}, // no value of the control
		{Origin: mapping[0], Action: note, Level: 6},
		{Origin: mapping[0], Action: note, Level: 7}, // each is a note
		{Origin: mapping[0], Action: knob},
		{Origin: mapping[0], Action: knob}, // no encoder
		{Origin: mapping[0], Action: fader, Level: 8, Step: 1},
		{Origin: mapping[0], Action: fader, Level: 9, Step: 1},
		at(0, 10), by(0, 32767), by(1, 1),
	} {
		if !s.act(x) {
			t.Fatalf("%+v is refused", x)
		}
	}
	var got []float64
	for _, x := range s.rest() {
		got = append(got, x.Level, float64(x.Steps))
	}
	want := []float64{10, 0, 2, 0, 0, 32767, 4, 0, 5, 0, 6, 0, 7, 0, 0, 0, 0, 0, 8, 0, 9, 0} // and the steps of b are undone
	if !slices.Equal(got, want) {
		t.Errorf("levels and steps\n%v, want\n%v", got, want)
	}
	for n := range 3 { // what was taken is not renewed
		s.act(at(0, float64(n)))
		if x := s.rest(); len(x) != 1 || x[0].Level != float64(n) {
			t.Errorf("%d: %+v", n, x)
		}
	}
}

func TestValuesNeedOnePlace(t *testing.T) {
	s := queue()
	for n := range 100 * Places {
		if !s.act(at(0, float64(n))) || !s.act(by(0, 1)) && n < 1<<15 {
			t.Fatalf("the %dth is refused", n)
		}
	}
	for n := range Places - 2 {
		if !s.act(&effect.Effect{Action: &effect.Media{}}) {
			t.Fatalf("no place for %d others", n)
		}
	}
	if s.act(&effect.Effect{Action: &effect.Media{}}) || s.act(at(1, 1)) || s.act(at(1, 2)) {
		t.Error("there are more places")
	}
	if !s.act(at(0, -1)) {
		t.Error("a full queue keeps a value from being renewed")
	}
	got := s.rest()
	if len(got) != Places || got[0].Level != -1 || got[1].Steps != 100*Places {
		t.Errorf("%d wait: %v, %v", len(got), got[0].Level, got[1].Steps)
	}
	if !s.act(at(1, 3)) || s.rest()[0].Level != 3 {
		t.Error("what was refused once is refused for ever")
	}
}

// The sink may come by while the loop renews: both ways of that, step by step.
func TestSinkComesByWhileTheLoopRenews(t *testing.T) {
	s := queue()
	s.act(at(0, 1))
	c := s.cells[cellKey{mapping[0], fader}]
	c.state.Store(renewing) // as act does
	i := <-s.queue
	if x := i.take(); x != nil || c.state.Load() != missed {
		t.Fatalf("took %+v", x)
	}
	c.renew(at(0, 2))
	if !s.stand(c, full) {
		t.Fatal("no place")
	}
	if got := s.rest(); len(got) != 1 || got[0].Level != 2 {
		t.Errorf("%+v", got)
	}

	s.act(at(0, 3))
	c.state.Store(renewing)
	i = <-s.queue
	i.take()
	for s.press(&effect.Effect{Kind: effect.KeyDown}) { // which cannot be; but then nothing may block
	}
	for s.offer(&effect.Effect{}, full) {
	}
	if s.stand(c, full) || c.state.Load() != idle {
		t.Error("a place that belongs to a release was taken")
	}
}

// slow performs with pauses.
type slow struct {
	nothing
	do func(x *effect.Effect)
}

func (s slow) Do(x *effect.Effect) error {
	s.do(x)
	return nil
}

// TestValuesWhileTheyArePerformed has the loop and a sink at it at once, for the race detector:
// values only grow, the last one is performed, no step is lost, and keys stay in order.
func TestValuesWhileTheyArePerformed(t *testing.T) {
	const rounds = 20_000
	var level [2]float64
	var steps [2]int
	var keys []effect.Kind
	performed := 0
	s := newSink(nil, slow{do: func(x *effect.Effect) {
		performed++
		m := slices.Index(mapping[:], x.Origin)
		switch {
		case x.Kind != effect.Act:
			keys = append(keys, x.Kind)
		case x.Steps != 0:
			steps[m] += int(x.Steps)
		case x.Level <= level[m]:
			t.Errorf("%v comes after %v", x.Level, level[m])
		default:
			level[m] = x.Level
		}
		if performed%3 == 0 {
			runtime.Gosched()
		}
	}})
	var ended sync.WaitGroup
	ended.Go(func() { _ = s.perform() })
	sum, downs := 0, 0
	for n := 1; n <= rounds; n++ {
		for m := range mapping {
			for !s.act(at(m, float64(n))) {
				runtime.Gosched()
			}
			for !s.act(by(m, int16(2*(n%7)-5))) {
				runtime.Gosched()
			}
		}
		sum += 2*(n%7) - 5
		if n%5 == 0 && len(s.queue) < Places && s.press(&effect.Effect{Kind: effect.KeyDown, Origin: mapping[0], Action: &effect.Keystroke{}}) {
			s.release(&effect.Effect{Kind: effect.KeyUp, Origin: mapping[0], Action: &effect.Keystroke{}})
			downs++
		}
		if n%11 == 0 {
			runtime.Gosched()
		}
	}
	close(s.queue)
	ended.Wait()
	if level != [2]float64{rounds, rounds} || steps != [2]int{sum, sum} {
		t.Errorf("ended at %v with %v steps, want %d and %d", level, steps, rounds, sum)
	}
	if len(keys) != 2*downs || s.overflow.Load() {
		t.Errorf("%d of %d keys", len(keys), 2*downs)
	}
	for i, k := range keys {
		if want := []effect.Kind{effect.KeyDown, effect.KeyUp}[i%2]; k != want {
			t.Fatalf("%d is a %d", i, k)
		}
	}
	t.Logf("%d of %d were performed", performed, 4*rounds+2*downs)
}

func TestRenewingAllocatesNothing(t *testing.T) {
	s := queue()
	x, y := at(0, 1), by(0, 1)
	var i item
	one := func() {
		for range 3 {
			s.act(x)
			s.act(y)
		}
		for range 2 {
			i = <-s.queue
			i.take()
		}
	}
	one()
	if n := testing.AllocsPerRun(1000, one); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The sink's own way allocates nothing either.
func TestPerformingAllocatesNothing(t *testing.T) {
	var before, after runtime.MemStats
	s := queue()
	key := effect.Effect{Kind: effect.KeyDown, Origin: mapping[0], Action: &effect.Keystroke{}}
	const n = 2 * Places
	for range n {
		s.queue <- item{x: key}
	}
	close(s.queue)
	runtime.ReadMemStats(&before)
	if err := s.perform(); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if a := after.Mallocs - before.Mallocs; a > n/2 {
		t.Errorf("%d allocations for %d effects", a, n)
	}
}

// A cell lives as long as the program that it belongs to.
func TestCellsGoWithTheirProgram(t *testing.T) {
	l := path(t)
	l.sinks[0].act(at(0, 1))
	l.program = nil
	l.publish()
	if n := len(l.sinks[0].cells); n != 0 {
		t.Errorf("%d are kept", n)
	}
	if x := l.sinks[0].rest(); len(x) != 1 {
		t.Errorf("%d of one that waited is left", len(x))
	}
}
