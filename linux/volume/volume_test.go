package volume_test

import (
	"math"
	"slices"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/linux/volume"
)

type op struct {
	do    effect.VolumeOperation
	by    float64 // the level of Set, the step of the others
	steps int16
	limit float64
}

func change(ops ...op) *volume.Change {
	c := &volume.Change{}
	for _, o := range ops {
		c.Add(&effect.VolumeControl{Operation: o.do, Step: o.by, Limit: o.limit}, &effect.Effect{Level: o.by, Steps: o.steps})
	}
	return c
}

const (
	up   = effect.VolumeUp
	down = effect.VolumeDown
	set  = effect.VolumeSet
)

func TestChange(t *testing.T) {
	for _, c := range []struct {
		name       string
		ops        []op
		from, want float64
	}{
		{"nothing", nil, 30, 30},
		{"up", []op{{up, 10, 0, 100}}, 30, 40},
		{"up to the limit", []op{{up, 10, 0, 100}}, 95, 100},
		{"up at the limit", []op{{up, 10, 0, 100}}, 100, 100},
		{"up does not pull down", []op{{up, 10, 0, 100}}, 120, 120},
		{"up beyond 100", []op{{up, 10, 0, 150}}, 120, 130},
		{"down", []op{{down, 10, 0, 100}}, 30, 20},
		{"down to nothing", []op{{down, 10, 0, 100}}, 5, 0},
		{"down from above the limit", []op{{down, 10, 0, 100}}, 130, 120},
		{"three steps of an encoder", []op{{up, 2, 3, 100}}, 30, 36},
		{"three steps back", []op{{up, 2, -3, 100}}, 30, 24},
		{"back from above the limit", []op{{up, 2, -3, 100}}, 130, 124},
		{"down turned round", []op{{down, 2, -3, 100}}, 30, 36},
		{"a fine step", []op{{up, 0.1, 0, 100}}, 30, 30.1},
		{"set", []op{{set, 55, 0, 100}}, 30, 55},
		{"set to the limit", []op{{set, 90, 0, 80}}, 30, 80},
		{"set from above the limit", []op{{set, 90, 0, 80}}, 120, 80},
		{"set to nothing", []op{{set, 0, 0, 100}}, 30, 0},
		{"the newest set", []op{{set, 10, 0, 100}, {up, 5, 0, 100}, {set, 20, 0, 100}}, 30, 20},
		{"set and up", []op{{set, 98, 0, 100}, {up, 5, 0, 100}}, 30, 100},
		{"steps are summed", []op{{up, 5, 0, 100}, {up, 5, 2, 100}}, 30, 45},
		{"the limit is met on the way", []op{{up, 50, 0, 100}, {down, 20, 0, 100}}, 80, 80},
		{"and so is silence", []op{{down, 50, 0, 100}, {up, 20, 0, 100}}, 30, 20},
		{"two limits", []op{{up, 50, 0, 100}, {up, 20, 0, 150}}, 80, 120},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := change(c.ops...).Of(c.from); math.Abs(got-c.want) > 1e-9 {
				t.Errorf("%v becomes %v, want %v", c.from, got, c.want)
			}
		})
	}
}

func TestChangeStaysSmall(t *testing.T) {
	c := &volume.Change{}
	for i := range 1000 {
		a := &effect.VolumeControl{Operation: up, Step: 0.01, Limit: 100 + float64(i%2)}
		c.Add(a, &effect.Effect{})
	}
	if got := c.Of(10); math.Abs(got-20) > 1e-6 {
		t.Errorf("a thousand steps of 0.01 from 10 are %v", got)
	}
	if c.Empty() {
		t.Error("it is empty")
	}
	c.Reset()
	if !c.Empty() || c.Of(10) != 10 {
		t.Error("it is not empty")
	}
}

// TestStepsDoNotDrift: up and down as often comes back to where it began, through the server's
// whole numbers.
func TestStepsDoNotDrift(t *testing.T) {
	const full = 65536
	v := []uint32{19661} // 30 %
	for _, by := range []float64{0.3, -0.3} {
		for range 100 {
			o := op{up, by, 0, 100}
			if by < 0 {
				o = op{down, -by, 0, 100}
			}
			volume.Scale(v, v, nil, change(o).Of(volume.Percent(v[0], full)), full)
		}
	}
	if v[0] != 19661 {
		t.Errorf("19661 became %d", v[0])
	}
}

func TestScale(t *testing.T) {
	for _, c := range []struct {
		name              string
		channels, audible []uint32
		percent           float64
		want              []uint32
	}{
		{"both", []uint32{500, 500}, nil, 80, []uint32{800, 800}},
		{"balance", []uint32{200, 600}, nil, 90, []uint32{300, 900}},
		{"to nothing", []uint32{200, 600}, nil, 0, []uint32{0, 0}},
		{"from nothing", []uint32{0, 0}, nil, 50, []uint32{500, 500}},
		{"from nothing, remembered", []uint32{0, 0}, []uint32{200, 600}, 90, []uint32{300, 900}},
		{"other channels are remembered", []uint32{0, 0}, []uint32{200}, 90, []uint32{900, 900}},
		{"silence is remembered", []uint32{0, 0}, []uint32{0, 0}, 90, []uint32{900, 900}},
		{"one side only", []uint32{0, 500}, []uint32{9, 9}, 100, []uint32{0, 1000}},
		{"above", []uint32{1000}, nil, 150, []uint32{1500}},
		{"no channels", nil, nil, 50, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			out := make([]uint32, len(c.channels))
			volume.Scale(out, c.channels, c.audible, c.percent, 1000)
			if !slices.Equal(out, c.want) {
				t.Errorf("%v, want %v", out, c.want)
			}
		})
	}
}
