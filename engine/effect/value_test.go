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
	}
}

// TestCurves: every curve goes from one end to the other and never back.
func TestCurves(t *testing.T) {
	for i := range effect.Curves {
		for bend := 0.0; bend <= 1; bend += 0.25 {
			v := effect.Value{Max: 1, Curve: effect.Curve(i), Bend: bend}
			if a, b := v.At(0), v.At(1); a != 0 || math.Abs(b-1) > 1e-12 {
				t.Errorf("%s %v goes from %v to %v", effect.Curves[i], bend, a, b)
			}
			for x, last := 0.0, 0.0; x <= 1; x += 1.0 / 127 {
				if y := v.At(x); y < last {
					t.Errorf("%s %v falls at %v", effect.Curves[i], bend, x)
				} else {
					last = y
				}
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
