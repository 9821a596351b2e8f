//go:build linux

package alsaseq

import (
	"fmt"
	"sync"
	"testing"
	"time"

	"gitlab.com/gomidi/midi/v2/drivers"
	"gitlab.com/gomidi/midi/v2/drivers/drivertest"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
)

// gomidi makes a session a drivers.Driver, for gomidi's conformance suite.
type gomidi struct {
	name string
	s    *Session

	mu  sync.Mutex
	ins map[engine.Port]func(engine.Input)
}

func (g *gomidi) deliver(in engine.Input) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if f := g.ins[in.Port]; f != nil {
		f(in)
	}
}

func (g *gomidi) String() string { return g.name }
func (g *gomidi) Close() error   { return g.s.Close() }

func (g *gomidi) Ins() (out []drivers.In, err error) {
	ports, err := g.s.Ports()
	for _, p := range ports {
		if p.In {
			out = append(out, &gomidiPort{g: g, p: p})
		}
	}
	return out, err
}

func (g *gomidi) Outs() (out []drivers.Out, err error) {
	ports, err := g.s.Ports()
	for _, p := range ports {
		if p.Out {
			out = append(out, &gomidiPort{g: g, p: p})
		}
	}
	return out, err
}

// gomidiPort is an In and an Out.
type gomidiPort struct {
	g    *gomidi
	p    report.Port
	open bool
}

func (p *gomidiPort) Open() error     { p.open = true; return nil }
func (p *gomidiPort) Close() error    { p.open = false; return nil }
func (p *gomidiPort) IsOpen() bool    { return p.open }
func (p *gomidiPort) Number() int     { return int(p.p.Addr) }
func (p *gomidiPort) String() string  { return fmt.Sprintf("%s:%s", p.p.Client, p.p.Name) }
func (p *gomidiPort) Underlying() any { return p.p }

func (p *gomidiPort) Send(b []byte) error {
	if !p.open {
		return drivers.ErrPortClosed
	}
	return p.g.s.Send(p.p, b)
}

func (p *gomidiPort) Listen(onMsg func([]byte, int32), cfg drivers.ListenConfig) (func(), error) {
	if !p.open {
		return nil, drivers.ErrPortClosed
	}
	const id = 7
	var began time.Duration
	p.g.mu.Lock()
	p.g.ins[id] = func(in engine.Input) {
		if began == 0 {
			began = in.At
		}
		sense, code := in.Kind == 0xFE, in.Kind == 0xF8 || in.Kind == 0xF1
		if sense && !cfg.ActiveSense || code && !cfg.TimeCode || in.Kind == engine.SysEx && !cfg.SysEx {
			return
		}
		onMsg(wire(in.Message), int32((in.At - began).Milliseconds()))
	}
	p.g.mu.Unlock()
	return func() { _ = p.g.s.Ignore(id) }, p.g.s.Listen(p.p, id)
}

// wire is a message's bytes, as far as the suite needs them.
func wire(m engine.Message) []byte {
	switch {
	case m.Kind == engine.SysEx:
		return m.Data
	case m.Kind >= 0xF0:
		return []byte{byte(m.Kind)}
	case m.Kind <= engine.ControlChange:
		return []byte{0x80 | byte(m.Kind)<<4 | m.Channel, m.Number, byte(m.Value)}
	}
	return []byte{0xFF, byte(m.Kind)}
}

// conform runs the suite against the port of Midi Through, which returns what it gets.
func conform(t *testing.T, g *gomidi) {
	drivers.Register(g)
	drivertest.DriverInterfaceImplementationTest(t, g)
	drivertest.AutoregisterTest(t, g)
	for name, test := range map[string]func(*testing.T, drivers.In, drivers.Out){
		"RunningStatus": drivertest.RunningStatusTest,
		"FullStatus":    drivertest.FullStatusTest,
		"NoActiveSense": drivertest.NoActiveSenseTest,
		"NoTimeCode":    drivertest.NoTimeCodeTest,
		"Sysex":         drivertest.SysexTest,
		"NoSysex":       drivertest.NoSysexTest,
	} {
		t.Run(name, func(t *testing.T) {
			p := found(t, g.s, named("Midi Through"))
			test(t, &gomidiPort{g: g, p: p}, &gomidiPort{g: g, p: p})
		})
	}
}

func TestGomidiConformance(t *testing.T) {
	g := &gomidi{name: "alsaseq on a fake kernel", ins: map[engine.Port]func(engine.Input){}}
	g.s = start(t, newKernel(), Options{Through: true, Verbatim: true}, g.deliver)
	conform(t, g)
}
