// Command midimon turns MIDI controllers into control surfaces for the desktop: the daemon. It joins
// the rooms, which know nothing of each other; everything else is theirs.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"github.com/amiable-dev/midimon/dbusapi"
	"github.com/amiable-dev/midimon/service"
)

// The exit codes of midimon; 0 is stopped, or done.
const (
	exitFailed = 1 // another midimon runs, or the socket cannot be had
	exitUsage  = 2
)

func main() {
	runtime.MemProfileRate = 0 // nobody reads the profile, and it takes 200 kB
	os.Exit(run(os.Args[1:], os.Stdout, os.Stderr))
}

func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "demo" {
		return demo(args[1:], stdout, stderr)
	}
	f, status := parse(args, stdout, stderr)
	if f == nil {
		return status
	}
	if err := serve(f, stdout, stderr); err != nil {
		_, _ = fmt.Fprintln(stderr, "midimon:", err)
		return exitFailed
	}
	return 0
}

// flags are what the command line says.
type flags struct {
	config, socket string
	level          string
	dryRun, noBus  bool
}

// newFlags are the flags there are, and where their values go.
func newFlags() (set *flag.FlagSet, f *flags, version *bool) {
	set = flag.NewFlagSet("midimon", flag.ContinueOnError)
	f = &flags{}
	set.StringVar(&f.config, "config", "", "configuration `file` (default "+configPath()+")")
	set.StringVar(&f.socket, "socket", "", "`path` of the private socket (default midimon/bus in $XDG_RUNTIME_DIR)")
	set.StringVar(&f.level, "log-level", "", "one of error, warn, info and debug (default: as the configuration says)")
	set.BoolVar(&f.dryRun, "dry-run", false, "perform nothing; print each action as a line of JSON")
	set.BoolVar(&f.noBus, "no-session-bus", false, "serve the private socket only")
	version = set.Bool("version", false, "print the version and exit")
	return set, f, version
}

// parse returns nil and the exit status when there is nothing to run.
func parse(args []string, stdout, stderr io.Writer) (*flags, int) {
	set, f, version := newFlags()
	set.SetOutput(stderr)
	set.Usage = func() {
		_, _ = fmt.Fprintln(stderr, "usage: midimon [flags]\n       midimon demo")
		set.PrintDefaults()
	}
	switch err := set.Parse(args); {
	case err == flag.ErrHelp: //nolint:errorlint // flag returns it as it is
		return nil, 0
	case err != nil:
		return nil, exitUsage
	case *version:
		_, _ = fmt.Fprintln(stdout, "midimon", buildVersion())
		return nil, 0
	case set.NArg() > 0:
		_, _ = fmt.Fprintf(stderr, "midimon: unexpected argument %q\n", set.Arg(0))
		set.Usage()
		return nil, exitUsage
	}
	var level slog.Level
	if f.level != "" && level.UnmarshalText([]byte(f.level)) != nil {
		_, _ = fmt.Fprintf(stderr, "midimon: --log-level is error, warn, info or debug, not %q\n", f.level)
		return nil, exitUsage
	}
	if f.config == "" {
		f.config = configPath()
	}
	return f, 0
}

func buildVersion() string {
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

// One processor is enough for notes: handing one from goroutine to goroutine then wakes no
// other thread, which took longer than all the rest. Work that takes long, and would make the
// notes wait, gets another one. To change how many there are stops everything, and work seldom
// comes alone: whoever wants to know of a reload is told after it. So it is there for a while longer.
const (
	noteProcs   = 1
	besideProcs = 2
	besideAfter = time.Second
)

// working counts the works under way.
var working struct {
	sync.Mutex
	n    int
	over *time.Timer // takes the processor back; nil: nobody worked yet
}

func beside(work func()) {
	w := &working
	w.Lock()
	w.n++
	runtime.GOMAXPROCS(besideProcs)
	w.Unlock()
	defer func() {
		w.Lock()
		defer w.Unlock()
		if w.n--; w.n > 0 {
			return
		}
		if w.over == nil {
			w.over = time.AfterFunc(besideAfter, takeBack)
		} else {
			w.over.Reset(besideAfter)
		}
	}()
	work()
}

// takeBack leaves the notes one processor, if nobody works.
func takeBack() {
	working.Lock()
	defer working.Unlock()
	if working.n == 0 {
		runtime.GOMAXPROCS(noteProcs)
	}
}

// serve runs the daemon until a signal ends it.
func serve(f *flags, stdout, stderr io.Writer) error {
	collectByNeed()
	level := &slog.LevelVar{}
	setLevel := func(name string) {
		var l slog.Level // info where nothing is said
		if name != "" {
			_ = l.UnmarshalText([]byte(name)) // checked before
		}
		level.Set(l)
	}
	if f.level != "" {
		setLevel(f.level)
		setLevel = nil // the command line wins over the file
	}
	file := newLogFile()
	defer file.close()
	log := slog.New(slog.NewMultiHandler(logHandler(stderr, level), file.handler(level)))
	o := service.Options{
		Version: buildVersion(), Config: absolute(f.config), State: statePath(), RuntimeDir: runtimeDir(), Socket: f.socket,
		StartedBy: startedBy(os.Getenv), Clock: service.Monotonic(), SetLevel: setLevel, Beside: beside, Log: log,
		SetLogFile: func(path string) error { return file.set(path, filepath.Dir(absolute(f.config))) },
	}
	if err := platform(&o, log); err != nil {
		return err
	}
	if f.dryRun {
		o.DryRun = stdout
	}
	address := ""
	if !f.noBus {
		address = dbusapi.SessionAddress(os.Getenv)
	}
	ctx, end := context.WithCancelCause(context.Background())
	defer end(nil)
	o.Clients = func(d *service.Daemon) (service.Clients, error) {
		s, err := dbusapi.New(dbusapi.Options{Backend: d, Log: log, Level: level})
		if err == nil && address != "" {
			s.Greet(address)
		}
		return clients{Server: s, address: address, off: f.noBus, fatal: end}, err
	}
	d := service.New(o)

	signals := make(chan os.Signal, 4)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP)
	go func() {
		for s := range signals {
			switch {
			case s == syscall.SIGHUP:
				go d.Reload(ctx, "signal") //nolint:errcheck // the reload itself says how it went
			case ctx.Err() != nil:
				os.Exit(0) // asked twice: the kernel lets go of the keys
			default:
				end(nil)
			}
		}
	}()
	if err := d.Run(ctx); err != nil {
		return err
	}
	if taken, ok := errors.AsType[*dbusapi.NameTaken](context.Cause(ctx)); ok {
		return fmt.Errorf("midimon already runs: %w", taken)
	}
	return nil
}

// startedBy says how we were started, for a second daemon that finds us.
func startedBy(getenv func(string) string) string {
	switch {
	case getenv("NOTIFY_SOCKET") != "":
		return "by systemd"
	case getenv("DBUS_STARTER_ADDRESS") != "":
		return "by the message bus"
	}
	return "by hand"
}

// absolute keeps a path good for clients, who are elsewhere.
func absolute(path string) string {
	if a, err := filepath.Abs(path); err == nil {
		return a
	}
	return path
}

// xdg is a base directory (XDG Base Directory Specification), empty if there is no home.
func xdg(variable, fallback string) string {
	if dir := os.Getenv(variable); filepath.IsAbs(dir) {
		return dir
	}
	if home, err := os.UserHomeDir(); err == nil {
		return filepath.Join(home, fallback)
	}
	return ""
}
