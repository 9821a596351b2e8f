package main

import (
	"os"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// The bounds of the heap's garbage, in bytes.
const (
	// leastHeap is how large the heap may become before anything is collected, as where Go is left alone.
	leastHeap = 4 << 20
	// spared is what Go keeps below the limit for itself.
	spared = 1 << 20
	// steady is how far the limit may be from where it should be: to move it stops everything.
	steady = 256 << 10
	// before is the limit as long as nothing was collected: no start comes near it.
	before = 32 << 20
)

// What Go's heap consists of.
const (
	page       = 8 << 10 // bytes
	pagesAhead = 64      // that a processor takes at once, to have some
)

// swept is how long after a collection Go has, as a rule, given up what it collected with.
const swept = 20 * time.Millisecond

// giveBack gives the system what the heap does not need, twice: the first time takes memory itself, and misses
// what the processors have.
func giveBack() {
	debug.FreeOSMemory()
	time.Sleep(swept)
	usePagesAhead()
	debug.FreeOSMemory()
}

// usePagesAhead has the processors take other pages than those they have. What is free of these, 512 KiB at most, Go
// does not give back. So one processor goes, and loses them, and the last one uses them up. What it takes next is where
// most of the heap is, and little is free.
func usePagesAhead() {
	procs := runtime.GOMAXPROCS(noteProcs)
	defer runtime.GOMAXPROCS(procs)
	var taken [pagesAhead][]byte
	for i := range taken {
		taken[i] = make([]byte, page)
	}
}

// collectByNeed has garbage collected when there is some, and not each two minutes too: a
// daemon at rest then stays at rest. Go does that when it has a limit instead of a share, so
// after each collection the limit is set to where the share would be. Who says in the
// environment how Go shall collect has it so.
func collectByNeed() {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	debug.SetMemoryLimit(before)
	debug.SetGCPercent(-1)
	l := &limiter{is: before}
	for i, name := range [...]string{
		"/gc/heap/live:bytes", "/memory/classes/total:bytes",
		"/memory/classes/heap/released:bytes", "/memory/classes/heap/free:bytes", "/memory/classes/heap/objects:bytes",
	} {
		l.samples[i].Name = name
	}
	l.await()
}

// limiter moves the limit.
type limiter struct {
	is      int64
	samples [5]metrics.Sample
}

// await has the limit moved after the next collection, which finds nobody who wants what is
// made here.
func (l *limiter) await() {
	runtime.AddCleanup(&sentinel{}, func(l *limiter) { l.move(); l.await() }, l)
}

// sentinel has a pointer, so that it does not share its memory with what lives longer.
type sentinel struct{ _ *sentinel }

func (l *limiter) move() {
	metrics.Read(l.samples[:])
	var v [len(l.samples)]int64
	for i := range v {
		v[i] = int64(l.samples[i].Value.Uint64()) //nolint:gosec // no machine has as much
	}
	live, total, released, free, objects := v[0], v[1], v[2], v[3], v[4]
	if want := total - released - free - objects + max(2*live, leastHeap) + spared; want < l.is-steady || want > l.is+steady {
		l.is = want
		debug.SetMemoryLimit(want)
	}
}
