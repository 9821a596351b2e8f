package main

import "github.com/spf13/cobra"

func newRestart(a *app) *cobra.Command {
	return a.lives(&cobra.Command{
		Use:   "restart",
		Short: "Stop midimon and start it again",
		Long:  `Stop midimon and start it again. A new configuration needs no restart: see "midimonctl reload".`,
	}, life.Restart)
}
