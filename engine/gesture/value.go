package gesture

// Within says whether a value stands in a range that it was in or not before: it enters at the
// bounds and leaves when it is more than margin beyond them (hysteresis).
func Within(in bool, value, lo, hi, margin uint16) bool {
	v, m := int(value), 0
	if in {
		m = int(margin)
	}
	return int(lo)-m <= v && v <= int(hi)+m
}

// Hit is how hard a velocity is.
type Hit uint8

// The hits.
const (
	NoHit Hit = iota
	Soft
	Medium
	Hard
)

// HitOf grades a velocity by the hardest that is soft and the hardest that is medium.
func HitOf(velocity uint16, soft, medium uint8) Hit {
	switch {
	case velocity <= uint16(soft):
		return Soft
	case velocity <= uint16(medium):
		return Medium
	}
	return Hard
}
