package main

import (
	"errors"
	"fmt"
	"os/exec"
	"strconv"

	"github.com/spf13/cobra"
)

func newLogs(a *app) *cobra.Command {
	follow, lines, since := false, 50, ""
	cmd := &cobra.Command{
		Use:   "logs",
		Short: "Show what midimon logged",
		Long: `Show what midimon.service wrote to the journal. A midimon started by hand logs to its
terminal.

With --json the journal's own JSON, a line an entry (journalctl -o json).`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			journalctl, err := exec.LookPath("journalctl")
			if err != nil {
				return errors.New("cannot show the log: there is no systemd journal; a midimon started by hand logs to its terminal")
			}
			args := []string{"--user", "--unit=midimon.service", "--no-pager", "--lines=" + strconv.Itoa(lines)}
			if follow {
				args = append(args, "--follow")
			}
			if since != "" {
				args = append(args, "--since="+since)
			}
			if a.json {
				args = append(args, "--output=json")
			}
			c := exec.CommandContext(cmd.Context(), journalctl, args...)
			c.Stdin, c.Stdout, c.Stderr = a.in, a.out, a.err
			if err := c.Run(); err != nil && cmd.Context().Err() == nil { // Ctrl-C ends --follow
				return fmt.Errorf("cannot show the log: %w", err)
			}
			return nil
		},
	}
	cmd.Flags().BoolVarP(&follow, "follow", "f", false, "go on as more is logged")
	cmd.Flags().IntVarP(&lines, "lines", "n", lines, "show the last `N` entries")
	cmd.Flags().StringVar(&since, "since", "", "show none before `TIME` (see journalctl)")
	return cmd
}
