package main

import "github.com/spf13/cobra"

func newUninstall(a *app) *cobra.Command {
	return a.lives(&cobra.Command{
		Use:   "uninstall",
		Short: "Stop midimon and let no login start it",
		Long: `Stop midimon, disable its units and remove the files that "midimonctl install" wrote. The
configuration stays.`,
	}, life.Uninstall)
}
