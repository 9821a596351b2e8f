package lock_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/amiable-dev/midimon/service/lock"
)

func dir(t *testing.T) string {
	t.Helper()
	d := filepath.Join(t.TempDir(), "midimon")
	if err := lock.Dir(d); err != nil {
		t.Fatal(err)
	}
	return d
}

func TestDirIsOursAlone(t *testing.T) {
	d := dir(t)
	if fi, err := os.Stat(d); err != nil || fi.Mode().Perm() != 0o700 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if err := lock.Dir(d); err != nil {
		t.Error("the second time:", err)
	}
	link := d + "-link"
	if err := os.Symlink(d, link); err != nil {
		t.Fatal(err)
	}
	open := d + "-open"
	if err := os.Mkdir(open, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o755); err != nil {
		t.Fatal(err)
	}
	file := d + "-file"
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	bad := map[string]string{link: "no directory", open: "others may enter", file: "no directory", "/nowhere/midimon": "cannot make"}
	if os.Geteuid() == 0 {
		foreign := d + "-foreign"
		if err := os.Mkdir(foreign, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(foreign, 12345, 12345); err != nil {
			t.Fatal(err)
		}
		bad[foreign] = "another user"
		theirs := filepath.Join(d+"-theirs", "midimon") // ours, in a directory of theirs
		if err := os.MkdirAll(theirs, 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.Chown(filepath.Dir(theirs), 12345, 12345); err != nil {
			t.Fatal(err)
		}
		bad[theirs] = "another user"
	}
	everybodys := filepath.Join(d+"-everybodys", "midimon")
	if err := os.MkdirAll(everybodys, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(everybodys), 0o777); err != nil {
		t.Fatal(err)
	}
	bad[everybodys] = "others may write"
	for path, want := range bad {
		if err := lock.Dir(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", filepath.Base(path), err, want)
		}
	}
}

func TestOnlyOneHasTheLock(t *testing.T) {
	d := dir(t)
	if _, held, err := lock.Holder(d); held || err != nil {
		t.Fatalf("held by nobody: %v, %v", held, err)
	}
	l, err := lock.Take(d, "by hand")
	if err != nil {
		t.Fatal(err)
	}
	_, err = lock.Take(d, "by systemd")
	held, ok := errors.AsType[*lock.Held](err)
	if !ok || held.Owner != (lock.Owner{Pid: os.Getpid(), How: "by hand"}) {
		t.Fatalf("the second got %v", err)
	}
	if text := err.Error(); !strings.Contains(text, "started by hand") {
		t.Error(text)
	}
	if o, held, err := lock.Holder(d); !held || err != nil || o.Pid != os.Getpid() || o.How != "by hand" {
		t.Errorf("%+v, %v, %v", o, held, err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, held, err := lock.Holder(d); held || err != nil {
		t.Errorf("after the end: %v, %v", held, err)
	}
	if l, err = lock.Take(d, "again"); err != nil {
		t.Fatal(err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
}

func TestAskingDoesNotKeepADaemonFromStarting(t *testing.T) {
	d := dir(t)
	stop, asked := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(asked)
		for {
			select {
			case <-stop:
				return
			default:
				_, _, _ = lock.Holder(d)
			}
		}
	}()
	for range 20 {
		l, err := lock.Take(d, "by hand")
		if err != nil {
			t.Fatal(err)
		}
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	close(stop)
	<-asked
}

func TestOwnerThatCannotBeRead(t *testing.T) {
	d := dir(t)
	l, err := lock.Take(d, "by hand")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	if err := os.WriteFile(filepath.Join(d, "lock"), []byte("nonsense"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Take(d, "x"); err == nil || !strings.Contains(err.Error(), "another process") {
		t.Error(err)
	}
}

func TestLinkIsNoLock(t *testing.T) {
	d := dir(t)
	if err := os.Symlink("/etc/passwd", filepath.Join(d, "lock")); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Take(d, "x"); err == nil {
		t.Error("taken through a link")
	}
	if _, _, err := lock.Holder(d); err == nil {
		t.Error("asked through a link")
	}
}

func TestSocket(t *testing.T) {
	path := filepath.Join(dir(t), "bus")
	l, err := lock.Listen(path)
	if err != nil {
		t.Fatal(err)
	}
	if fi, err := os.Stat(path); err != nil || fi.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", fi.Mode(), err)
	}
	if _, err := lock.Listen(path); !errors.Is(err, lock.ErrServed) || !strings.Contains(err.Error(), "systemctl --user start midimon") {
		t.Errorf("a served socket: %v", err)
	}
	l.(interface{ SetUnlinkOnClose(bool) }).SetUnlinkOnClose(false) // as after kill -9
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = lock.Listen(path); err != nil {
		t.Fatal("a stale socket:", err)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("it is left: %v", err)
	}
	if err := os.WriteFile(path, []byte("precious"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := lock.Listen(path); err == nil {
		t.Error("a file was replaced")
	}
}
