package main

import (
	"io"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/amiable-dev/midimon/darwin"
	"github.com/amiable-dev/midimon/service"
)

// support is where macOS keeps what belongs to an application.
func support() string { return filepath.Join(xdg("", "Library/Application Support"), "midimon") }

func configPath() string { return filepath.Join(support(), "config.toml") }

func statePath() string { return filepath.Join(support(), "state.json") }

// bringBus is the command that brings the session bus.
func bringBus() string { return "launchctl start org.freedesktop.dbus-session" }

// runtimeDir is the parent of the lock's directory.
func runtimeDir() string { return filepath.Dir(support()) }

func logHandler(stderr io.Writer, level slog.Leveler) slog.Handler {
	return slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})
}

// platform adds what macOS brings: nothing that plays yet, which it says.
func platform(o *service.Options, _ *slog.Logger) error {
	o.Problems = darwin.Problems()
	o.Supervisor = nobody{}
	o.Free = giveBack
	return nil
}

// nobody supervises us.
type nobody struct{}

func (nobody) Ready(string)            {}
func (nobody) Status(string)           {}
func (nobody) Alive()                  {}
func (nobody) Stopping()               {}
func (nobody) Watchdog() time.Duration { return 0 }
