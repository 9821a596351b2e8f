package state_test

import (
	"bufio"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/amiable-dev/midimon/service/state"
)

// saver makes the test program save states instead of testing.
const saver = "MIDIMON_SAVE"

func TestMain(m *testing.M) {
	if path := os.Getenv(saver); path != "" {
		count, _ := strconv.Atoi(os.Getenv(saver + "_COUNT"))
		save := func(i int) {
			if err := state.Save(path, some(fmt.Sprint("mode ", i))); err != nil {
				fmt.Fprintln(os.Stderr, err)
				os.Exit(1)
			}
			fmt.Println(i)
		}
		for i := 1; count == 0 || i <= count; i++ {
			save(i)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func saving(t *testing.T, path string, count int, with ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	args := append(with, self)
	cmd := exec.Command(args[0], args[1:]...) //nolint:noctx // it is killed, or ends by itself
	cmd.Env = append(os.Environ(), saver+"="+path, saver+"_COUNT="+strconv.Itoa(count), "GORACE=atexit_sleep_ms=0")
	cmd.Stderr = os.Stderr
	return cmd
}

// TestKilledWhileSaving kills a program that does nothing but save, at any instant: what is
// there then is what it saved last, or what it was saving, whole.
func TestKilledWhileSaving(t *testing.T) {
	kills := 500
	if testing.Short() {
		kills = 50
	}
	path := filepath.Join(t.TempDir(), "state.json")
	amid := 0 // kills that left something half-written behind
	for range kills {
		cmd := saving(t, path, 0)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		r := bufio.NewScanner(out)
		if !r.Scan() { // it has begun
			t.Fatal("it does not save")
		}
		time.AfterFunc(time.Duration(rand.Int64N(int64(3*time.Millisecond))), func() { _ = cmd.Process.Kill() })
		saved := r.Text()
		for r.Scan() {
			saved = r.Text()
		}
		_ = cmd.Wait() // it was killed
		n, err := strconv.Atoi(saved)
		if err != nil {
			t.Fatal(err)
		}
		s, err := state.Load(path, false)
		if last, next := some(fmt.Sprint("mode ", n)), some(fmt.Sprint("mode ", n+1)); err != nil || !same(s, last) && !same(s, next) {
			t.Fatalf("after %d: %+v, %v", n, s, err)
		}
		if left, _ := filepath.Glob(filepath.Join(filepath.Dir(path), ".state-*")); len(left) > 0 {
			amid++
		}
		state.Clean(path)
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 1 {
			t.Fatalf("left over: %v, %v", left, err)
		}
	}
	t.Logf("%d of %d kills were in the middle of a save", amid, kills)
	if amid == 0 {
		t.Error("no kill was in the middle of a save")
	}
}

// TestOrder has the kernel's word for it that what is renamed is on the disk by then.
func TestOrder(t *testing.T) {
	strace, err := exec.LookPath("strace")
	if err != nil {
		if os.Getenv("MIDIMON_TEST") == "all" {
			t.Fatal("strace is not there; packaging/dev installs it")
		}
		t.Skip("no strace")
	}
	dir := t.TempDir()
	trace := filepath.Join(t.TempDir(), "trace")
	cmd := saving(t, filepath.Join(dir, "state.json"), 1, strace, "-f", "-y", "-o", trace, "-e", "trace=write,fsync,fdatasync,rename,renameat,renameat2")
	if out, err := cmd.Output(); err != nil || strings.TrimSpace(string(out)) != "1" {
		t.Fatalf("%q, %v", out, err)
	}
	text, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	var calls []string
	for line := range strings.Lines(string(text)) {
		if m := regexp.MustCompile(`(write|fsync|rename)\w*\(.*` + regexp.QuoteMeta(dir) + `(/\.state-\d+)?["> ]`).FindStringSubmatch(line); m != nil {
			what := m[1]
			if what == "fsync" && m[2] == "" {
				what = "fsync directory"
			}
			calls = append(calls, what)
		}
	}
	if got := strings.Join(calls, ", "); got != "write, fsync, rename, fsync directory" {
		t.Errorf("%s\n%s", got, text)
	}
}
