package main

import "github.com/spf13/cobra"

func newStop(a *app) *cobra.Command {
	return a.lives(&cobra.Command{
		Use:   "stop",
		Short: "Stop midimon and its socket",
		Long: `Stop midimon.service and midimon.socket, or the process where systemd did not start it, and
say what may still start midimon.`,
	}, life.Stop)
}
