package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/engine"
	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
	"github.com/amiable-dev/midimon/service/reload"
)

func newValidate(a *app) *cobra.Command {
	strict := false
	cmd := &cobra.Command{
		Use:   "validate [FILE]",
		Short: "Check a configuration without midimon",
		Long: `Check FILE, "-" for the standard input, by default midimon's own configuration, and what it
includes, and list every error and warning, on a terminal with the line itself. midimon need
not run. FILE has to be one that midimon would trust.

With --json {ok, file, errors, warnings, diagnostics: [{
  severity ("error", "warning"), code, message, file, line, column, path, hint, latency_ms
}], latency_ms}; line and column count from 1. A mapping whose warning has latency_ms acts that
much after the press at the latest, because its control means other things too; the other
mappings act at once. The second latency_ms is the largest.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file, program, found, err := a.loadConfig(args)
			if err != nil {
				return fmt.Errorf("cannot validate %s: %w", file, err)
			}
			wrong, warnings := 0, 0
			for _, d := range found {
				if d.Severity == report.Error {
					wrong++
				} else {
					warnings++
				}
			}
			if wrong > 0 || strict && warnings > 0 {
				err = fmt.Errorf("%s: %s, %s", file, count(wrong, "error"), count(warnings, "warning"))
			}
			if a.json {
				return errors.Join(a.printJSON(map[string]any{
					"ok": err == nil, "file": file, "errors": wrong, "warnings": warnings, "diagnostics": rows(found),
					"latency_ms": slowest(found).Milliseconds(),
				}), err)
			}
			p := a.printer()
			for _, d := range found {
				p.printf("%s\n", config.Format(d, a.terminal()))
			}
			if err == nil && program != nil {
				p.printf("%s: %s: %s, %s, %s", printable(file), p.state("ok"),
					count(len(program.Modes), "mode"), count(len(program.Mappings), "mapping"), count(warnings, "warning"))
				if slow := slowest(found); slow > 0 {
					p.printf("; the slowest mapping acts up to %d ms after the press", slow.Milliseconds())
				}
				p.printf("\n")
			}
			return errors.Join(p.err, err)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "fail on warnings too")
	return cmd
}

// loadConfig reads what is to be checked, as the daemon would, and says what there is to say
// of it. Without a file it is the daemon's own. Error: the file cannot be read or trusted.
func (a *app) loadConfig(args []string) (file string, _ *engine.Program, found []report.Diagnostic, err error) {
	var src []byte
	read := func(path string) ([]byte, error) {
		text, said, err := reload.ReadFile(path)
		found = append(found, said...)
		return text, err
	}
	if len(args) == 0 {
		dir, err := os.UserConfigDir()
		if err != nil {
			return "", nil, nil, err
		}
		args = []string{filepath.Join(dir, "midimon", "config.toml")}
	}
	if file = args[0]; file == "-" {
		file = "standard input"
		src, err = io.ReadAll(io.LimitReader(a.in, config.MaxSize+1)) // Load says that it is too large
	} else {
		src, err = read(file)
	}
	if err != nil {
		return file, nil, nil, err
	}
	program, _, more := config.LoadAll(file, src, read)
	return file, program, append(found, more...), nil
}

// A diagnosticRow is a diagnostic in JSON.
type diagnosticRow struct {
	Severity string `json:"severity"`
	Code     string `json:"code"`
	Message  string `json:"message"`
	File     string `json:"file"`
	Line     int    `json:"line"`
	Column   int    `json:"column"`
	Path     string `json:"path"`
	Hint     string `json:"hint"`
	Latency  int64  `json:"latency_ms,omitempty"`
}

// slowest is the most that a mapping waits.
func slowest(found []report.Diagnostic) time.Duration {
	most := time.Duration(0)
	for _, d := range found {
		most = max(most, d.Waits)
	}
	return most
}

func rows(found []report.Diagnostic) []diagnosticRow {
	out := []diagnosticRow{}
	for _, d := range found {
		out = append(out, diagnosticRow{d.Severity, d.Code, d.Message, d.File, d.Line, d.Column, d.Path, d.Hint, d.Waits.Milliseconds()})
	}
	return out
}
