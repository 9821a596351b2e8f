package service_test

import (
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/service/lock"
)

// Whoever connects while midimon ends is sent away: the service manager, which has the socket too,
// would start midimon again for those who wait.
func TestWhoComesWhileItEndsIsDismissed(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	manager, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer manager.Close() //nolint:errcheck // only the test ends
	s := prepare(t, func(s *stage) {
		file, err := manager.File() // handed over, as at a start
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close() //nolint:errcheck // the listener has its own
		if s.options.Listener, err = net.FileListener(file); err != nil {
			t.Fatal(err)
		}
	}).run()
	s.await("running", running)

	// The clients of this test accept nobody, so these wait until the end.
	var waiting []net.Conn
	for range 20 {
		c, err := net.Dial("unix", path) //nolint:noctx // it waits for nothing
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() //nolint:errcheck // only the test ends
		waiting = append(waiting, c)
	}
	if _, err := s.end(); err != nil {
		t.Fatal(err)
	}
	for _, c := range waiting {
		_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
		if n, err := c.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
			t.Fatalf("a client that waited: %d bytes, %v", n, err)
		}
	}
	// A listener whose deadline is past asks the kernel nothing, so this one waits a moment for nobody.
	_ = manager.SetDeadline(time.Now().Add(10 * time.Millisecond))
	if c, err := manager.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("somebody waits at the manager's: %v, %v", c, err)
	}
	if _, held, err := lock.Holder(filepath.Join(s.options.RuntimeDir, "midimon")); held || err != nil {
		t.Errorf("the lock is held: %v", err)
	}
	// The socket is the manager's, and stays.
	if _, err := os.Stat(path); err != nil {
		t.Error(err)
	}
}
