//go:build linux

package pulse

import (
	"slices"

	"github.com/jfreymuth/pulse/proto"
)

// State is how loud everything is, as the server last said. It is not changed once it is
// published.
type State struct {
	Sink, Source string // the names of the default ones; empty: none
	Levels       []Level
}

// Level is how loud something is.
type Level struct {
	Input   bool   // a source, or what an application records
	Stream  bool   // of an application
	Name    string // of a sink or source, else of the application
	Label   string // for people
	Percent float64
	Muted   bool
}

// observer is what is known of the server without asking. The mixer's goroutine owns it.
type observer struct {
	state   State
	objects map[kinds][]object
	audible map[key][]uint32 // the channels of everything when they were last not silent
}

// key names an object as long as it is there.
type key struct {
	kind  kinds
	index uint32
}

func newObserver() *observer {
	return &observer{objects: map[kinds][]object{}, audible: map[key][]uint32{}}
}

// refresh asks again for the kinds that changed.
func (b *observer) refresh(c *connection, changed kinds) error {
	for kind := sinks; kind < defaults; kind <<= 1 {
		if changed&kind == 0 {
			continue
		}
		all, err := c.list(kind)
		if err != nil && !isRefusal(err) {
			return err
		}
		b.objects[kind] = all
		for i := range all {
			b.heard(&all[i])
		}
		for k := range b.audible {
			if k.kind == kind && !slices.ContainsFunc(all, func(o object) bool { return o.index == k.index }) {
				delete(b.audible, k)
			}
		}
	}
	if changed&defaults != 0 {
		var r proto.GetServerInfoReply
		if err := c.request(&proto.GetServerInfo{}, &r); err != nil && !isRefusal(err) {
			return err
		}
		b.state.Sink, b.state.Source = r.DefaultSinkName, r.DefaultSourceName
	}
	return nil
}

// heard remembers how the channels of an object stand to each other.
func (b *observer) heard(o *object) {
	if slices.ContainsFunc(o.channels, func(v uint32) bool { return v != 0 }) {
		b.audible[key{o.kind, o.index}] = o.channels
	}
}

// snapshot is the state to publish.
func (b *observer) snapshot() *State {
	s := b.state
	s.Levels = nil
	for kind := sinks; kind < defaults; kind <<= 1 {
		for i := range b.objects[kind] {
			o := &b.objects[kind][i]
			s.Levels = append(s.Levels, Level{
				Input: kind == sources || kind == recordings, Stream: kind == playbacks || kind == recordings,
				Name: cmpOr(o.name, o.label), Label: o.label, Percent: o.percent(), Muted: o.muted,
			})
		}
	}
	return &s
}
