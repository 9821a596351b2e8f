//go:build linux

package systemd

import (
	"context"
	"fmt"
	"io"
	"log/slog"

	"github.com/coreos/go-systemd/v22/journal"
)

// LogHandler writes records to stderr: with priorities and without times when the journal
// reads it, which has its own (sd-daemon(3)), else as slog's text.
func LogHandler(stderr io.Writer, level slog.Leveler) slog.Handler {
	if ours, err := journal.StderrIsJournalStream(); err == nil && ours {
		return newJournal(stderr, level)
	}
	return slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: level})
}

// priorities are the journal's, and the lowest level to which each belongs.
var priorities = [...]struct {
	prefix journal.Priority
	from   slog.Level
}{
	{journal.PriErr, slog.LevelError},
	{journal.PriWarning, slog.LevelWarn},
	{journal.PriInfo, slog.LevelInfo},
	{journal.PriDebug, -1 << 31},
}

// journalHandler has one text handler a priority, in the order of priorities.
type journalHandler [len(priorities)]slog.Handler

func newJournal(w io.Writer, level slog.Leveler) slog.Handler {
	var h journalHandler
	for i, p := range priorities {
		h[i] = slog.NewTextHandler(&prefixer{w: w, prefix: fmt.Sprintf("<%d>", p.prefix)}, &slog.HandlerOptions{
			Level: level,
			ReplaceAttr: func(groups []string, a slog.Attr) slog.Attr {
				if len(groups) == 0 && (a.Key == slog.TimeKey || a.Key == slog.LevelKey) {
					return slog.Attr{}
				}
				return a
			},
		})
	}
	return &h
}

func (h *journalHandler) Enabled(ctx context.Context, level slog.Level) bool {
	return h[0].Enabled(ctx, level)
}

func (h *journalHandler) Handle(ctx context.Context, r slog.Record) error {
	for i, p := range priorities {
		if r.Level >= p.from {
			return h[i].Handle(ctx, r)
		}
	}
	return nil
}

func (h *journalHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return h.each(func(one slog.Handler) slog.Handler { return one.WithAttrs(attrs) })
}

func (h *journalHandler) WithGroup(name string) slog.Handler {
	return h.each(func(one slog.Handler) slog.Handler { return one.WithGroup(name) })
}

func (h *journalHandler) each(f func(slog.Handler) slog.Handler) slog.Handler {
	var to journalHandler
	for i, one := range h {
		to[i] = f(one)
	}
	return &to
}

// prefixer writes each record, which is one line and one Write, behind its priority. The
// text handler's lock keeps its own writes apart; the kernel does so for those of the others.
type prefixer struct {
	w      io.Writer
	prefix string
	line   []byte
}

func (p *prefixer) Write(line []byte) (int, error) {
	p.line = append(append(p.line[:0], p.prefix...), line...)
	if _, err := p.w.Write(p.line); err != nil {
		return 0, err
	}
	return len(line), nil
}
