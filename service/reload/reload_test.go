package reload_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/reload"
)

const good = "[logging]\nlevel = \"debug\"\n[[modes]]\nname = \"A\"\n[[modes]]\nname = \"B\"\napps = [\"b\"]\n"

func readOnce(path string) reload.Outcome {
	return (&reload.Reader{Path: path}).Read(reload.Settled)
}

func file(t *testing.T, text string, mode os.FileMode) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "config.toml")
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestGoodFile(t *testing.T) {
	path := file(t, good, 0o600)
	link := path + "-link" // dotfiles are often links
	if err := os.Symlink(path, link); err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{path, link} {
		o := readOnce(p)
		if o.Err != nil || len(o.Program.Modes) != 2 || o.Settings.LogLevel != "debug" || len(o.Diagnostics) != 0 {
			t.Errorf("%+v", o)
		}
	}
}

func TestGroupWritableIsAWarning(t *testing.T) {
	o := readOnce(file(t, good, 0o660))
	if o.Err != nil || len(o.Diagnostics) != 1 || o.Diagnostics[0].Code != "group-writable" || o.Diagnostics[0].Severity != report.Warn {
		t.Errorf("%+v", o)
	}
}

func TestMissing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "none")
	o := readOnce(path)
	if !o.Missing || !errors.Is(o.Err, report.ErrConfigUnreadable) || o.Program != nil {
		t.Errorf("%+v", o)
	}
	if f, ok := errors.AsType[*report.Fault](o.Err); !ok || f.Fix != "midimonctl template starter --output "+path {
		t.Errorf("%+v", o.Err)
	}
	if p := reload.Defaults(); len(p.Modes) != 1 || p.Modes[0].Name != "Default" || len(p.Mappings) != 0 {
		t.Errorf("%+v", p)
	}
}

func TestUntrustedFiles(t *testing.T) {
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{
		fifo:                 "no regular file",
		dir:                  "no regular file",
		file(t, good, 0o602): "written by everybody",
		file(t, strings.Repeat("#", config.MaxSize+1), 0o600): "more than",
	}
	if os.Geteuid() == 0 {
		foreign := file(t, good, 0o644)
		if err := os.Chown(foreign, 12345, -1); err != nil {
			t.Fatal(err)
		}
		bad[foreign] = "another user"
	}
	for path, want := range bad {
		o := readOnce(path)
		if !errors.Is(o.Err, report.ErrConfigUnreadable) || o.Missing || o.Program != nil || !strings.Contains(o.Err.Error(), want) {
			t.Errorf("%s: %v, want %q", path, o.Err, want)
		}
		if f, ok := errors.AsType[*report.Fault](o.Err); !ok || !strings.HasSuffix(f.Fix, path) {
			t.Errorf("%s: nothing mends it: %v", path, f)
		}
	}
}

func TestBadFileSaysWhere(t *testing.T) {
	path := file(t, "[[modes]]\nname = 3\n", 0o600)
	o := readOnce(path)
	if !errors.Is(o.Err, report.ErrConfigInvalid) || !strings.Contains(o.Err.Error(), path+":2:8: modes[0].name: ") || len(o.Diagnostics) != 1 {
		t.Errorf("%v", o.Err)
	}
}

func TestRequestsThatComeTogetherShareOneReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		readings, leave := 0, make(chan struct{})
		r := reload.New(func(_ context.Context, trigger string) (report.Reload, error) {
			<-leave
			readings++
			return report.Reload{Trigger: trigger, Generation: uint64(readings)}, nil
		})
		ctx, cancel := context.WithCancel(t.Context())
		go r.Run(ctx)
		var asking sync.WaitGroup
		ask := func(want uint64) {
			asking.Go(func() {
				if got, err := r.Reload(ctx, "call"); err != nil || got.Generation != want {
					t.Errorf("%+v, %v, want %d", got, err, want)
				}
			})
		}
		ask(1)
		synctest.Wait()
		for range 20 { // all after the first reading began
			ask(2)
		}
		synctest.Wait()
		close(leave)
		asking.Wait()
		if readings != 2 {
			t.Errorf("%d readings", readings)
		}
		gone, end := context.WithCancel(ctx)
		end()
		if _, err := r.Reload(gone, "call"); err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		cancel()
		synctest.Wait()
		if _, err := r.Reload(t.Context(), "call"); !errors.Is(err, report.ErrStopping) {
			t.Error(err)
		}
	})
}

func TestCommand(t *testing.T) {
	for path, want := range map[string]string{
		"/a/b-c_d.toml": "cat /a/b-c_d.toml", "": "cat ''", "/a b": "cat '/a b'", "/it's": `cat '/it'\''s'`, "/$x`": "cat '/$x`'", "/ü": "cat '/ü'",
	} {
		if got := reload.Command("cat ", path); got != want {
			t.Errorf("%q: %s, want %s", path, got, want)
		}
	}
}
