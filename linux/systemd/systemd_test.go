//go:build linux

package systemd

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// manager is the service manager's end of NOTIFY_SOCKET.
func manager(t *testing.T) *net.UnixConn {
	t.Helper()
	path := filepath.Join(t.TempDir(), "notify")
	conn, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	if err := conn.SetReadDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	t.Setenv("NOTIFY_SOCKET", path)
	return conn
}

func TestManagerHears(t *testing.T) {
	conn := manager(t)
	n := NewNotifier(slog.New(slog.DiscardHandler))
	for _, c := range []struct {
		say  func()
		want string
	}{
		{func() { n.Ready("1 of 2 devices") }, "READY=1\nSTATUS=1 of 2 devices"},
		{func() { n.Status("two\nlines=1\tover") }, "STATUS=two lines=1 over"},
		{n.Alive, "WATCHDOG=1"},
		{n.Stopping, "STOPPING=1"},
	} {
		c.say()
		buf := make([]byte, 1024)
		size, err := conn.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		if got := string(buf[:size]); got != c.want {
			t.Errorf("heard %q, want %q", got, c.want)
		}
	}
}

func TestFailureToNotifyIsLogged(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", filepath.Join(t.TempDir(), "nobody"))
	var log bytes.Buffer
	NewNotifier(slog.New(slog.NewTextHandler(&log, nil))).Alive()
	if !strings.Contains(log.String(), "cannot notify the service manager") {
		t.Errorf("log: %s", &log)
	}
}

// A manager that does not read holds nobody up: not the loop, which feeds the watchdog.
func TestManagerThatDoesNotRead(t *testing.T) {
	manager(t)
	var log bytes.Buffer
	n := NewNotifier(slog.New(slog.NewTextHandler(&log, nil)))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 200 { // some ten of them find a place
			n.Status("a line")
			n.Alive()
		}
		if log.Len() > 0 {
			t.Errorf("log: %s", &log)
		}
		n.Stopping()
	}()
	select {
	case <-done:
	case <-time.After(30 * time.Second):
		t.Fatal("it waits")
	}
	if !strings.Contains(log.String(), "cannot notify the service manager") {
		t.Errorf("log: %s", &log)
	}
}

func TestNobodyIsTold(t *testing.T) {
	t.Setenv("NOTIFY_SOCKET", "")
	var log bytes.Buffer
	NewNotifier(slog.New(slog.NewTextHandler(&log, nil))).Ready("")
	if log.Len() > 0 {
		t.Errorf("log: %s", &log)
	}
}

func TestWatchdog(t *testing.T) {
	own := strconv.Itoa(os.Getpid())
	for _, c := range []struct {
		usec, pid string
		want      time.Duration
	}{
		{"", "", 0},
		{"30000000", own, 30 * time.Second},
		{"30000000", "", 30 * time.Second},
		{"30000000", "1", 0}, // meant for somebody else
		{"soon", own, 0},
	} {
		t.Setenv("WATCHDOG_USEC", c.usec)
		t.Setenv("WATCHDOG_PID", c.pid)
		if got := NewNotifier(slog.New(slog.DiscardHandler)).Watchdog(); got != c.want {
			t.Errorf("WATCHDOG_USEC=%q WATCHDOG_PID=%q: %v, want %v", c.usec, c.pid, got, c.want)
		}
	}
}

// TestHelper is no test: it is the daemon in TestListener, which needs a process of its own
// because a socket is handed over as descriptor 3.
func TestHelper(t *testing.T) {
	if os.Getenv("MIDIMON_TEST_HELPER") == "" {
		return
	}
	t.Setenv("LISTEN_PID", strconv.Itoa(os.Getpid()))
	l, err := Listener()
	switch {
	case err != nil:
		fmt.Println("refused:", err)
	case l == nil:
		fmt.Println("none")
	default:
		fmt.Println("listens:", l.Addr())
		_ = l.Close()
	}
	fmt.Printf("left: %q\n", os.Getenv("LISTEN_FDS")+os.Getenv("LISTEN_PID"))
}

