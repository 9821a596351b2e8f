package dbusapi

import (
	"context"
	"log/slog"
)

const (
	logInterface = "org.freedesktop.LogControl1"
	logPath      = "/org/freedesktop/LogControl1"
)

// syslog(3) has eight levels, slog four.
var logLevels = map[string]slog.Level{
	"emerg": slog.LevelError, "alert": slog.LevelError, "crit": slog.LevelError, "err": slog.LevelError,
	"warning": slog.LevelWarn, "notice": slog.LevelInfo, "info": slog.LevelInfo, "debug": slog.LevelDebug,
}

func levelName(l slog.Level) string {
	switch {
	case l >= slog.LevelError:
		return "err"
	case l >= slog.LevelWarn:
		return "warning"
	case l >= slog.LevelInfo:
		return "info"
	}
	return "debug"
}

func (s *Server) logControl() *iface {
	return &iface{props: map[string]property{
		"LogLevel": {
			get: func(target) any { return levelName(s.level.Level()) },
			set: func(_ context.Context, _ target, v any) error {
				l, ok := logLevels[v.(string)]
				if !ok {
					return errInvalidArgs("no log level %q", v)
				}
				s.level.Set(l)
				return nil
			},
		},
		"LogTarget":        {get: func(target) any { return "console" }},
		"SyslogIdentifier": {get: func(target) any { return "midimon" }},
	}}
}
