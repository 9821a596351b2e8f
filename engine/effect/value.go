package effect

import "math"

// Value is the number that an action works with: one written in the configuration, or the
// control's own, bent and brought into a range.
type Value struct {
	Given  bool    // Fixed is it; else the control's
	Fixed  float64 // in the action's unit
	Min    float64 // what the control's lowest becomes, in the action's unit
	Max    float64 // what its highest becomes
	Scale  float64 // a factor on what the control gives, before Min and Max bound it; 0 is 1
	Invert bool    // the lowest becomes the highest
	Curve  Curve
	Bend   float64 // how far the curve departs from a line, 0-1
	Graded bool    // how hard the control was hit says which: what else is here counts where no VelocityRange says it
	Hits   [Hard + 1]float64
}

// Curve is how a value goes from its lowest to its highest.
type Curve uint8

// The curves.
const (
	Linear      Curve = iota
	Exponential       // slow, then fast
	Logarithmic       // fast, then slow
	SCurve            // slow, fast, slow
)

// Curves are their names in a configuration, in the order of the constants.
var Curves = []string{"linear", "exponential", "logarithmic", "s-curve"}

// steepness of the curves that are bent as far as can be.
const (
	exponent = 6
	sigmoid  = 10
)

// Of is the value for a control that stands at x and was hit so hard.
func (v *Value) Of(x float64, hit Hit) float64 {
	if v.Graded && hit != NoHit {
		return v.Hits[hit]
	}
	return v.At(x)
}

// At is the value for a control that stands at x, 0 (lowest) to 1 (highest).
func (v *Value) At(x float64) float64 {
	if v.Given {
		return v.Fixed
	}
	if x = max(0, min(x, 1)); v.Invert {
		x = 1 - x
	}
	x = v.Curve.bend(x, v.Bend)
	if v.Scale != 0 {
		x = max(0, min(x*v.Scale, 1))
	}
	return v.Min + x*(v.Max-v.Min)
}

// bend takes 0 to 0 and 1 to 1, exactly, and what is between along the curve.
func (c Curve) bend(x, by float64) float64 {
	if by <= 0 || x == 0 || x == 1 {
		return x
	}
	switch c {
	case Exponential:
		return math.Expm1(exponent*by*x) / math.Expm1(exponent*by)
	case Logarithmic:
		return math.Log1p(x*math.Expm1(exponent*by)) / (exponent * by)
	case SCurve:
		k := sigmoid * by
		s := func(x float64) float64 { return 1 / (1 + math.Exp(-k*(x-0.5))) }
		return (s(x) - s(0)) / (s(1) - s(0))
	case Linear:
	}
	return x
}
