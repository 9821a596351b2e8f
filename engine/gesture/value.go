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
