package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/engine/config"
	"github.com/amiable-dev/midimon/service/reload"
)

func newTemplate(a *app) *cobra.Command {
	output := ""
	cmd := &cobra.Command{
		Use:   "template [NAME]",
		Short: "Print a configuration to begin with",
		Long: `Print the configuration NAME: "starter", which explains itself and fits most pads, or one for a
controller that midimon knows. Without NAME, list them. midimon need not run.

With --output it is written to a new file, which midimon would trust; one that is there already
is left alone. With --json {name, text}, and without NAME {templates: [NAME]}.`,
		Args: cobra.MaximumNArgs(1),
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
			return templates(), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				if output != "" {
					return &usageError{errors.New("--output needs the name of a template")}
				}
				return a.listTemplates()
			}
			name := args[0]
			if !slices.Contains(templates(), name) {
				return fmt.Errorf("there is no template %q; there are %s", name, strings.Join(templates(), ", "))
			}
			text := config.Template(name)
			switch {
			case output != "":
				if err := create(output, text); err != nil {
					return fmt.Errorf("cannot write the template: %w", err)
				}
				return a.done(printable(output) + " is the template " + name + "; to see what is wrong with it when it was changed: " +
					reload.Command("midimonctl validate ", output))
			case a.json:
				return a.printJSON(map[string]string{"name": name, "text": string(text)})
			}
			_, err := a.out.Write(text)
			return err
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "", "write to a new `file`")
	return cmd
}

// templates are the names of all, the starter first.
func templates() []string { return append([]string{config.StarterName}, config.Templates()...) }

func (a *app) listTemplates() error {
	if a.json {
		return a.printJSON(map[string][]string{"templates": templates()})
	}
	p := a.printer()
	for _, name := range templates() {
		p.printf("%s\n", name)
	}
	return p.err
}

// create makes a file that is not there yet, with its directory, for the user alone. Half a file
// is not left behind.
func create(path string, text []byte) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already", path)
	}
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(path))
	}
	return nil
}