func TestListener(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bus")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	socket, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	for _, c := range []struct {
		name  string
		files []*os.File
		want  string
	}{
		{"none", nil, "none"},
		{"a socket", []*os.File{socket}, "listens: " + path},
		{"the first of two", []*os.File{socket, socket}, "listens: " + path},
		{"no socket", []*os.File{null}, "refused: cannot use the socket handed over: none of 1 listens"},
	} {
		t.Run(c.name, func(t *testing.T) {
			self := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestHelper$")
			self.Env = append(os.Environ(), "MIDIMON_TEST_HELPER=1", "GORACE=atexit_sleep_ms=10", "LISTEN_FDS="+strconv.Itoa(len(c.files)))
			self.ExtraFiles = c.files
			out, err := self.CombinedOutput()
			if err != nil {
				t.Fatalf("%v: %s", err, out)
			}
			if !strings.Contains(string(out), c.want+"\n") || !strings.Contains(string(out), `left: ""`) {
				t.Errorf("got %s, want %s and nothing left in the environment", out, c.want)
			}
		})
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the manager's socket file: %v", err)
	}
}

func TestFirst(t *testing.T) {
	listen := func() net.Listener {
		l, err := new(net.ListenConfig).Listen(t.Context(), "unix", filepath.Join(t.TempDir(), "s"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	a, b := listen(), listen()
	if got, err := first([]net.Listener{nil, a, b}); got != a || err != nil {
		t.Errorf("got %v, %v, want the first that listens", got, err)
	}
	if _, err := b.Accept(); !errors.Is(err, net.ErrClosed) {
		t.Errorf("the second socket is still open: %v", err)
	}
	if got, err := first(nil); got != nil || err != nil {
		t.Errorf("got %v, %v of nothing", got, err)
	}
	if _, err := first([]net.Listener{nil}); err == nil {
		t.Error("no error where nothing listens")
	}
	if l, err := Listener(); l != nil || err != nil {
		t.Errorf("this process was given %v, %v", l, err)
	}
}

func TestPrivateEnvNamesWhatSystemdSets(t *testing.T) {
	for _, name := range []string{"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID", "LISTEN_FDS"} {
		if !slices.Contains(PrivateEnv(), name) {
			t.Errorf("%s would reach the programs we start", name)
		}
	}
}

func TestJournalLines(t *testing.T) {
	var out bytes.Buffer
	log := slog.New(newJournal(&out, slog.LevelDebug))
	log.Error("it broke", "err", "line\nbreak")
	log.Warn("look")
	log.With("port", "A1").Info("connected")
	log.WithGroup("g").Debug("seen", "time", 3)
	log.Log(t.Context(), slog.LevelDebug-4, "below the level")
	want := "<3>msg=\"it broke\" err=\"line\\nbreak\"\n<4>msg=look\n<6>msg=connected port=A1\n<7>msg=seen g.time=3\n"
	if out.String() != want {
		t.Errorf("got\n%swant\n%s", &out, want)
	}
}

func TestJournalErrorIsReturned(t *testing.T) {
	if err := newJournal(broken{}, slog.LevelInfo).Handle(t.Context(), slog.Record{Level: slog.LevelError}); err == nil {
		t.Error("no error")
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, syscall.EPIPE }

func TestLogHandlerOnlyTrustsItsOwnStream(t *testing.T) {
	t.Setenv("JOURNAL_STREAM", "")
	if _, plain := LogHandler(os.Stderr, slog.LevelInfo).(*slog.TextHandler); !plain {
		t.Error("journal format without a journal")
	}
	t.Setenv("JOURNAL_STREAM", "1:1") // somebody else's: stderr was redirected
	if _, plain := LogHandler(os.Stderr, slog.LevelInfo).(*slog.TextHandler); !plain {
		t.Error("journal format on a stderr that is not the journal's")
	}
	var stat syscall.Stat_t
	if err := syscall.Fstat(int(os.Stderr.Fd()), &stat); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JOURNAL_STREAM", fmt.Sprintf("%d:%d", stat.Dev, stat.Ino))
	if _, ok := LogHandler(os.Stderr, slog.LevelInfo).(*journalHandler); !ok {
		t.Error("no journal format under the journal")
	}
}
