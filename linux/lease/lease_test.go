//go:build linux

package lease_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/amiable-dev/midimon/linux/lease"
)

func file(t *testing.T, path string, flag int) *os.File {
	t.Helper()
	f, err := os.OpenFile(path, flag|os.O_CREATE, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	return f
}

func TestWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	if held, writing := lease.Hold(file(t, path, os.O_RDONLY)); !held || writing {
		t.Fatalf("nobody writes: held %v, writing %v", held, writing)
	}
	path += "2"
	for _, flag := range []int{os.O_WRONLY, os.O_RDWR, os.O_WRONLY | os.O_APPEND, os.O_WRONLY | os.O_TRUNC} {
		w := file(t, path, flag)
		if _, err := w.WriteString("half"); err != nil {
			t.Fatal(err)
		}
		r := file(t, path, os.O_RDONLY)
		if held, writing := lease.Hold(r); held || !writing {
			t.Errorf("%x, open: held %v, writing %v", flag, held, writing)
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		if held, writing := lease.Hold(r); !held || writing {
			t.Errorf("%x, closed: held %v, writing %v", flag, held, writing)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWriterWaits(t *testing.T) {
	path := filepath.Join(t.TempDir(), "file")
	r := file(t, path, os.O_RDONLY)
	if held, _ := lease.Hold(r); !held {
		t.Fatal("not held")
	}
	if _, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err != unix.EWOULDBLOCK {
		t.Fatalf("somebody who does not wait: %v", err)
	}
	opened := make(chan error, 1)
	go func() {
		w, err := os.OpenFile(path, os.O_WRONLY|os.O_TRUNC, 0)
		if err == nil {
			err = w.Close()
		}
		opened <- err
	}()
	select {
	case err := <-opened:
		t.Fatalf("opened while it was held: %v", err)
	case <-time.After(20 * time.Millisecond):
	}
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-opened:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("not opened after it was let go of")
	}
}

func TestCannotBeTold(t *testing.T) {
	pipe, other, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	closed := file(t, filepath.Join(t.TempDir(), "file"), os.O_RDONLY)
	for _, f := range []*os.File{closed, other} {
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []*os.File{pipe, closed} {
		if held, writing := lease.Hold(f); held || writing {
			t.Errorf("%s: held %v, writing %v", f.Name(), held, writing)
		}
		_ = f.Close()
	}
}
