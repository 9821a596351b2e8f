//go:build linux

package session

import "time"

// Within makes the patience with logind another.
func (w *Watcher) Within(patience time.Duration) *Watcher {
	w.patience = patience
	return w
}
