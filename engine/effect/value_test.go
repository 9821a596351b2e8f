package effect_test

import (
	"math"
	"testing"

	"github.com/amiable-dev/midimon/engine/effect"
)

func TestValue(t *testing.T) {
	for _, c := range []struct {
		value   effect.Value
		x, want float64
	}{
		{effect.Value{Given: true, Fixed: 30, Max: 100}, 0.5, 30},
		{effect.Value{Max: 100}, 0.5, 50},
		{effect.Value{Max: 100}, -1, 0},
		{effect.Value{Max: 100}, 2, 100},
		{effect.Value{Min: -8192, Max: 8191}, 0, -8192},
		{effect.Value{Min: 20, Max: 80, Invert: true}, 0.25, 65},
		{effect.Value{Max: 100, Scale: 2}, 0.25, 50},
		{effect.Value{Max: 100, Scale: 2}, 0.75, 100},
		{effect.Value{Max: 100, Scale: 0.5}, 1, 50},
		{effect.Value{Max: 1, Curve: effect.Exponential, Bend: 1}, 0.5, 0.047426},
		{effect.Value{Max: 1, Curve: effect.Logarithmic, Bend: 1}, 0.047426, 0.5},
		{effect.Value{Max: 1, Curve: effect.SCurve, Bend: 1}, 0.5, 0.5},
		{effect.Value{Max: 1, Curve: effect.SCurve, Bend: 1}, 0.25, 0.070110},
		{effect.Value{Max: 1, Curve: effect.Exponential}, 0.5, 0.5},
	} {
		if got := c.value.At(c.x); math.Abs(got-c.want) > 1e-5 {
			t.Errorf("%+v at %v is %v, want %v", c.value, c.x, got, c.want)
		}
		if n := testing.AllocsPerRun(10, func() { c.value.At(c.x) }); n != 0 {
			t.Errorf("%+v: %v allocations", c.value, n)
		}
	}
}

// TestCurves: every curve goes exactly from one end to the other and never stays or goes back.
func TestCurves(t *testing.T) {
	for i := range effect.Curves {
		for bend := 0.0; bend <= 1; bend += 0.25 {
			v := effect.Value{Max: 1, Curve: effect.Curve(i), Bend: bend}
			if a, b := v.At(0), v.At(1); a != 0 || b != 1 {
				t.Errorf("%s %v goes from %v to %v", effect.Curves[i], bend, a, b)
			}
			last := -1.0
			for n := range 16384 {
				x := float64(n) / 16383
				y := v.At(x)
				if y <= last {
					t.Fatalf("%s %v does not rise at %v", effect.Curves[i], bend, x)
				}
				last = y
			}
		}
	}
}

// TestOppositeCurves: what one does the other undoes, and the s-curve is as far below the line
// on one side as above it on the other.
func TestOppositeCurves(t *testing.T) {
	for bend := 0.1; bend <= 1; bend += 0.1 {
		exp := effect.Value{Max: 1, Curve: effect.Exponential, Bend: bend}
		log := effect.Value{Max: 1, Curve: effect.Logarithmic, Bend: bend}
		s := effect.Value{Max: 1, Curve: effect.SCurve, Bend: bend}
		for n := range 128 {
			x := float64(n) / 127
			if y := log.At(exp.At(x)); math.Abs(y-x) > 1e-12 {
				t.Errorf("bent by %v, %v comes back as %v", bend, x, y)
			}
			if sum := s.At(x) + s.At(1-x); math.Abs(sum-1) > 1e-12 {
				t.Errorf("the s-curve of %v is not even at %v: %v", bend, x, sum)
			}
		}
	}
}

func TestConditions(t *testing.T) {
	w := &effect.World{
		Minute: 9*60 + 30, Weekday: 2, FocusKnown: true, Focused: "org.gimp.gimp",
		Running: map[string]bool{"obs": true}, Present: map[string]bool{"LPD8": true},
	}
	night := *w
	night.Minute, night.Locked, night.FocusKnown, night.Focused = 60, true, false, ""
	yes := effect.Condition{}
	no := effect.Condition{Kind: effect.Never}
	for i, c := range []struct {
		condition  effect.Condition
		day, night bool
	}{
		{yes, true, true},
		{no, false, false},
		{effect.Condition{Kind: effect.TimeRange, From: 540, To: 570}, true, false},
		{effect.Condition{Kind: effect.TimeRange, From: 571, To: 600}, false, false},
		{effect.Condition{Kind: effect.TimeRange, From: 1320, To: 60}, false, true},
		{effect.Condition{Kind: effect.TimeRange, From: 1320, To: 59}, false, false},
		{effect.Condition{Kind: effect.DayOfWeek, Days: 1 << 2}, true, true},
		{effect.Condition{Kind: effect.DayOfWeek, Days: 1 << 1}, false, false},
		{effect.Condition{Kind: effect.ModeIs, Name: "desk"}, true, true},
		{effect.Condition{Kind: effect.ModeIs, Name: "Desk"}, false, false},
		{effect.Condition{Kind: effect.AppRunning, Name: "obs"}, true, true},
		{effect.Condition{Kind: effect.AppRunning, Name: "o*"}, true, true},
		{effect.Condition{Kind: effect.AppRunning, Name: "ob"}, false, false},
		{effect.Condition{Kind: effect.AppFocused, Name: "*gimp*"}, true, false},
		{effect.Condition{Kind: effect.AppFocused, Name: "x", Unknown: true}, false, true},
		{effect.Condition{Kind: effect.ScreenLocked}, false, true},
		{effect.Condition{Kind: effect.DevicePresent, Name: "LPD8"}, true, true},
		{effect.Condition{Kind: effect.DevicePresent, Name: "other"}, false, false},
		{effect.Condition{Kind: effect.And, Of: []effect.Condition{yes, no}}, false, false},
		{effect.Condition{Kind: effect.And, Of: []effect.Condition{yes, yes}}, true, true},
		{effect.Condition{Kind: effect.Or, Of: []effect.Condition{no, yes}}, true, true},
		{effect.Condition{Kind: effect.Or, Of: []effect.Condition{no}}, false, false},
		{effect.Condition{Kind: effect.Not, Of: []effect.Condition{no}}, true, true},
		{effect.Condition{Kind: effect.Not, Of: []effect.Condition{yes}}, false, false},
	} {
		if got := c.condition.Holds(w, "desk"); got != c.day {
			t.Errorf("%d: %+v by day: %v", i, c.condition, got)
		}
		if got := c.condition.Holds(&night, "desk"); got != c.night {
			t.Errorf("%d: %+v by night: %v", i, c.condition, got)
		}
		if n := testing.AllocsPerRun(10, func() { c.condition.Holds(w, "desk") }); n != 0 {
			t.Errorf("%d: %v allocations", i, n)
		}
	}
	var none *effect.Condition
	if !none.Holds(nil, "") || (&effect.Condition{Kind: effect.ScreenLocked}).Holds(nil, "") {
		t.Error("no condition, no world")
	}
}
