//go:build linux

package launch

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/amiable-dev/midimon/engine/effect"
)

const suffix = ".desktop"

// Places is where applications are looked for.
type Places struct {
	Data []string // the applications folders are in these, the first wins
	Path string   // as $PATH
	Home string
}

// PlacesOf reads them from the environment (XDG Base Directory Specification).
func PlacesOf(getenv func(string) string) Places {
	or := func(name, fallback string) string {
		if v := getenv(name); v != "" {
			return v
		}
		return fallback
	}
	p := Places{Path: or("PATH", "/usr/local/bin:/usr/bin:/bin"), Home: getenv("HOME")}
	for _, dir := range append([]string{or("XDG_DATA_HOME", filepath.Join(p.Home, ".local/share"))},
		filepath.SplitList(or("XDG_DATA_DIRS", "/usr/local/share:/usr/share"))...) {
		if filepath.IsAbs(dir) {
			p.Data = append(p.Data, dir)
		}
	}
	return p
}

// Find says what a Launch or Open starts: the application with that desktop id, else the file
// at that path, else the program of that name on the path, else the application that people
// know by that name.
func (p Places) Find(a effect.Action) (effect.Command, error) {
	switch a := a.(type) {
	case *effect.Launch:
		return p.application(a.App, a.Args)
	case *effect.Open:
		return p.opener(a)
	}
	return effect.Command{}, errors.ErrUnsupported
}

func (p Places) application(app string, args []string) (effect.Command, error) {
	app = p.home(app)
	if strings.Contains(app, "/") {
		return p.file(app, args)
	}
	if id, e, err := p.byID(app); e != nil || err != nil {
		return p.entry(id, e, args, err)
	}
	if program, err := p.program(app); err == nil {
		return effect.Command{Name: app, Argv: append([]string{program}, args...)}, nil
	}
	if id, e := p.byName(app); e != nil {
		return p.entry(id, e, args, nil)
	}
	return effect.Command{}, fmt.Errorf("there is no application, program or file %q", app)
}

// file starts a desktop entry or a program by its path.
func (p Places) file(path string, args []string) (effect.Command, error) {
	fi, err := os.Stat(path)
	if err != nil {
		return effect.Command{}, fmt.Errorf("cannot launch: %w", err)
	}
	name := filepath.Base(path)
	if strings.HasSuffix(path, suffix) {
		e, err := readEntry(path)
		return p.entry(strings.TrimSuffix(name, suffix), e, args, err)
	}
	if fi.IsDir() || fi.Mode()&0o111 == 0 {
		return effect.Command{}, fmt.Errorf("cannot launch %s: it is no program", path)
	}
	return effect.Command{Name: name, Argv: append([]string{path}, args...)}, nil
}

// entry is how an application is started.
func (p Places) entry(id string, e *entry, args []string, err error) (effect.Command, error) {
	if err != nil {
		return effect.Command{}, err
	}
	if e.try != "" {
		if _, err := p.program(p.home(e.try)); err != nil {
			return effect.Command{}, fmt.Errorf("cannot launch %s: %w", id, err)
		}
	}
	c := effect.Command{Name: id, Argv: e.command(args), Dir: p.home(e.dir)}
	if e.busName && len(e.argv) > 0 || e.busName && len(args) == 0 {
		c.BusName, c.Files = id, args
	}
	if e.tells {
		c.Startup = &effect.Startup{Name: cmp.Or(e.title(), id), Class: e.class}
	}
	if len(c.Argv) == 0 {
		return c, nil
	}
	if e.inTerm {
		term, err := p.terminal()
		if err != nil {
			return c, fmt.Errorf("cannot launch %s: %w", id, err)
		}
		c.Argv = append(term, c.Argv...)
	}
	program, err := p.program(c.Argv[0])
	if err != nil && c.BusName == "" {
		return c, fmt.Errorf("cannot launch %s: %w", id, err)
	}
	if err == nil {
		c.Argv[0] = program
	}
	return c, nil
}

// byID looks a desktop id up, with or without its suffix. A hidden one is none.
func (p Places) byID(id string) (string, *entry, error) {
	id = strings.TrimSuffix(id, suffix)
	for _, data := range p.Data {
		// A dash of the id may be a folder of the file's.
		for file := id + suffix; ; {
			e, err := readEntry(filepath.Join(data, "applications", file))
			switch {
			case err == nil && e.hidden:
				return "", nil, nil
			case err == nil:
				return id, e, nil
			case !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission):
				return id, nil, err
			}
			next := strings.Replace(file, "-", "/", 1)
			if next == file {
				break
			}
			file = next
		}
	}
	return "", nil, nil
}

// byName looks for an application that people know by this name.
func (p Places) byName(name string) (string, *entry) {
	var seen []string
	for _, data := range p.Data {
		root := filepath.Join(data, "applications")
		var found *entry
		var id string
		_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || !strings.HasSuffix(path, suffix) {
				return nil //nolint:nilerr // what cannot be read is no application
			}
			rel, _ := filepath.Rel(root, path)
			mine := strings.TrimSuffix(strings.ReplaceAll(rel, "/", "-"), suffix)
			if slices.Contains(seen, mine) { // an earlier folder's counts
				return nil
			}
			seen = append(seen, mine)
			if e, err := readEntry(path); err == nil && !e.hidden && e.called(name) {
				found, id = e, mine
				return fs.SkipAll
			}
			return nil
		})
		if found != nil {
			return id, found
		}
	}
	return "", nil
}

// program finds a program as a shell would.
func (p Places) program(name string) (string, error) {
	if strings.Contains(name, "/") {
		return exec.LookPath(name)
	}
	for _, dir := range filepath.SplitList(p.Path) {
		if !filepath.IsAbs(dir) {
			continue
		}
		if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
			return path, nil
		}
	}
	return "", fmt.Errorf("there is no program %s", name)
}

// InTerminal is a command in a terminal of its own.
func (p Places) InTerminal(argv []string) ([]string, error) {
	term, err := p.terminal()
	if err != nil {
		return nil, err
	}
	return append(term, argv...), nil
}

// terminal is how a command gets a terminal of its own.
func (p Places) terminal() ([]string, error) {
	for _, t := range [][]string{{"xdg-terminal-exec"}, {"x-terminal-emulator", "-e"}, {"foot"}, {"xterm", "-e"}} {
		if path, err := p.program(t[0]); err == nil {
			return append([]string{path}, t[1:]...), nil
		}
	}
	return nil, errors.New("there is no terminal: neither xdg-terminal-exec nor x-terminal-emulator")
}

// opener is what opens a file or address as the user likes it opened.
func (p Places) opener(o *effect.Open) (effect.Command, error) {
	target := p.home(o.Target)
	if !strings.Contains(target, "://") && !strings.HasPrefix(target, "mailto:") {
		if !filepath.IsAbs(target) {
			target = filepath.Join(p.Home, target)
		}
		if _, err := os.Stat(target); err != nil {
			return effect.Command{}, fmt.Errorf("cannot open: %w", err)
		}
	}
	for _, with := range [][]string{{"xdg-open"}, {"gio", "open"}} {
		if path, err := p.program(with[0]); err == nil {
			return effect.Command{Name: with[0], Argv: append(append([]string{path}, with[1:]...), target)}, nil
		}
	}
	return effect.Command{}, fmt.Errorf("cannot open %s: there is no xdg-open", o.Shown())
}

// home makes ~ the home directory.
func (p Places) home(path string) string {
	if path == "~" || strings.HasPrefix(path, "~/") {
		return p.Home + path[1:]
	}
	return path
}
