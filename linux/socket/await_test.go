//go:build linux

package socket_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/linux/socket"
)

// dir is a directory whose name is short enough for sockets.
func dir(t *testing.T) string {
	t.Helper()
	d, err := os.MkdirTemp("", "midimon") //nolint:usetesting // t.TempDir is too long
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(d) })
	return d
}

func listen(t *testing.T, path string) *net.UnixListener {
	t.Helper()
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	return l
}

// await starts Await and returns what it returns.
func await(t *testing.T, paths ...string) (<-chan error, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	t.Cleanup(cancel)
	back := make(chan error, 1)
	go func() { back <- socket.Await(ctx, paths...) }()
	return back, cancel
}

func returns(t *testing.T, back <-chan error, want error) {
	t.Helper()
	select {
	case err := <-back:
		if !errors.Is(err, want) {
			t.Errorf("Await = %v, want %v", err, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("Await does not return")
	}
}

// sleeps fails when Await returns although nobody listens.
func sleeps(t *testing.T, back <-chan error) {
	t.Helper()
	select {
	case err := <-back:
		t.Fatalf("Await = %v, and nobody listens", err)
	case <-time.After(100 * time.Millisecond):
	}
}

func TestSomebodyListensAlready(t *testing.T) {
	path := filepath.Join(dir(t), "s")
	listen(t, path)
	back, _ := await(t, filepath.Join(dir(t), "nobody"), path)
	returns(t, back, nil)
}

func TestDirectoriesComeLater(t *testing.T) {
	root := dir(t)
	path := filepath.Join(root, "a", "b", "s")
	back, _ := await(t, path)
	sleeps(t, back)
	if err := os.Mkdir(filepath.Join(root, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	sleeps(t, back)
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	sleeps(t, back)
	listen(t, path)
	returns(t, back, nil)
}

// TestStaleSocket: a server that was killed leaves its socket, and the next one replaces it.
func TestStaleSocket(t *testing.T) {
	path := filepath.Join(dir(t), "s")
	old := listen(t, path)
	old.SetUnlinkOnClose(false)
	if err := old.Close(); err != nil {
		t.Fatal(err)
	}
	back, _ := await(t, path)
	sleeps(t, back)
	time.Sleep(1500 * time.Millisecond) // past what a server may take from bind to listen
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	listen(t, path)
	returns(t, back, nil)
}

// TestDirectoryIsReplaced: a runtime directory goes with the last login and comes with the next.
func TestDirectoryIsReplaced(t *testing.T) {
	root := dir(t)
	path := filepath.Join(root, "a", "s")
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	back, _ := await(t, path)
	sleeps(t, back)
	if err := os.Remove(filepath.Dir(path)); err != nil {
		t.Fatal(err)
	}
	sleeps(t, back)
	if err := os.Mkdir(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	listen(t, path)
	returns(t, back, nil)
}

func TestAbstractSocket(t *testing.T) {
	name := "@midimon-test-" + filepath.Base(dir(t))
	back, _ := await(t, name)
	sleeps(t, back)
	listen(t, name)
	returns(t, back, nil)
}

func TestItsContextEndsIt(t *testing.T) {
	back, cancel := await(t, filepath.Join(dir(t), "s"))
	sleeps(t, back)
	cancel()
	returns(t, back, context.Canceled)
}
