package engine_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/engine"
)

var (
	seed   = flag.Uint64("seed", 1, "of the random programs and events")
	soaked = flag.Duration("soak", 20*time.Second, "how long TestSoak plays at either speed, in virtual time; packaging/dev plays ten minutes")
)

// thousand is the size of what is soaked: some controls that mean a thousand things.
var thousand = size{mappings: 1000, modes: 6, devices: 2, notes: 24, buttons: 8, encoders: 4, channels: 3}

// What may be in use more at the end than after a tenth of the time, and how many presses, holds,
// sequences and deadlines at once: what was in use is used again.
const (
	mostGrown  = 4 << 20
	mostPlaces = 2000
)

// TestSoak plays random events, ten minutes of them where that is asked for, on a thousand mappings
// of every kind, as fast as people play and as fast as a MIDI cable carries, and looks at what comes
// of each. Twice the same must come to the same, and whenever the engine is woken too.
func TestSoak(t *testing.T) {
	programs := make([]*engine.Program, 3)
	for i := range programs {
		programs[i] = makeProgram(rand.New(rand.NewPCG(*seed, uint64(i))), thousand)
	}
	for _, speed := range []struct {
		name string
		gap  func(pick chance) time.Duration
	}{
		// Gestures of some presses, and pauses between them.
		{"played", func(pick chance) time.Duration {
			return time.Duration([]int{1, 5, 10, 20, 60, 150}[pick.IntN(6)]*(500+pick.IntN(1000))) * time.Microsecond
		}},
		{"flood", func(pick chance) time.Duration { return time.Duration(pick.IntN(2000)) * time.Microsecond }},
	} {
		t.Run(speed.name, func(t *testing.T) {
			soak := func(how string, early, refuse bool) *player {
				p := newPlayer(t, fmt.Sprintf("-seed %d, %s", *seed, how), rand.New(rand.NewPCG(*seed, 99)), thousand, programs...)
				p.early, p.refuse = early, refuse
				grown := p.soak(*soaked, speed.gap)
				t.Logf("%s: %d events, %d effects, %d places, %d kB more after the first tenth", p.name, p.events, p.effects, p.most, grown>>10)
				if grown > mostGrown || p.most > mostPlaces {
					t.Errorf("memory: %d bytes more, at most %d; %d places, at most %d", grown, mostGrown, p.most, mostPlaces)
				}
				return p
			}
			late := soak("woken by events", false, false)
			p := soak("woken at every deadline", true, false)
			late.compare(p)
			if speed.name == "played" {
				soak("once more", false, false).compare(late)
				soak("some keys refused", false, true).compare(soak("some keys refused, once more", false, true))
			}
			if *soaked < 10*time.Minute {
				return // not everything comes in so short a time
			}
			for _, name := range engine.TriggerTypes {
				if late.acts["on "+name] == 0 {
					t.Errorf("no %s came", name)
				}
			}
			k := maker{rand.New(rand.NewPCG(*seed, 0)), thousand}
			for _, make := range k.kinds() {
				if name := make(0).Type(); late.acts[name] == 0 {
					t.Errorf("no %s was done", name)
				}
			}
			var acts []string
			for name, n := range late.acts {
				acts = append(acts, fmt.Sprintf("%s %d", name, n))
			}
			slices.Sort(acts)
			t.Log(strings.Join(acts, ", "))
		})
	}
}

// soak plays for a time, and returns by how much the memory in use has grown after the first tenth.
func (p *player) soak(length time.Duration, gap func(chance) time.Duration) (grown int64) {
	var used int64
	for p.at < length {
		if used == 0 && p.at > length/10 {
			used = inUse()
		}
		p.play(gap(p.pick))
	}
	sums := int64(cap(p.sums)) * 8
	p.rest()
	return inUse() - used - sums
}

func inUse() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// compare finds the first event after which not the same had come.
func (p *player) compare(q *player) {
	p.t.Helper()
	for i := range min(len(p.sums), len(q.sums)) {
		if p.sums[i] != q.sums[i] {
			p.t.Fatalf("%s and %s: after event %d of %d not the same had come", p.name, q.name, i+1, len(p.sums))
		}
	}
	if len(p.sums) != len(q.sums) {
		p.t.Fatalf("%s: %d events, %s: %d", p.name, p.events, q.name, q.events)
	}
}
