package client

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/amiable-dev/midimon/dbusapi"
)

// PrivateDir is the directory of the private socket and the lock, or empty when there is
// none: $XDG_RUNTIME_DIR/midimon, on macOS beside the configuration.
func PrivateDir(getenv func(string) string) string {
	if runtime.GOOS == "darwin" {
		if home := getenv("HOME"); home != "" {
			return filepath.Join(home, "Library", "Application Support", "midimon")
		}
		return ""
	}
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		return filepath.Join(dir, "midimon")
	}
	return ""
}

// Find chooses where the daemon is sought: at the address given, else $MIDIMON_ADDRESS, else
// the private socket if its path exists, else the session bus. There is no second try. Dir
// is the private socket's directory if that was chosen: whoever connects there may start the
// daemon, so one who only looks asks first whether its lock is held.
func Find(given string, getenv func(string) string) (address, dir string, err error) {
	dir = PrivateDir(getenv)
	if given == "" {
		given = getenv("MIDIMON_ADDRESS")
	}
	if given != "" {
		if dir != "" && given == dbusapi.UnixAddress(filepath.Join(dir, "bus")) {
			return given, dir, nil
		}
		return given, "", nil
	}
	if dir != "" {
		socket := filepath.Join(dir, "bus")
		switch _, err := os.Lstat(socket); {
		case err == nil:
			return dbusapi.UnixAddress(socket), dir, nil
		case !errors.Is(err, fs.ErrNotExist):
			return "", "", fmt.Errorf("cannot look for midimon: %w", err)
		}
	}
	if a := dbusapi.SessionAddress(getenv); a != "" {
		return a, "", nil
	}
	return "", "", fmt.Errorf("%w: there is neither a private socket nor a session bus", ErrNotRunning)
}
