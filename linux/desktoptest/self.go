//go:build linux

package desktoptest

import (
	"os"
	"os/exec"
	"path/filepath"
)

// Self is the test's own program as one of the desktop's, for what has to be seen by it as its own:
// it runs the tests that fit the pattern, with that added to the environment.
func (d *Desktop) Self(pattern string, env ...string) *exec.Cmd {
	d.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	c := d.Command(d.Copy(exe, "self.test"), "-test.run="+pattern, "-test.v")
	c.Env = append(c.Env, env...)
	return c
}

// Copy makes a copy of a program below Dir that the desktop's user may run, in a directory of its own, and returns its path. It has
// no capabilities, which the kernel may refuse.
func (d *Desktop) Copy(program, name string) string {
	d.t.Helper()
	path := filepath.Join(d.Dir, "bin", name)
	if _, err := os.Stat(path); err == nil {
		return path // it may be running
	}
	b, err := os.ReadFile(program)
	if err != nil {
		d.t.Fatal(err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil { //nolint:gosec // nobody has to reach it
		d.t.Fatal(err)
	}
	if err := os.WriteFile(path, b, 0o755); err != nil { //nolint:gosec // nobody has to run it
		d.t.Fatal(err)
	}
	if err := os.Chmod(path, 0o755); err != nil { //nolint:gosec // nobody has to run it
		d.t.Fatal(err)
	}
	return path
}
