package dbusapi

import (
	"context"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"strings"

	"github.com/godbus/dbus/v5"
)

// SessionAddress is the address of the session bus, or empty when there is none to be known.
// It starts no bus: a session without one is left as it is.
func SessionAddress(getenv func(string) string) string {
	if a := getenv("DBUS_SESSION_BUS_ADDRESS"); a != "" && !strings.HasPrefix(a, "autolaunch:") {
		return a
	}
	if dir := getenv("XDG_RUNTIME_DIR"); dir != "" {
		return UnixAddress(filepath.Join(dir, "bus"))
	}
	return ""
}

// UnixAddress is the D-Bus address of the unix socket at path.
func UnixAddress(path string) string { return "unix:path=" + dbus.EscapeBusAddressValue(path) }

// sockets are the unix sockets that an address names (D-Bus specification, "Server
// Addresses"), in order; an abstract one begins with @.
func sockets(address string) ([]string, error) {
	var found []string
	for one := range strings.SplitSeq(address, ";") {
		transport, keys, _ := strings.Cut(one, ":")
		if transport != "unix" {
			continue
		}
		for pair := range strings.SplitSeq(keys, ",") {
			key, value, _ := strings.Cut(pair, "=")
			value, err := dbus.UnescapeBusAddressValue(value)
			switch {
			case key != "path" && key != "abstract":
			case err != nil || value == "" || strings.ContainsRune(value, 0):
				return nil, fmt.Errorf("bad bus address %q", address)
			case key == "abstract":
				found = append(found, "@"+value)
			default:
				found = append(found, value)
			}
		}
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("bus address %q names no unix socket", address)
	}
	return found, nil
}

// DialSocket connects to the first unix socket of a D-Bus address that answers. What speaks
// on it is not known yet.
func DialSocket(ctx context.Context, address string) (net.Conn, error) {
	paths, err := sockets(address)
	if err != nil {
		return nil, err
	}
	var failed []error
	for _, path := range paths {
		c, err := new(net.Dialer).DialContext(ctx, "unix", path)
		if err == nil {
			return c, nil
		}
		failed = append(failed, err)
	}
	return nil, errors.Join(failed...)
}
