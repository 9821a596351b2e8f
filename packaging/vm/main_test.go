//go:build linux && vm

package vm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

const (
	tester     = 1000 // the user at the seat, in no group
	runtimeDir = "/run/user/1000"
	sessionBus = "unix:path=/run/user/1000/bus"
)

func TestMain(m *testing.M) {
	if os.Getenv("MIDIMON_MACHINE") == "" {
		fmt.Fprintln(os.Stderr, "these tests change the machine they run in; start them with packaging/vm/test")
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// asTester makes a command of the user's, with the environment of its login.
func asTester(ctx context.Context, env []string, name string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: tester, Gid: tester}}
	cmd.Dir = "/home/tester"
	cmd.Env = append([]string{
		"HOME=/home/tester", "USER=tester", "PATH=/usr/bin:/bin",
		"XDG_RUNTIME_DIR=" + runtimeDir, "DBUS_SESSION_BUS_ADDRESS=" + sessionBus,
	}, env...)
	return cmd
}

// user runs a program as the user and returns what it printed and its exit status.
func user(t *testing.T, name string, args ...string) (out string, status int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	b, err := asTester(ctx, nil, name, args...).CombinedOutput()
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		return string(b), exit.ExitCode()
	case err != nil:
		t.Fatalf("%s: %v\n%s", name, err, b)
	}
	return string(b), 0
}

// must runs a program as the user; it has to succeed.
func must(t *testing.T, name string, args ...string) string {
	t.Helper()
	out, status := user(t, name, args...)
	if status != 0 {
		t.Fatalf("%s %s: exit %d\n%s", name, strings.Join(args, " "), status, out)
	}
	return out
}

// root runs a program as root; it has to succeed.
func root(t *testing.T, name string, args ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second) // also in Cleanup
	defer cancel()
	out, err := exec.CommandContext(ctx, name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

// monotonic is the clock that the kernel stamps key events with.
func monotonic() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return time.Duration(ts.Nano())
}

// transcript collects what a program prints and can be waited on.
type transcript struct {
	mu   sync.Mutex
	text bytes.Buffer
	grow chan struct{}
}

func newTranscript() *transcript { return &transcript{grow: make(chan struct{}, 1)} }

func (tr *transcript) Write(b []byte) (int, error) {
	tr.mu.Lock()
	n, err := tr.text.Write(b)
	tr.mu.Unlock()
	select {
	case tr.grow <- struct{}{}:
	default:
	}
	return n, err
}

func (tr *transcript) String() string {
	tr.mu.Lock()
	defer tr.mu.Unlock()
	return tr.text.String()
}

// await waits until the text contains want.
func (tr *transcript) await(t *testing.T, want string, limit time.Duration) {
	t.Helper()
	tr.awaitTimes(t, want, 1, limit)
}

// awaitTimes waits until the text contains want so many times.
func (tr *transcript) awaitTimes(t *testing.T, want string, times int, limit time.Duration) {
	t.Helper()
	over := time.After(limit)
	for strings.Count(tr.String(), want) < times {
		select {
		case <-tr.grow:
		case <-over:
			t.Fatalf("%q not printed in %v:\n%s", want, limit, tr)
		}
	}
}
