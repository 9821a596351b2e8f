package main

import (
	"context"

	"github.com/amiable-dev/midimon/engine/report"
)

// life is launchd's, which midimon does not use yet.
func (a *app) life() life { return noLife{} }

type noLife struct{}

func (noLife) Start(context.Context) (did, mayStart []string, err error) {
	return nil, nil, report.ErrNotSupported
}

func (l noLife) Stop(ctx context.Context) (did, mayStart []string, err error) { return l.Start(ctx) }

func (l noLife) Restart(ctx context.Context) (did, mayStart []string, err error) { return l.Start(ctx) }

func (l noLife) Install(ctx context.Context) (did, mayStart []string, err error) { return l.Start(ctx) }

func (l noLife) Uninstall(ctx context.Context) (did, mayStart []string, err error) {
	return l.Start(ctx)
}

// machineChecks look at what the machine must offer.
func (a *app) machineChecks(context.Context) []report.Check { return nil }
