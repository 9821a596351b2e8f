package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/amiable-dev/midimon/dbusapi/client"
)

// rateEvery is how often rates are shown.
const rateEvery = time.Second

func newMonitor(a *app) *cobra.Command {
	var device, mapping string
	var kinds []string
	var channel uint8
	var mapped, unmapped, rates bool
	n := uint64(0)
	cmd := &cobra.Command{
		Use:   "monitor",
		Short: "Show what comes in, as it comes",
		Long: `Show each message as it comes, and the mapping that it made act; at the end how many came and
how fast. C4 is note 60. With --rates show instead, each second, how fast what moves sends.
Works on the private socket only: what is played is nobody else's business.

With --json a line each:
  {"time_usec", "device", "kind", "channel" (0-15), "number", "value", "mapping"}
  {"dropped": N}: so many were lost here, because nobody read fast enough
with --rates {"device", "kind", "channel", "number", "per_second", "value" (the last)}.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			f := client.EventFilter{Device: given(cmd, "device", &device), Mapping: given(cmd, "mapping", &mapping), Kinds: kinds}
			for _, k := range kinds {
				if !slices.Contains(client.Kinds, k) {
					return &usageError{fmt.Errorf("monitor: no kind %q; there are %v", k, client.Kinds)}
				}
			}
			if cmd.Flags().Changed("channel") {
				if channel > 15 {
					return &usageError{fmt.Errorf("monitor: channel %d is out of range 0-15", channel)}
				}
				f.Channel = &channel
			}
			if mapped && unmapped {
				return &usageError{errors.New("monitor: --mapped and --unmapped exclude each other")}
			}
			if mapped || unmapped {
				f.Mapped = &mapped
			}
			c, err := a.dial(cmd.Context(), looks)
			if err != nil {
				return err
			}
			defer c.Close() //nolint:errcheck // it only listened
			ctx, cancel := a.whileRead(cmd.Context())
			defer cancel()
			m := &meter{app: a, left: n, limited: n > 0, began: time.Now()}
			if rates {
				m.rates = map[control]*rate{}
				stop := m.tick(ctx)
				defer stop()
			}
			if err := c.Monitor(ctx, f, m.tell); err != nil && !errors.Is(err, errEnough) {
				return fmt.Errorf("cannot monitor: %w", err)
			}
			return m.end()
		},
	}
	cmd.Flags().StringVar(&device, "device", "", "what `DEVICE` sends")
	cmd.Flags().StringSliceVar(&kinds, "kind", nil, "messages of this `KIND`: note-on, control-change, ...")
	cmd.Flags().Uint8Var(&channel, "channel", 0, "messages of channel `N`, 0-15")
	cmd.Flags().StringVar(&mapping, "mapping", "", "what makes mapping `ID` act")
	cmd.Flags().BoolVar(&mapped, "mapped", false, "what makes some mapping act")
	cmd.Flags().BoolVar(&unmapped, "unmapped", false, "what makes none act")
	cmd.Flags().BoolVar(&rates, "rates", false, "show each second how fast what moves sends")
	cmd.Flags().Uint64VarP(&n, "count", "n", 0, "end after `N` messages")
	completes(cmd, "device", a.deviceNames)
	completes(cmd, "mapping", a.mappingIDs)
	completes(cmd, "kind", these(client.Kinds))
	return cmd
}

// errEnough ends a monitor that has shown all it was asked for.
var errEnough = errors.New("enough")

// control is what sends.
type control struct {
	Device  string `json:"device"`
	Kind    string `json:"kind"`
	Channel uint8  `json:"channel"`
	Number  uint8  `json:"number"`
}

// rate is how fast a control sends.
type rate struct {
	control
	PerSecond float64 `json:"per_second"`
	Value     uint16  `json:"value"`

	n int
}

// A meter shows what comes, and counts.
type meter struct {
	*app
	left    uint64
	limited bool
	began   time.Time
	mu      sync.Mutex // tell and tick
	seen    uint64
	dropped uint64
	rates   map[control]*rate // nil: every message is shown
	shown   time.Time
}

func (m *meter) tell(all []client.Seen, dropped uint32) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.dropped += uint64(dropped)
	p := m.printer()
	if dropped > 0 && m.json {
		p.printf("{\"dropped\":%d}\n", dropped)
	} else if dropped > 0 {
		p.printf("%s\n", p.styled(red, count(uint64(dropped), "message")+" lost here"))
	}
	for i := range all {
		if m.limited && m.left == 0 {
			break
		}
		m.left--
		m.seen++
		m.show(p, &all[i])
	}
	if m.limited && m.left == 0 && p.err == nil {
		return errEnough
	}
	return p.err
}

func (m *meter) show(p *printer, s *client.Seen) {
	switch {
	case m.rates != nil:
		k := control{s.Device, s.Kind, s.Channel, s.Number}
		r := m.rates[k]
		if r == nil {
			r = &rate{control: k}
			m.rates[k] = r
		}
		r.n++
		r.Value = s.Value
	case m.json:
		line, err := json.Marshal(s)
		if err != nil {
			p.err = err
			return
		}
		p.printf("%s\n", line)
	default:
		at := time.UnixMicro(int64(s.USec)).Format("15:04:05.000")
		line := p.styled(dim, at) + "  " + message(s.Device, s.Kind, s.Channel, s.Number, s.Value)
		if s.Mapping != "" {
			line += "  " + p.styled(green, "-> "+printable(s.Mapping))
		}
		p.printf("%s\n", line)
	}
}

// tick shows rates until stop.
func (m *meter) tick(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	done := make(chan struct{})
	m.shown = time.Now()
	go func() {
		defer close(done)
		t := time.NewTicker(rateEvery)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-t.C:
				m.mu.Lock()
				m.showRates(now)
				m.mu.Unlock()
			}
		}
	}()
	return func() { cancel(); <-done }
}

func (m *meter) showRates(now time.Time) {
	all := make([]*rate, 0, len(m.rates))
	for _, r := range m.rates {
		r.PerSecond = float64(r.n) / now.Sub(m.shown).Seconds()
		all = append(all, r)
	}
	clear(m.rates)
	m.shown = now
	slices.SortFunc(all, func(a, b *rate) int {
		return cmp.Or(cmp.Compare(a.Device, b.Device), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Channel, b.Channel), cmp.Compare(a.Number, b.Number))
	})
	p := m.printer()
	var table [][]cell
	for _, r := range all {
		if m.json {
			if line, err := json.Marshal(r); err == nil {
				p.printf("%s\n", line)
			}
			continue
		}
		table = append(table, []cell{
			{message(r.Device, r.Kind, r.Channel, r.Number, r.Value), plain},
			{fmt.Sprintf("%.0f/s", r.PerSecond), bold},
		})
	}
	if len(table) > 0 {
		p.printf("%s\n", p.styled(dim, now.Format("15:04:05")))
		p.table("", "", table)
	}
}

// end says how much it was.
func (m *meter) end() error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.json {
		return nil
	}
	took := time.Since(m.began)
	p := m.printer()
	p.printf("%s\n", p.styled(dim, fmt.Sprintf("%s in %s, %.1f a second, %d lost here", count(m.seen, "message"), brief(took),
		float64(m.seen)/max(took.Seconds(), 0.001), m.dropped)))
	return p.err
}
