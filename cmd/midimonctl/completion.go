package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

// completionTimeout is how long a shell may wait for words.
const completionTimeout = time.Second

// A words function lists what can stand at a place of the command line.
type words func(context.Context, *client.Client) ([]string, error)

// asked asks a running midimon for words. It starts none, and says nothing when there is none.
func (a *app) asked(get words) func() []string {
	return func() (found []string) {
		ctx, cancel := context.WithTimeout(context.Background(), completionTimeout)
		defer cancel()
		_ = a.with(ctx, looks, func(ctx context.Context, c *client.Client) (err error) {
			found, err = get(ctx, c)
			return err
		})
		return found
	}
}

func (a *app) modeNames() []string {
	return a.asked(func(ctx context.Context, c *client.Client) ([]string, error) {
		m, err := c.Modes(ctx)
		if err != nil {
			return nil, err
		}
		return m.Modes, nil
	})()
}

func (a *app) mappingIDs() []string {
	return a.asked(func(ctx context.Context, c *client.Client) (ids []string, err error) {
		all, err := c.Mappings(ctx, client.MappingFilter{})
		for _, m := range all {
			id := m.ID
			if m.Label != "" {
				id += "\t" + printable(m.Label) // shells show what follows the tab
			}
			ids = append(ids, id)
		}
		return ids, err
	})()
}

func (a *app) deviceNames() []string {
	return a.asked(func(ctx context.Context, c *client.Client) (names []string, err error) {
		all, err := c.Devices(ctx)
		for _, d := range all {
			names = append(names, d.Name)
		}
		return names, err
	})()
}

// first completes the first argument of a verb.
func first(get func() []string) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return get(), cobra.ShellCompDirectiveNoFileComp
	}
}

// completes completes the value of a flag.
func completes(cmd *cobra.Command, flag string, get func() []string) {
	err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return get(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic(err) // there is no such flag
	}
}

// these completes from a list.
func these(list []string) func() []string { return func() []string { return list } }
