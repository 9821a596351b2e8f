package dbusapi

import (
	"context"
	"reflect"
	"slices"

	"github.com/godbus/dbus/v5"
)

// A property is read from a target and, if set is there, written.
type property struct {
	get  func(target) any
	same func(a, b target) bool                   // whether get must give the same of both; nil: that is not known
	set  func(context.Context, target, any) error // given a value of get's type
	slow bool                                     // to write it may take long
}

// of is a property that shows its source and nothing else. While the source is the same, so is what
// is shown, which then needs not be made: a change is looked for at every reply and every wake.
func of[S comparable, V any](source func(target) S, show func(S) V) property {
	return property{
		get:  func(t target) any { return show(source(t)) },
		same: func(a, b target) bool { return source(a) == source(b) },
	}
}

// listOf is of for a source that is a list.
func listOf[S comparable, V any](source func(target) []S, show func([]S) V) property {
	return property{
		get:  func(t target) any { return show(source(t)) },
		same: func(a, b target) bool { return slices.Equal(source(a), source(b)) },
	}
}

// deepOf is of for a source with lists within. What two snapshots have in common is compared in no time.
func deepOf[S, V any](source func(target) *S, show func(*S) V) property {
	return property{
		get:  func(t target) any { return show(source(t)) },
		same: func(a, b target) bool { return reflect.DeepEqual(source(a), source(b)) },
	}
}

// writable is a property that can be written besides.
func (p property) writable(set func(context.Context, target, any) error, slow bool) property {
	p.set, p.slow = set, slow
	return p
}

// equal says whether a property is the same of both.
func (p *property) equal(a, b target) bool {
	return p.same != nil && p.same(a, b) || reflect.DeepEqual(p.get(a), p.get(b))
}

// diff puts every property that is to be told when it changes, and did, into what has none.
func (i *iface) diff(old, now target, into values) {
	for n := range i.spec.Properties {
		p := &i.spec.Properties[n]
		if p.Emits() != "true" {
			continue
		}
		if mine := i.props[p.Name]; !mine.equal(old, now) {
			into[p.Name] = dbus.MakeVariant(mine.get(now))
		}
	}
}

// constant says whether all properties that never change are equal.
func (i *iface) constant(a, b target) bool {
	for n := range i.spec.Properties {
		p := &i.spec.Properties[n]
		if mine := i.props[p.Name]; p.Emits() == "const" && !mine.equal(a, b) {
			return false
		}
	}
	return true
}
