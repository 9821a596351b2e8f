package effect

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
