//go:build linux

package uinput

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// announceLimit bounds the wait for udev, which a machine may be without.
const announceLimit = 2 * time.Second

const udevData = "/run/udev/data"

// announced returns when udev has recorded the device, which it does just before it tells
// the compositor. Where that cannot be seen it does not wait.
func (d *device) announced(ctx context.Context) error {
	name, err := d.sysname()
	if err != nil {
		return fmt.Errorf("cannot find the new device: %w", err)
	}
	events, _ := filepath.Glob("/sys/devices/virtual/input/" + name + "/event*/dev")
	if len(events) == 0 {
		return nil
	}
	number, err := os.ReadFile(events[0])
	if err != nil {
		return fmt.Errorf("cannot find the new device: %w", err)
	}
	record := filepath.Join(udevData, "c"+strings.TrimSpace(string(number)))
	bounded, cancel := context.WithTimeout(ctx, announceLimit)
	defer cancel()
	if err := await(bounded, udevData, func() bool {
		_, err := os.Stat(record)
		return err == nil
	}); err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return nil // a udev that is slow or not there costs the first keys at worst
}

// await returns nil as soon as ready says so. It asks at once, and again after each entry of
// dir that comes or whose attributes change. Writes are not watched: in /dev, every line that
// any program prints would wake us.
func await(ctx context.Context, dir string, ready func() bool) error {
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return fmt.Errorf("cannot watch %s: %w", dir, err)
	}
	events := os.NewFile(uintptr(fd), "inotify")
	defer func() { _ = events.Close() }()
	if _, err := unix.InotifyAddWatch(fd, dir, unix.IN_CREATE|unix.IN_MOVED_TO|unix.IN_ATTRIB); err != nil {
		return fmt.Errorf("cannot watch %s: %w", dir, err)
	}
	stop := context.AfterFunc(ctx, func() { _ = events.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	buf := make([]byte, 4096)
	for !ready() {
		if _, err := events.Read(buf); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return ctx.Err()
			}
			return fmt.Errorf("cannot watch %s: %w", dir, err)
		}
	}
	return nil
}
