//go:build linux

package alsaseq

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"path/filepath"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/linux/inotify"
)

// Options are what tests change; the zero value is right for everybody else.
type Options struct {
	Device   string // default /dev/snd/seq
	Sysfs    string // default /sys
	Client   string // our name among the sequencer's clients, default midimon
	Through  bool   // list the kernel's Midi Through port too
	Verbatim bool   // deliver every message as it was sent; see stream.Parser
}

// Driver opens the sequencer.
type Driver struct {
	log  *slog.Logger
	opts Options
	open func(path string) (device, error)
}

// New makes a driver. It touches nothing before Open.
func New(log *slog.Logger, opts Options) *Driver {
	def := func(s *string, value string) {
		if *s == "" {
			*s = value
		}
	}
	def(&opts.Device, "/dev/snd/seq")
	def(&opts.Sysfs, "/sys")
	def(&opts.Client, "midimon")
	return &Driver{log: log, opts: opts, open: openFile}
}

// Name is the kind of the devices found: "seq".
func (d *Driver) Name() string { return "seq" }

// Open starts a session. Inputs go to deliver, from one goroutine; it may block, but must
// not wait for a call of Ignore. Errors are a *report.Fault of check "alsa".
func (d *Driver) Open(deliver func(engine.Input)) (*Session, error) {
	s, err := d.connect(deliver)
	if err != nil {
		return nil, d.fault(err)
	}
	s.start()
	return s, nil
}

// Await returns nil when Open has become possible, or ctx's error. It sleeps until something
// happens beside the device.
func (d *Driver) Await(ctx context.Context) error {
	w, err := inotify.New()
	if err != nil {
		d.log.Warn("cannot watch for the ALSA sequencer", "err", err)
		<-ctx.Done()
		return ctx.Err()
	}
	defer w.Close()
	for {
		if err := d.watch(w); err != nil {
			d.log.Warn("cannot watch for the ALSA sequencer", "err", err)
		}
		// What happened before the watches were set shows in this attempt.
		if d.Available() == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-w.Events: // created, or its owner, mode or ACL changed
		}
	}
}

// watch watches the device's directory or, while there is none, the one above. Directories
// already watched stay so.
func (d *Driver) watch(w *inotify.Watcher) error {
	dir := filepath.Dir(d.opts.Device)
	err := w.Add(dir)
	if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err := w.Add(filepath.Dir(dir)); err != nil {
		return err
	}
	if err := w.Add(dir); !errors.Is(err, fs.ErrNotExist) { // it came in between
		return err
	}
	return nil
}

// fault says how to mend err.
func (d *Driver) fault(err error) error {
	// Who has it open says something where nothing else does.
	f := &report.Fault{Check: "alsa", Fix: "cat /proc/asound/seq/clients", Err: fmt.Errorf("cannot use the ALSA sequencer: %w", err)}
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.ENXIO), errors.Is(err, unix.ENODEV):
		f.Fix = "sudo modprobe snd-seq"
	case errors.Is(err, unix.EACCES), errors.Is(err, unix.EPERM):
		f.Fix = "sudo usermod -aG audio $USER, then log in again"
	}
	return f
}
