package main

import "github.com/spf13/cobra"

func newInstall(a *app) *cobra.Command {
	return a.lives(&cobra.Command{
		Use:   "install",
		Short: "Let every login start midimon, and start it now",
		Long: `Enable midimon.service and midimon.socket and start them, and let the desktop show the icon in
the panel (midimon-tray.service). Where no package brought these units, write them, and the file by
which the session bus starts midimon, for this user alone.
Nothing here needs root. What does, "midimonctl doctor" names.`,
	}, life.Install)
}
