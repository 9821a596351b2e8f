//go:build linux

package units

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// mark begins every file that Place writes. What does not begin with it is not ours to change.
const mark = "# Written by \"midimonctl install\"; \"midimonctl uninstall\" removes it.\n"

// packaged is where the texts say that the programs are.
const packaged = "/usr/bin/"

// A File is a file of a midimon that no package installed.
type File struct {
	Path string
	Text []byte
}

// Files are the units and the bus file below the user's directories, with the programs in bin.
func Files(configDir, dataDir, bin string, texts map[string][]byte) []File {
	var files []File
	for name, text := range texts {
		dir := filepath.Join(configDir, "systemd", "user")
		if !slices.Contains([]string{Service, Socket, Tray}, name) {
			dir = filepath.Join(dataDir, "dbus-1", "services")
		}
		text = bytes.ReplaceAll(text, []byte(packaged), []byte(bin+"/"))
		files = append(files, File{filepath.Join(dir, name), append([]byte(mark), text...)})
	}
	slices.SortFunc(files, func(a, b File) int { return bytes.Compare([]byte(a.Path), []byte(b.Path)) })
	return files
}

// Ours says whether the file is there and was written by Place.
func (f File) Ours() (bool, error) {
	text, err := os.ReadFile(f.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return bytes.HasPrefix(text, []byte(mark)), err
}

// Place writes the file. One that somebody else wrote stays, and that is an error.
func (f File) Place() error {
	switch ours, err := f.Ours(); {
	case err != nil:
		return err
	case !ours:
		if _, err := os.Lstat(f.Path); err == nil {
			return fmt.Errorf("cannot write %s: somebody else did", f.Path)
		}
	}
	if err := os.MkdirAll(filepath.Dir(f.Path), 0o755); err != nil {
		return fmt.Errorf("cannot write %s: %w", f.Path, err)
	}
	// Never half of it: systemd may read at any time.
	temporary := f.Path + ".new"
	if err := os.WriteFile(temporary, f.Text, 0o644); err != nil {
		return fmt.Errorf("cannot write %s: %w", f.Path, err)
	}
	if err := os.Rename(temporary, f.Path); err != nil {
		return errors.Join(fmt.Errorf("cannot write %s: %w", f.Path, err), os.Remove(temporary))
	}
	return nil
}

// Remove removes the file if Place wrote it, and says whether it did.
func (f File) Remove() (bool, error) {
	ours, err := f.Ours()
	if err != nil || !ours {
		return false, err
	}
	return true, os.Remove(f.Path)
}

// A bus is what the message bus may start.
type bus struct{ address string }

// activatable says whether a call to the name would make the bus start its owner.
func (b bus) activatable(ctx context.Context, name string) (bool, error) {
	var names []string
	err := b.call(ctx, "ListActivatableNames", nil, &names)
	return slices.Contains(names, name), err
}

// start makes the bus start the owner of the name, and returns when there is one.
func (b bus) start(ctx context.Context, name string) error {
	if err := b.call(ctx, "StartServiceByName", []any{name, uint32(0)}, nil); err != nil {
		return fmt.Errorf("the bus cannot start %s: %w", name, err)
	}
	return nil
}

// reload makes the bus read its files again.
func (b bus) reload(ctx context.Context) error { return b.call(ctx, "ReloadConfig", nil, nil) }

var errNoBus = errors.New("there is no session bus")

func (b bus) call(ctx context.Context, method string, args []any, result any) error {
	if b.address == "" {
		return errNoBus
	}
	c, err := dial(ctx, b.address)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%w at %s", errNoBus, b.address)
	}
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // the reply is in
	call := c.BusObject().CallWithContext(ctx, "org.freedesktop.DBus."+method, 0, args...)
	if result == nil {
		return call.Err
	}
	return call.Store(result)
}
