//go:build linux

package systemd

import (
	"errors"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// How long a manager that does not read is waited for: at the start and the end, which count,
// and otherwise, where the next line tells the same. Nobody may be kept longer: it is the loop
// that feeds the watchdog.
const (
	turnLimit = time.Second
	lineLimit = time.Millisecond
)

// Notifier tells the service manager how the daemon fares (sd_notify(3)).
type Notifier struct {
	log      *slog.Logger
	watchdog time.Duration
}

// NewNotifier speaks to the manager named in the environment, or to nobody.
func NewNotifier(log *slog.Logger) *Notifier {
	watchdog, err := daemon.SdWatchdogEnabled(false)
	if err != nil {
		log.Warn("cannot tell the watchdog's interval", "err", err)
	}
	return &Notifier{log: log, watchdog: watchdog}
}

// Ready says that everything is up that must be before clients may come.
func (n *Notifier) Ready(status string) { n.send(turnLimit, daemon.SdNotifyReady, statusLine(status)) }

// Status changes the line that systemctl status shows.
func (n *Notifier) Status(line string) { n.send(lineLimit, statusLine(line)) }

// Alive feeds the watchdog.
func (n *Notifier) Alive() { n.send(lineLimit, daemon.SdNotifyWatchdog) }

// Stopping says that the end has begun.
func (n *Notifier) Stopping() { n.send(turnLimit, daemon.SdNotifyStopping) }

// Watchdog is the time within which Alive must be called again; 0: no watchdog.
func (n *Notifier) Watchdog() time.Duration { return n.watchdog }

func (n *Notifier) send(limit time.Duration, lines ...string) {
	err := notify(os.Getenv("NOTIFY_SOCKET"), strings.Join(lines, "\n"), limit)
	if errors.Is(err, os.ErrDeadlineExceeded) && limit == lineLimit {
		return // it will read later, and then hear the next one
	}
	if err != nil {
		n.log.Warn("cannot notify the service manager", "err", err)
	}
}

// notify sends one datagram. go-systemd's own waits for as long as the manager does not read.
func notify(path, text string, limit time.Duration) error {
	if path == "" {
		return nil
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close() //nolint:errcheck // it was sent or not
	if err := c.SetWriteDeadline(time.Now().Add(limit)); err != nil {
		return err
	}
	_, err = c.Write([]byte(text))
	return err
}

// statusLine keeps a line one line: what came after a break would be an assignment of its own.
func statusLine(line string) string {
	return "STATUS=" + strings.Map(func(r rune) rune {
		if r < ' ' {
			return ' '
		}
		return r
	}, line)
}
