//go:build linux

package pulse

import (
	"slices"
	"strings"

	"github.com/jfreymuth/pulse/proto"

	"github.com/amiable-dev/midimon/linux/volume"
)

// full is a volume of 100 % (PA_VOLUME_NORM).
const full = uint32(proto.VolumeNorm)

// object is something with a volume, as the server has it.
type object struct {
	kind     kinds // one of them
	index    uint32
	name     string // of a sink or source
	label    string // for people: its description, or what the application calls itself
	channels []uint32
	muted    bool
	readOnly bool
	apps     []string // of a stream: the names that its application goes by
}

// Percent is how loud it is, by its loudest channel.
func (o *object) percent() float64 { return volume.Percent(volume.Loudest(o.channels), full) }

func levels(v proto.ChannelVolumes) []uint32 {
	out := make([]uint32, len(v))
	for i, x := range v {
		out[i] = uint32(x)
	}
	return out
}

func volumes(v []uint32) proto.ChannelVolumes {
	out := make(proto.ChannelVolumes, len(v))
	for i, x := range v {
		out[i] = proto.Volume(x)
	}
	return out
}

func text(p proto.PropList, key string) string {
	if e, ok := p[key]; ok && len(e) > 0 && e[len(e)-1] == 0 {
		return e.String()
	}
	return ""
}

func sinkObject(r *proto.GetSinkInfoReply) object {
	return object{
		kind: sinks, index: r.SinkIndex, name: r.SinkName, label: cmpOr(text(r.Properties, "device.description"), r.Device),
		channels: levels(r.ChannelVolumes), muted: r.Mute,
	}
}

func sourceObject(r *proto.GetSourceInfoReply) object {
	return object{
		kind: sources, index: r.SourceIndex, name: r.SourceName, label: cmpOr(text(r.Properties, "device.description"), r.Device),
		channels: levels(r.ChannelVolumes), muted: r.Mute,
	}
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

func streamObject(kind kinds, index uint32, media string, p proto.PropList, v proto.ChannelVolumes, muted, writable bool) object {
	o := object{kind: kind, index: index, channels: levels(v), muted: muted, readOnly: !writable}
	for _, key := range []string{
		"application.name", "application.id", "application.process.binary", "pipewire.access.portal.app_id", "application.icon_name",
	} {
		if s := text(p, key); s != "" {
			o.apps = append(o.apps, s)
		}
	}
	if o.label = media; len(o.apps) > 0 {
		o.label = o.apps[0]
	}
	return o
}

// list asks for all objects of a kind.
func (c *connection) list(kind kinds) (out []object, err error) {
	switch kind {
	case sinks:
		var r proto.GetSinkInfoListReply
		err = c.request(&proto.GetSinkInfoList{}, &r)
		for _, s := range r {
			out = append(out, sinkObject(s))
		}
	case sources:
		var r proto.GetSourceInfoListReply
		err = c.request(&proto.GetSourceInfoList{}, &r)
		for _, s := range r {
			out = append(out, sourceObject(s))
		}
	case playbacks:
		var r proto.GetSinkInputInfoListReply
		err = c.request(&proto.GetSinkInputInfoList{}, &r)
		for _, s := range r {
			out = append(out, streamObject(kind, s.SinkInputIndex, s.MediaName, s.Properties, s.ChannelVolumes, s.Muted, s.VolumeWritable))
		}
	case recordings:
		var r proto.GetSourceOutputInfoListReply
		err = c.request(&proto.GetSourceOutputInfoList{}, &r)
		for _, s := range r {
			out = append(out, streamObject(kind, s.SourceOutpuIndex, s.MediaName, s.Properties, s.ChannelVolumes, s.Muted, s.VolumeWritable))
		}
	case defaults, everything:
	}
	return out, err
}

// setVolume makes the object as loud as v says.
func (c *connection) setVolume(o *object, v []uint32) error {
	switch o.kind {
	case sinks:
		return c.request(&proto.SetSinkVolume{SinkIndex: o.index, ChannelVolumes: volumes(v)}, nil)
	case sources:
		return c.request(&proto.SetSourceVolume{SourceIndex: o.index, ChannelVolumes: volumes(v)}, nil)
	case playbacks:
		return c.request(&proto.SetSinkInputVolume{SinkInputIndex: o.index, ChannelVolumes: volumes(v)}, nil)
	default:
		return c.request(&proto.SetSourceOutputVolume{SourceOutputIndex: o.index, ChannelVolumes: volumes(v)}, nil)
	}
}

func (c *connection) setMute(o *object, mute bool) error {
	switch o.kind {
	case sinks:
		return c.request(&proto.SetSinkMute{SinkIndex: o.index, Mute: mute}, nil)
	case sources:
		return c.request(&proto.SetSourceMute{SourceIndex: o.index, Mute: mute}, nil)
	case playbacks:
		return c.request(&proto.SetSinkInputMute{SinkInputIndex: o.index, Mute: mute}, nil)
	default:
		return c.request(&proto.SetSourceOutputMute{SourceOutputIndex: o.index, Mute: mute}, nil)
	}
}

// plain is a name as it is compared: applications are called "Google Chrome", "google-chrome"
// and "com.google.Chrome" by different people.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'A' && r <= 'Z':
			return r | 0x20
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r >= 0x80:
			return r
		}
		return -1
	}, s)
}

// isOf says whether a stream is of the application that goes by a name: its own name for
// itself, its program's, its desktop id or the last word of that.
func (o *object) isOf(app string) bool {
	want := plain(app)
	last := plain(app[strings.LastIndexByte(app, '.')+1:])
	return want != "" && slices.ContainsFunc(o.apps, func(name string) bool {
		is := plain(name)
		return is == want || last != "" && is == last || is != "" && plain(name[strings.LastIndexByte(name, '.')+1:]) == want
	})
}
