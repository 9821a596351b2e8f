//go:build linux

package systemd

import (
	"log/slog"
	"strings"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
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
func (n *Notifier) Ready(status string) { n.send(daemon.SdNotifyReady, statusLine(status)) }

// Status changes the line that systemctl status shows.
func (n *Notifier) Status(line string) { n.send(statusLine(line)) }

// Alive feeds the watchdog.
func (n *Notifier) Alive() { n.send(daemon.SdNotifyWatchdog) }

// Stopping says that the end has begun.
func (n *Notifier) Stopping() { n.send(daemon.SdNotifyStopping) }

// Watchdog is the time within which Alive must be called again; 0: no watchdog.
func (n *Notifier) Watchdog() time.Duration { return n.watchdog }

func (n *Notifier) send(lines ...string) {
	if _, err := daemon.SdNotify(false, strings.Join(lines, "\n")); err != nil {
		n.log.Warn("cannot notify the service manager", "err", err)
	}
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
