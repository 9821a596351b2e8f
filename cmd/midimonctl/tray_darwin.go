package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/engine/report"
)

func newTray(*app) *cobra.Command {
	return &cobra.Command{
		Use: "tray", Short: "Show an icon with a menu in the panel (Linux)",
		Long: `Show an icon with a menu in the panel. There is none on macOS: what is missing is the item in the
menu bar. With --json it says the same.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			return fmt.Errorf("cannot show a tray icon: the item in the menu bar is missing: %w", report.ErrNotSupported)
		},
	}
}
