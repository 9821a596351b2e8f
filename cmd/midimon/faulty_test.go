//go:build linux

package main

import (
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/dbusapi/dbustest"
	"github.com/amiable-dev/midimon/engine/effect"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/audio"
	"github.com/amiable-dev/midimon/linux/bus"
	"github.com/amiable-dev/midimon/linux/buscall"
	"github.com/amiable-dev/midimon/linux/launch"
	"github.com/amiable-dev/midimon/linux/mpris"
	"github.com/amiable-dev/midimon/linux/notify"
	"github.com/amiable-dev/midimon/service"
	"github.com/amiable-dev/midimon/service/midi"
	commanding "github.com/amiable-dev/midimon/service/process" // process is a word of these tests
)

// faultyOne is whom a back end works for.
type faultyOne interface {
	set(fault string)
	mend() error
}

// A beginner makes a back end, whom it works for, and what tells of each thing done. It may use dir, and failed
// is for a back end that tells of what failed by itself.
type beginner func(t *testing.T, dir string, failed func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string)

// backends are the real ones. DIR in an action is the directory that start is given.
var backends = []struct {
	name, action string
	faults       []string
	start        beginner
}{
	{"audio", `type = "VolumeControl", operation = "Toggle"`, []string{hangs, slow, fails, dies, flaps, lies, floods}, startAudio},
	{"media", `type = "Media", operation = "PlayPause"`, busFaults, onBus("org.mpris.MediaPlayer2.faulty", func(b *bus.Bus) service.Backend { return mpris.New(b) })},
	{"notify", `type = "Notify", summary = "hello"`, busFaults, onBus("org.freedesktop.Notifications", func(b *bus.Bus) service.Backend { return notify.New(b) })},
	{
		"dbus", `type = "DBusCall", destination = "org.example.Faulty", path = "/", interface = "org.example.Faulty", method = "Go"`, busFaults,
		onBus("org.example.Faulty", func(b *bus.Bus) service.Backend { return buscall.New(b, bus.New("")) }),
	},
	{"process in systemd", `type = "Shell", command = "true"`, busFaults, startUnits},
	{"process", `type = "Shell", command = "DIR/command", timeout_ms = 500`, []string{hangs, slow, fails, dies, floods}, startCommands},
	{"midi", `type = "SendMidi", port = "any", message = "CC", channel = 0, controller = 1, value = 1`, []string{hangs, slow, fails, dies}, startMidi},
}

var busFaults = []string{hangs, slow, fails, dies, lies, floods, frozen}

func startAudio(t *testing.T, _ string, _ func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string) {
	s := newFaultySound(t)
	return audio.New(s.getenv), s, s.did
}

func onBus(name string, start func(*bus.Bus) service.Backend) beginner {
	return func(t *testing.T, _ string, _ func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string) {
		daemon := dbustest.New(t)
		p := newFaultyPeer(t, daemon, name)
		b := bus.New(daemon.Address)
		t.Cleanup(b.Close)
		return start(b), p, p.did
	}
}

func startUnits(t *testing.T, _ string, failed func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string) {
	daemon := dbustest.New(t)
	p := newFaultyPeer(t, daemon, "org.freedesktop.systemd1")
	b := bus.New(daemon.Address)
	t.Cleanup(b.Close)
	return commanding.New(commanding.Config{
		Platform: launch.New(b, func(string) string { return "" }, nil), Fail: failed, Contained: func(error) {}, Log: slog.New(slog.DiscardHandler),
	}), p, p.did
}

// commands is a command that does what its file says.
type commands struct{ path, pipe string }

func (c *commands) set(fault string) {
	text := map[string]string{
		well: "echo done >" + c.pipe, hangs: "sleep 1000", slow: "sleep 0.2; exit 1", fails: "exit 3", dies: "kill -9 $$", floods: "exec yes",
	}[fault]
	next := c.path + ".next"
	_ = os.WriteFile(next, []byte("#!/bin/sh\n"+text+"\n"), 0o700) //nolint:gosec // it is run; one that is not there fails too
	_ = os.Rename(next, c.path)
}

func (c *commands) mend() error {
	c.set(well)
	return nil
}

func startCommands(t *testing.T, dir string, failed func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string) {
	c, did := &commands{filepath.Join(dir, "command"), filepath.Join(dir, "pipe")}, make(chan string, 4096)
	if err := syscall.Mkfifo(c.pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	pipe, err := os.OpenFile(c.pipe, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pipe.Close() })
	go func() {
		for b := make([]byte, 5); ; { // done and the end of the line
			if _, err := pipe.Read(b); err != nil {
				return
			}
			did <- "done"
		}
	}()
	c.set(well)
	b := commanding.New(commanding.Config{Fail: failed, Log: slog.New(slog.DiscardHandler)})
	return b, c, did
}

// ports are where MIDI goes to.
type ports struct{ faultOf }

func (p *ports) mend() error {
	p.set(well)
	return nil
}

func startMidi(_ *testing.T, _ string, _ func(effect.Effect, string, error)) (service.Backend, faultyOne, <-chan string) {
	p, did := &ports{}, make(chan string, 4096)
	return midi.New(func(ctx context.Context, _ string, _ []byte) error {
		switch p.now() {
		case hangs:
			<-ctx.Done()
			return ctx.Err()
		case slow:
			time.Sleep(slowly)
		case fails:
			return os.ErrPermission
		case dies:
			return report.ErrDeviceAbsent
		}
		did <- "sent"
		return nil
	}, nil), p, did
}
