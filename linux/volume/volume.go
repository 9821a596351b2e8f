// Package volume is the arithmetic of VolumeControl: what becomes of a volume, in percent, and
// of the channels that make it. It talks to nobody.
package volume

import (
	"math"

	"github.com/amiable-dev/midimon/engine/effect"
)

// fine is the smallest part of a percent that counts: what a server rounds off must not add up.
const fine = 1e-2

// Change is what several VolumeControls that came one after the other do to one volume. The
// zero value changes nothing.
type Change struct {
	steps []step
}

// step sets a volume, or moves it.
type step struct {
	set       bool
	by, limit float64 // percent; by is the volume itself if set
}

// maxSteps keeps a Change small. More differ only if mappings with many limits play one target.
const maxSteps = 16

// Add puts the volume of x's action, which is a Set, an Up or a Down, after what is there.
func (c *Change) Add(a *effect.VolumeControl, x *effect.Effect) {
	s := step{by: a.Step, limit: a.Limit}
	switch a.Operation {
	case effect.VolumeSet:
		c.steps = append(c.steps[:0], step{true, x.Level, a.Limit}) // nothing before it matters
		return
	case effect.VolumeDown:
		s.by = -s.by
	case effect.VolumeUp, effect.VolumeMute, effect.VolumeUnmute, effect.VolumeToggle:
	}
	if x.Steps != 0 {
		s.by *= float64(x.Steps)
	}
	if n := len(c.steps); n > 0 && (n == maxSteps || !c.steps[n-1].set && c.steps[n-1].limit == s.limit && (c.steps[n-1].by < 0) == (s.by < 0)) {
		c.steps[n-1].by += s.by
		return
	}
	c.steps = append(c.steps, s)
}

// Empty says that it changes nothing.
func (c *Change) Empty() bool { return len(c.steps) == 0 }

// Reset makes it empty.
func (c *Change) Reset() { c.steps = c.steps[:0] }

// Of is what becomes of a volume, in percent, at least 0. To set one stops at the limit, and
// so does a step up; one that is above its limit already is not pulled down by it.
func (c *Change) Of(percent float64) float64 {
	for _, s := range c.steps {
		switch {
		case s.set:
			percent = min(s.by, s.limit)
		case s.by > 0:
			percent = max(percent, min(percent+s.by, s.limit))
		default:
			percent += s.by
		}
		percent = max(0, math.Round(percent/fine)*fine)
	}
	return percent
}

// Percent is a volume in percent, of one whose loudest channel is at v and at full loudness
// would be at full.
func Percent(v, full uint32) float64 {
	return math.Round(float64(v)/float64(full)*100/fine) * fine
}

// Loudest is the loudest channel, 0 if there is none.
func Loudest(channels []uint32) uint32 {
	loudest := uint32(0)
	for _, v := range channels {
		loudest = max(loudest, v)
	}
	return loudest
}

// Scale makes the loudest channel stand at percent and keeps the balance. What is silent has
// none: it gets that of audible, which is what was heard last, or none at all if audible does
// not fit. The result is in out, which is as long as channels.
func Scale(out, channels, audible []uint32, percent float64, full uint32) {
	to := percent / 100 * float64(full)
	loudest := Loudest(channels)
	if loudest == 0 && len(audible) == len(channels) {
		channels = audible
		loudest = Loudest(audible)
	}
	for i := range out {
		if loudest == 0 {
			out[i] = uint32(math.Round(to))
			continue
		}
		out[i] = uint32(math.Round(float64(channels[i]) / float64(loudest) * to))
	}
}
