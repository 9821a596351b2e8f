//go:build linux

package pulse

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/jfreymuth/pulse/proto"

	"github.com/amiable-dev/midimon/engine/effect"
)

// target is what a VolumeControl is about, by the names that the configuration gives.
type target struct {
	input  bool
	device string
	app    string
}

func targetOf(a *effect.VolumeControl) target {
	return target{input: a.Input, device: a.Device, app: a.App}
}

func (t target) devices() kinds {
	if t.input {
		return sources
	}
	return sinks
}

// resolve asks the server for what the target is now: one sink or source, or the streams of
// an application.
func (c *connection) resolve(t target) ([]object, error) {
	if t.app != "" {
		return c.streams(t)
	}
	if t.device == "" {
		o, err := c.device(t.devices(), map[kinds]string{sinks: "@DEFAULT_SINK@", sources: "@DEFAULT_SOURCE@"}[t.devices()])
		if err != nil {
			return nil, fmt.Errorf("there is no default %s: %w", noun(t), err)
		}
		return []object{o}, nil
	}
	o, err := c.device(t.devices(), t.device)
	if err == nil {
		return []object{o}, nil
	}
	if !isRefusal(err) {
		return nil, err
	}
	return c.described(t)
}

func noun(t target) string {
	if t.input {
		return "source"
	}
	return "sink"
}

// device asks for one sink or source by its exact name.
func (c *connection) device(kind kinds, name string) (object, error) {
	if kind == sources {
		var r proto.GetSourceInfoReply
		err := c.request(&proto.GetSourceInfo{SourceIndex: proto.Undefined, SourceName: name}, &r)
		return sourceObject(&r), err
	}
	var r proto.GetSinkInfoReply
	err := c.request(&proto.GetSinkInfo{SinkIndex: proto.Undefined, SinkName: name}, &r)
	return sinkObject(&r), err
}

// described finds a sink or source by the description that people see, or a part of that or
// of the name.
func (c *connection) described(t target) ([]object, error) {
	all, err := c.list(t.devices())
	if err != nil {
		return nil, err
	}
	want := strings.ToLower(t.device)
	for _, fits := range []func(*object) bool{
		func(o *object) bool { return strings.ToLower(o.label) == want },
		func(o *object) bool {
			return strings.Contains(strings.ToLower(o.label), want) || strings.Contains(strings.ToLower(o.name), want)
		},
	} {
		var found []object
		for i := range all {
			if fits(&all[i]) {
				found = append(found, all[i])
			}
		}
		switch {
		case len(found) == 1:
			return found, nil
		case len(found) > 1:
			return nil, fmt.Errorf("several %ss are called %q: %s", noun(t), t.device, names(found))
		}
	}
	return nil, fmt.Errorf("there is no %s %q; there is %s", noun(t), t.device, names(all))
}

func names(all []object) string {
	var out []string
	for i := range all {
		if n := cmpOr(all[i].name, all[i].label); !slices.Contains(out, n) {
			out = append(out, n)
		}
	}
	if len(out) == 0 {
		return "none"
	}
	return strings.Join(out, ", ")
}

var errReadOnly = errors.New("its volume cannot be changed")

// streams are those of the target's application.
func (c *connection) streams(t target) ([]object, error) {
	kind, does := playbacks, "plays"
	if t.input {
		kind, does = recordings, "records"
	}
	all, err := c.list(kind)
	if err != nil {
		return nil, err
	}
	var found []object
	for i := range all {
		if all[i].isOf(t.app) {
			found = append(found, all[i])
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("no application %q %s anything; what does: %s", t.app, does, names(all))
	}
	return found, nil
}
