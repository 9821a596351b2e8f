package main

import "github.com/spf13/cobra"

func newStart(a *app) *cobra.Command {
	return a.lives(&cobra.Command{
		Use:   "start",
		Short: "Start midimon",
		Long: `Start midimon and return when it is ready: with systemd midimon.socket and midimon.service,
after a failure too, else by the session bus.`,
	}, life.Start)
}
