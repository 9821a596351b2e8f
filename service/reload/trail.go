package reload

import (
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
)

// maxLinks is how many symbolic links a path may go through (the kernel's own limit).
const maxLinks = 40

// shallow is where watching a directory opens every file in it (kqueue), so that only those
// are watched that must be.
const shallow = runtime.GOOS == "darwin"

// place is a directory on the way to a file, without symbolic links.
type place struct {
	path string
	info fs.FileInfo
}

// trail is the ways to some files: where something may happen that makes a path lead
// somewhere else, and what would be called how. A directory that is watched says itself when
// it is moved or removed, so what is above it need not be watched for that.
type trail struct {
	home   string
	places []place
	known  map[string]int  // places by path
	names  map[string]bool // last elements of what was gone through
}

// trailOf goes the ways of the paths, as far as they lead. Whatever is missing comes to be in
// the last directory of a way.
func trailOf(paths []string) *trail {
	t := &trail{known: map[string]int{}, names: map[string]bool{}}
	if home, err := os.UserHomeDir(); err == nil {
		if t.home, err = filepath.EvalSymlinks(home); err != nil {
			t.home = ""
		}
	}
	for _, path := range paths {
		t.follow(path)
	}
	return t
}

func (t *trail) follow(path string) {
	const root = string(filepath.Separator)
	dir, rest := root, elements(path)
	links, near := 0, false
	at := t.at(dir)
	for len(rest) > 0 {
		name := rest[0]
		rest = rest[1:]
		if name == ".." {
			dir = filepath.Dir(dir)
			at = t.at(dir)
			continue
		}
		full := filepath.Join(dir, name)
		t.names[name] = true
		info, err := os.Lstat(full)
		near = err != nil || len(rest) == 0
		switch {
		case err != nil:
		case info.Mode()&fs.ModeSymlink != 0:
			near = true
			var target string
			if target, err = os.Readlink(full); links == maxLinks || err != nil {
				break
			}
			links++
			rest = append(elements(target), rest...)
			t.add(at, near)
			if filepath.IsAbs(target) {
				dir = root
				at = t.at(dir)
			}
			continue
		case info.IsDir():
			t.add(at, near)
			dir, at = full, place{full, info}
			continue
		}
		break
	}
	t.add(at, true)
}

func elements(path string) []string {
	var out []string
	for e := range strings.SplitSeq(path, string(filepath.Separator)) {
		if e != "" && e != "." {
			out = append(out, e)
		}
	}
	return out
}

func (t *trail) at(dir string) place {
	info, err := os.Lstat(dir)
	if err != nil {
		return place{dir, nil}
	}
	return place{dir, info}
}

// add has a directory watched; near says that something in it is more than a directory.
func (t *trail) add(p place, near bool) {
	if _, ok := t.known[p.path]; ok || !near && (shallow || t.busy(p.path)) {
		return
	}
	t.known[p.path] = len(t.places)
	t.places = append(t.places, p)
}

// busy says that much happens in a directory that nobody moves: the user's own, where every
// program writes something, and those above it.
func (t *trail) busy(dir string) bool {
	return t.home == dir || strings.HasPrefix(t.home, strings.TrimSuffix(dir, "/")+"/")
}

// leads says that both go through the same directories.
func (t *trail) leads(o *trail) bool {
	if o == nil || len(t.places) != len(o.places) {
		return false
	}
	for i, p := range t.places {
		q := o.places[i]
		if p.path != q.path || (p.info == nil) != (q.info == nil) || p.info != nil && !os.SameFile(p.info, q.info) {
			return false
		}
	}
	return true
}

// concerns says whether what happened to a path may matter.
func (t *trail) concerns(path string) bool {
	if t.names[filepath.Base(path)] {
		return true
	}
	_, ok := t.known[path]
	return ok
}
