//go:build linux

package session

import "time"

// Doubting makes a lock that was only asked for assumed after another time.
func (w *Watcher) Doubting(after time.Duration) *Watcher {
	w.doubt = after
	return w
}

// Within makes the patience with logind another.
func (w *Watcher) Within(patience time.Duration) *Watcher {
	w.patience = patience
	return w
}
