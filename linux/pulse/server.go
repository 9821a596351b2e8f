//go:build linux

package pulse

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/amiable-dev/midimon/linux/socket"
)

// server is where a sound server may listen: a network and an address for net.Dial.
type server struct{ network, address string }

// defaultPort is PulseAudio's for TCP.
const defaultPort = "4713"

// servers are those that PULSE_SERVER names ("Server Strings" of PulseAudio's documentation),
// else the one of the session.
func servers(getenv func(string) string, host string) []server {
	var out []server
	for one := range strings.FieldsSeq(getenv("PULSE_SERVER")) {
		if s, ok := parseServer(one, host); ok {
			out = append(out, s)
		}
	}
	if len(out) > 0 {
		return out
	}
	dir := getenv("PULSE_RUNTIME_PATH")
	if dir == "" {
		run := getenv("XDG_RUNTIME_DIR")
		if run == "" {
			run = filepath.Join("/run/user", strconv.Itoa(os.Getuid()))
		}
		dir = filepath.Join(run, "pulse")
	}
	return []server{{"unix", filepath.Join(dir, "native")}}
}

// parseServer reads one server string. It is of no use if it is for another host.
func parseServer(s, host string) (server, bool) {
	if rest, ok := strings.CutPrefix(s, "{"); ok {
		of, address, ok := strings.Cut(rest, "}")
		if !ok || of != host {
			return server{}, false
		}
		s = address
	}
	if path, ok := strings.CutPrefix(s, "unix:"); ok {
		s = path
		if !strings.HasPrefix(s, "/") {
			return server{}, false
		}
	}
	if s == "" || strings.ContainsRune(s, 0) {
		return server{}, false
	}
	if s[0] == '/' {
		return server{"unix", s}, true
	}
	network := "tcp"
	for _, n := range []string{"tcp", "tcp4", "tcp6"} {
		if address, ok := strings.CutPrefix(s, n+":"); ok {
			network, s = n, address
			break
		}
	}
	if s == "" {
		return server{}, false
	}
	if _, _, err := net.SplitHostPort(s); err != nil {
		s = net.JoinHostPort(strings.Trim(s, "[]"), defaultPort)
	}
	return server{network, s}, true
}

// paths are those that the file system can tell of.
func paths(all []server) (out []string) {
	for _, s := range all {
		if s.network == "unix" {
			out = append(out, s.address)
		}
	}
	return out
}

// cookieSize is that of PulseAudio's secret.
const cookieSize = 256

// cookie is the secret that servers of other users ask for. One of our own knows us without.
func cookie(getenv func(string) string) []byte {
	home, config := getenv("HOME"), getenv("XDG_CONFIG_HOME")
	if config == "" {
		config = filepath.Join(home, ".config")
	}
	for _, path := range []string{getenv("PULSE_COOKIE"), filepath.Join(config, "pulse", "cookie"), filepath.Join(home, ".pulse-cookie")} {
		if b, err := os.ReadFile(path); err == nil && len(b) >= cookieSize {
			return b[:cookieSize]
		}
	}
	return make([]byte, cookieSize)
}

// Configured says whether there is a sound server, or the user names one: then no other mixer
// is to be used.
func Configured(getenv func(string) string) bool {
	if getenv("PULSE_SERVER") != "" {
		return true
	}
	_, err := os.Stat(servers(getenv, "")[0].address)
	return err == nil
}

// Paths are the sockets at which a server may come.
func Paths(getenv func(string) string) []string { return paths(servers(getenv, hostname())) }

func hostname() string {
	host, _ := os.Hostname() // empty: names no server of ours
	return host
}

// maxPause is how long Await waits at most for what announces nothing: another machine's
// server, or one that hangs.
const maxPause = 30 * time.Second

// await returns when a server may be there. Hangs is for how long in a row opening one timed
// out.
func await(ctx context.Context, all []server, hangs int) error {
	local := paths(all)
	if hangs == 0 && len(local) == len(all) {
		return socket.Await(ctx, local...)
	}
	// Neither a server on another machine nor one that hangs announces itself.
	ctx, cancel := context.WithTimeoutCause(ctx, min(time.Second<<min(hangs, 10), maxPause), errPause)
	defer cancel()
	var err error
	if hangs == 0 && len(local) > 0 {
		err = socket.Await(ctx, local...)
	} else {
		<-ctx.Done()
		err = ctx.Err()
	}
	if errors.Is(context.Cause(ctx), errPause) {
		return nil
	}
	return err
}

var errPause = errors.New("it is time to try again")

func dial(ctx context.Context, all []server) (net.Conn, error) {
	var failed []error
	for _, s := range all {
		c, err := new(net.Dialer).DialContext(ctx, s.network, s.address)
		if err == nil {
			return c, nil
		}
		failed = append(failed, err)
	}
	return nil, fmt.Errorf("cannot reach the sound server: %w", errors.Join(failed...))
}
