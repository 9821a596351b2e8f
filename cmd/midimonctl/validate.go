package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/engine/report"
)

func newValidate(a *app) *cobra.Command {
	strict := false
	cmd := &cobra.Command{
		Use:   "validate [FILE]",
		Short: "Check a configuration without midimon",
		Long: `Check FILE, "-" for the standard input, by default midimon's own configuration, and list
every error and warning. midimon need not run.

With --json {ok, file, errors, warnings, diagnostics: [{
  severity ("error", "warning"), code, message, file, line, column, path, hint
}]}; line and column count from 1.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			file, src, err := a.readConfig(args)
			if err != nil {
				return fmt.Errorf("cannot read the configuration: %w", err)
			}
			program, found := config.Load(file, src)
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
				}), err)
			}
			p := a.printer()
			for _, d := range found {
				p.printf("%s\n", config.Format(d, true))
			}
			if err == nil && program != nil {
				p.printf("%s: %s: %s, %s, %s\n", printable(file), p.state("ok"),
					count(len(program.Modes), "mode"), count(len(program.Mappings), "mapping"), count(warnings, "warning"))
			}
			return errors.Join(p.err, err)
		},
	}
	cmd.Flags().BoolVar(&strict, "strict", false, "fail on warnings too")
	return cmd
}

func (a *app) readConfig(args []string) (file string, src []byte, err error) {
	in := a.in
	switch {
	case len(args) == 0:
		dir, err := os.UserConfigDir()
		if err != nil {
			return "", nil, err
		}
		file = filepath.Join(dir, "midimon", "config.toml")
	case args[0] == "-":
		file = "standard input"
	default:
		file = args[0]
	}
	if file != "standard input" {
		f, err := os.Open(file)
		if err != nil {
			return file, nil, err
		}
		defer f.Close() //nolint:errcheck // it was only read
		in = f
	}
	src, err = io.ReadAll(io.LimitReader(in, config.MaxSize+1)) // Load says that it is too large
	return file, src, err
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
}

func rows(found []report.Diagnostic) []diagnosticRow {
	out := []diagnosticRow{}
	for _, d := range found {
		out = append(out, diagnosticRow{d.Severity, d.Code, d.Message, d.File, d.Line, d.Column, d.Path, d.Hint})
	}
	return out
}
