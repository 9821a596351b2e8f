package engine

// InUse is how many presses, holds, sequences, late actions and deadlines there are, and Places how
// many there is room for.
func (e *Engine) InUse() (inUse, places int) {
	add := func(all, free int) { inUse, places = inUse+all-free, places+all }
	add(len(e.presses.all), len(e.presses.free))
	add(len(e.ledger.holds.all), len(e.ledger.holds.free))
	add(len(e.runs.all), len(e.runs.free))
	add(len(e.late.all), len(e.late.free))
	add(len(e.timers.slots.all), len(e.timers.slots.free))
	return inUse + e.waits + e.latches + e.ledger.live + len(e.modes.held), places
}
