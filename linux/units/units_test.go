//go:build linux

package units

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	sd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

// messageBus is a bus of the test's own. With servicedir it can start what is there.
func messageBus(t *testing.T, servicedir string) (address string) {
	t.Helper()
	if _, err := exec.LookPath("dbus-daemon"); err != nil {
		if os.Getenv("MIDIMON_TEST") == "all" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir := t.TempDir()
	address = "unix:path=" + filepath.Join(dir, "bus")
	text := `<busconfig><type>session</type><listen>` + address + `</listen><servicedir>` + servicedir + `</servicedir>
<policy context="default"><allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>`
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	c := exec.Command("dbus-daemon", "--config-file="+filepath.Join(dir, "conf"), "--nofork", "--nopidfile", "--print-address") //nolint:noctx // Cleanup ends it
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	if _, err := out.Read(make([]byte, 256)); err != nil {
		t.Fatal(err)
	}
	return address
}

// A manager plays systemd: it knows midimon's units and the desktop, and remembers what it was asked. The real one
// is asked by the whole-system tests.
type manager struct {
	conn *dbus.Conn

	mu     sync.Mutex
	units  map[string]map[string]dbus.Variant
	heard  []string
	result string // of the next jobs
	jobs   int
}

func play(t *testing.T, address string) *manager {
	t.Helper()
	c, err := dial(context.Background(), address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	m := &manager{conn: c, result: "done", units: map[string]map[string]dbus.Variant{}}
	for _, name := range []string{Service, Socket, Tray, desktop} {
		m.set(name, "LoadState", "loaded", "ActiveState", "inactive", "UnitFileState", "disabled", "Result", "success")
		path := dbus.ObjectPath("/org/freedesktop/systemd1/unit/" + sd.PathBusEscape(name))
		properties := map[string]any{"GetAll": func(string) (map[string]dbus.Variant, *dbus.Error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			copied := map[string]dbus.Variant{}
			for k, v := range m.units[name] {
				copied[k] = v
			}
			return copied, nil
		}}
		if err := c.ExportMethodTable(properties, path, "org.freedesktop.DBus.Properties"); err != nil {
			t.Fatal(err)
		}
	}
	job := func(verb, after string) any {
		return func(name, _ string) (dbus.ObjectPath, *dbus.Error) {
			m.mu.Lock()
			defer m.mu.Unlock()
			m.jobs++
			path := dbus.ObjectPath(fmt.Sprintf("/org/freedesktop/systemd1/job/%d", m.jobs))
			m.heard = append(m.heard, verb+" "+name)
			if m.result == "done" {
				m.units[name]["ActiveState"] = dbus.MakeVariant(after)
			}
			_ = c.Emit("/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager.JobRemoved", uint32(m.jobs), path, name, m.result)
			return path, nil
		}
	}
	note := func(what string) {
		m.mu.Lock()
		defer m.mu.Unlock()
		m.heard = append(m.heard, what)
	}
	table := map[string]any{
		"StartUnit": job("start", "active"), "StopUnit": job("stop", "inactive"),
		"ResetFailedUnit": func(name string) *dbus.Error { note("reset " + name); return nil },
		"Reload":          func() *dbus.Error { note("reload"); return nil },
		"EnableUnitFiles": func(files []string, _, _ bool) (bool, []struct{ A, B, C string }, *dbus.Error) {
			note("enable " + strings.Join(files, " "))
			for _, f := range files {
				m.set(f, "UnitFileState", "enabled")
			}
			return true, nil, nil
		},
		"DisableUnitFiles": func(files []string, _ bool) ([]struct{ A, B, C string }, *dbus.Error) {
			note("disable " + strings.Join(files, " "))
			for _, f := range files {
				m.set(f, "UnitFileState", "disabled")
			}
			return nil, nil
		},
	}
	if err := c.ExportMethodTable(table, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"); err != nil {
		t.Fatal(err)
	}
	if r, err := c.RequestName("org.freedesktop.systemd1", 0); err != nil || r != dbus.RequestNameReplyPrimaryOwner {
		t.Fatal(r, err)
	}
	return m
}

func (m *manager) set(unit string, pairs ...any) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.units[unit] == nil {
		m.units[unit] = map[string]dbus.Variant{}
	}
	for i := 0; i < len(pairs); i += 2 {
		m.units[unit][pairs[i].(string)] = dbus.MakeVariant(pairs[i+1])
	}
}

func (m *manager) asked(t *testing.T, want ...string) {
	t.Helper()
	m.mu.Lock()
	defer m.mu.Unlock()
	if !slices.Equal(m.heard, want) {
		t.Errorf("systemd heard\n%q, want\n%q", m.heard, want)
	}
	m.heard = nil
}

func nobody() (int, string, bool, error) { return 0, "", false, nil }

func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func did(t *testing.T, d Done, err error, want ...string) {
	t.Helper()
	if err != nil || !slices.Equal(d.Did, want) {
		t.Errorf("did %q, %v; want %q", d.Did, err, want)
	}
}

func TestLifeWithSystemd(t *testing.T) {
	address := messageBus(t, t.TempDir())
	m := play(t, address)
	l := &Life{Address: address, Name: "com.amiable.Midimon1", Holder: nobody}

	d, err := l.Start(within(t))
	did(t, d, err, "started midimon.socket and midimon.service")
	m.asked(t, "reset midimon.socket", "reset midimon.service", "start midimon.socket", "start midimon.service")

	d, err = l.Restart(within(t))
	did(t, d, err, "restarted midimon.service")
	m.asked(t, "stop midimon.service", "reset midimon.socket", "reset midimon.service", "start midimon.socket", "start midimon.service")

	m.set(Socket, "UnitFileState", "enabled")
	d, err = l.Stop(within(t))
	did(t, d, err, "stopped midimon.socket", "stopped midimon.service")
	m.asked(t, "stop midimon.socket", "stop midimon.service")
	if len(d.MayStart) != 1 || !strings.Contains(d.MayStart[0], "the next login (midimon.socket;") {
		t.Errorf("may start: %q", d.MayStart)
	}
	d, err = l.Stop(within(t))
	did(t, d, err, "midimon was not running")
	m.asked(t)

	m.mu.Lock()
	m.result = "failed"
	m.mu.Unlock()
	m.set(Socket, "Result", "service-start-limit-hit")
	if _, err := l.Start(within(t)); err == nil || !strings.Contains(err.Error(), `systemd says "failed" (service-start-limit-hit)`) {
		t.Errorf("a failed job: %v", err)
	}
	m.set(Service, "LoadState", "masked")
	if _, err := l.Start(within(t)); err == nil || !strings.Contains(err.Error(), "masked") {
		t.Errorf("masked: %v", err)
	}
	m.set(Service, "LoadState", "not-found")
	if _, err := l.Restart(within(t)); !errors.Is(err, ErrNotInstalled) {
		t.Errorf("not installed: %v", err)
	}
}

// What somebody started by hand is theirs.
func TestLifeOfAnother(t *testing.T) {
	address := messageBus(t, t.TempDir())
	m := play(t, address)
	sleeper := exec.Command("sleep", "1000") //nolint:noctx // Stop ends it
	if err := sleeper.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() { defer close(ended); _ = sleeper.Wait() }()
	l := &Life{Address: address, Name: "com.amiable.Midimon1", Holder: func() (int, string, bool, error) {
		return sleeper.Process.Pid, "by hand", true, nil
	}}
	d, err := l.Start(within(t))
	did(t, d, err, fmt.Sprintf("midimon runs already: process %d, started by hand", sleeper.Process.Pid))
	m.asked(t)
	if _, err := l.Restart(within(t)); err == nil || !strings.Contains(err.Error(), "started by hand") {
		t.Errorf("restart: %v", err)
	}
	d, err = l.Stop(within(t))
	did(t, d, err, fmt.Sprintf("stopped process %d, which was started by hand", sleeper.Process.Pid))
	<-ended
}

// install writes what no package brought, and uninstall takes that away and nothing else.
func TestInstall(t *testing.T) {
	base := t.TempDir()
	services := filepath.Join(base, "data", "dbus-1", "services")
	address := messageBus(t, services)
	m := play(t, address)
	files := Files(filepath.Join(base, "config"), filepath.Join(base, "data"), "/opt/bin", map[string][]byte{
		Service: []byte("ExecStart=/usr/bin/midimon\n"), Socket: []byte("[Socket]\n"),
		"com.amiable.Midimon1.service": []byte("[D-BUS Service]\nName=com.amiable.Midimon1\nExec=/usr/bin/midimon\n"),
	})
	l := &Life{Address: address, Name: "com.amiable.Midimon1", Holder: nobody, Files: files}

	// A package brought the units: only the bus file is missing.
	d, err := l.Install(within(t))
	did(t, d, err, "wrote "+filepath.Join(services, "com.amiable.Midimon1.service"),
		"enabled midimon.service and midimon.socket: every login starts midimon", "enabled midimon-tray.service: the icon comes with the desktop",
		"started midimon.socket and midimon.service")
	m.asked(t, "reload", "reload", "enable midimon.service midimon.socket", "reload", "enable midimon-tray.service", "reload",
		"reset midimon.socket", "reset midimon.service", "start midimon.socket", "start midimon.service")
	if text, err := os.ReadFile(filepath.Join(services, "com.amiable.Midimon1.service")); err != nil || !strings.Contains(string(text), "Exec=/opt/bin/midimon\n") {
		t.Errorf("%s, %v", text, err)
	}
	d, err = l.Uninstall(within(t))
	did(t, d, err, "stopped midimon.socket", "stopped midimon.service", "disabled midimon.service and midimon.socket",
		"disabled midimon-tray.service", "removed "+filepath.Join(services, "com.amiable.Midimon1.service"))
	if len(d.MayStart) != 0 {
		t.Errorf("may start: %q", d.MayStart)
	}

	// Where there is a desktop the icon comes at once.
	m.set(desktop, "ActiveState", "active")
	if d, err = l.Install(within(t)); err != nil || !slices.Contains(d.Did, "started midimon-tray.service") {
		t.Errorf("%q, %v", d.Did, err)
	}
	if d, err = l.Uninstall(within(t)); err != nil || !slices.Contains(d.Did, "stopped midimon-tray.service") {
		t.Errorf("%q, %v", d.Did, err)
	}
	m.set(desktop, "ActiveState", "inactive")
	m.set(Tray, "LoadState", "masked")

	// Nobody brought anything, and somebody wrote a file of that name.
	m.set(Service, "LoadState", "not-found")
	m.set(Socket, "LoadState", "not-found")
	unit := filepath.Join(base, "config", "systemd", "user", Service)
	if err := os.MkdirAll(filepath.Dir(unit), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(unit, []byte("[Unit]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Install(within(t)); err == nil || !strings.Contains(err.Error(), "somebody else did") {
		t.Errorf("a foreign file: %v", err)
	}
	if text, err := os.ReadFile(unit); err != nil || string(text) != "[Unit]\n" {
		t.Errorf("the foreign file is %q, %v", text, err)
	}
	if err := os.Remove(unit); err != nil {
		t.Fatal(err)
	}
	if _, err := l.Install(within(t)); !errors.Is(err, ErrNotInstalled) { // this systemd reads no files
		t.Errorf("%v", err)
	}
	if text, err := os.ReadFile(unit); err != nil || !strings.HasSuffix(string(text), "ExecStart=/opt/bin/midimon\n") {
		t.Errorf("the unit is %q, %v", text, err)
	}
	if d, err = l.Uninstall(within(t)); err != nil || !slices.Contains(d.Did, "removed "+unit) {
		t.Errorf("%q, %v", d.Did, err)
	}
}

func TestLifeWithoutSystemd(t *testing.T) {
	services := t.TempDir()
	address := messageBus(t, services)
	l := &Life{Address: address, Name: "com.amiable.Midimon1", Holder: nobody}
	if _, err := l.Start(within(t)); err == nil || !strings.Contains(err.Error(), "neither systemd nor the session bus") {
		t.Errorf("nobody can start it: %v", err)
	}
	if d, err := l.Stop(within(t)); err != nil || !reflect.DeepEqual(d, Done{Did: []string{"midimon was not running"}}) {
		t.Errorf("%+v, %v", d, err)
	}
	files := Files(t.TempDir(), t.TempDir(), "/opt/bin", map[string][]byte{Service: nil, Socket: nil})
	l.Files = files
	if err := os.WriteFile(filepath.Join(services, "com.amiable.Midimon1.service"),
		[]byte("[D-BUS Service]\nName=com.amiable.Midimon1\nExec=/bin/false\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d, err := l.Install(within(t))
	if err == nil || !strings.Contains(err.Error(), "the bus cannot start") {
		t.Errorf("%v", err)
	}
	if want := []string{"there is no systemd --user: the session bus starts midimon when it is called"}; !slices.Equal(d.Did, want) {
		t.Errorf("did %q, want %q", d.Did, want)
	}
	if d, err := l.Stop(within(t)); err != nil || len(d.MayStart) != 1 || !strings.Contains(d.MayStart[0], "a call to com.amiable.Midimon1") {
		t.Errorf("%+v, %v", d, err)
	}
}

// Where nobody can start midimon the true cause is said, and what runs goes on running.
func TestNobodyStarts(t *testing.T) {
	gone := filepath.Join(t.TempDir(), "gone")
	dead := filepath.Join(t.TempDir(), "dead")
	if l, err := net.ListenUnix("unix", &net.UnixAddr{Name: dead, Net: "unix"}); err != nil {
		t.Fatal(err)
	} else {
		l.SetUnlinkOnClose(false)
		_ = l.Close()
	}
	running := func() (int, string, bool, error) { return os.Getpid(), "by hand", true, nil } // would end this test
	for name, c := range map[string]struct {
		address string
		start   string // what it says
		install string
		wrote   bool
	}{
		"without a bus": {"", "no systemd --user, and there is no session bus; run", "no systemd --user, and there is no session bus; run", false},
		"a bus that is gone": {
			"unix:path=" + gone, "there is no session bus at unix:path=" + gone + "; run", "there is no session bus at unix:path=" + gone + "; run", false,
		},
		"a dead bus": {"unix:path=" + dead, "the session bus cannot be asked: dial unix", "the session bus cannot be asked: dial unix", false},
		"a bus that reads no files of the user's": {
			messageBus(t, t.TempDir()), `or "midimonctl install" first`, "the session bus does not look at /", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			data := t.TempDir()
			files := Files(t.TempDir(), data, "/opt/bin", map[string][]byte{
				Service: nil, Socket: nil, "com.amiable.Midimon1.service": []byte("[D-BUS Service]\nName=com.amiable.Midimon1\nExec=/opt/bin/midimon\n"),
			})
			placed := filepath.Join(data, "dbus-1", "services", "com.amiable.Midimon1.service")
			l := &Life{Address: c.address, Name: "com.amiable.Midimon1", Holder: nobody, Files: files}
			if d, err := l.Start(within(t)); err == nil || !strings.Contains(err.Error(), c.start) || len(d.Did) > 0 {
				t.Errorf("start: %v, %v", d, err)
			}
			l.Holder = running
			if d, err := l.Restart(within(t)); err == nil || !strings.Contains(err.Error(), c.start) || len(d.Did) > 0 {
				t.Errorf("restart: %v, %v", d, err)
			}
			l.Holder = nobody
			d, err := l.Install(within(t))
			if err == nil || !strings.Contains(err.Error(), c.install) {
				t.Errorf("install: %v", err)
			}
			if want := map[bool][]string{true: {"wrote " + placed}, false: {}}[c.wrote]; !slices.Equal(d.Did, want) {
				t.Errorf("install did %q, want %q", d.Did, want)
			}
			if _, err := os.Stat(placed); (err == nil) != c.wrote {
				t.Errorf("the bus file: %v", err)
			}
		})
	}
}
