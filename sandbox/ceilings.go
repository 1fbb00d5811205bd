package sandbox

import (
	"fmt"
	"time"
)

// Ceilings are the most that a host allows a plugin of one kind. A limit that a plugin's config leaves at 0 is its ceiling.
type Ceilings struct {
	Limits
	Ticker int // shortest ticker_interval in seconds
	Module int // bytes of a WASM module, instead of Limits.Source
}

// DefaultCeilings are those of a host whose config says nothing.
func DefaultCeilings(kind Kind) Ceilings {
	c := Ceilings{Ticker: 1, Module: 10 << 20, Limits: Limits{
		Instructions: 10_000_000, Memory: 64 << 20, Output: 1 << 20, ProcessInject: 100, TimerInject: 100,
		InjectBytes: 4 << 20, Hourly: 512 << 20, State: 16 << 20, Graph: 1 << 20, LogLines: 100, Source: 256 << 10, Time: 10 * time.Second,
	}}
	switch kind {
	case Decoder: // of bodies of up to 10 MiB, and trusted more
		c.Instructions, c.Memory, c.Output = 100_000_000, 256<<20, 16<<20
		c.ProcessInject, c.TimerInject, c.InjectBytes, c.Hourly, c.State = 10_000, 10_000, 64<<20, 0, 64<<20
	case Output:
		c.Output, c.ProcessInject, c.TimerInject, c.InjectBytes, c.Hourly = 16<<20, 1000, 1000, 16<<20, 0
	}
	return c
}

// Apply gives cfg the ceilings for what it leaves open. The error names the first key that is above its ceiling.
func (c *Ceilings) Apply(cfg *Config) error {
	table := "limits." + string(cfg.Kind) + "."
	fuel := c.Instructions
	if cfg.IsModule() {
		fuel = min(fuel, MaxModuleFuel)
	}
	for _, l := range []struct {
		key       string
		have      *int64
		most      int64
		automatic bool // the default, which may well be above a ceiling
	}{
		{"instruction_limit", &cfg.Limits.Instructions, fuel, cfg.Keys["instruction_limit"] == nil},
		{"memory_limit", &cfg.Limits.Memory, c.Memory, cfg.Keys["memory_limit"] == nil},
		{"output_limit", &cfg.Limits.Output, c.Output, cfg.Keys["output_limit"] == nil},
	} {
		if *l.have == 0 || l.automatic && *l.have > l.most {
			*l.have = l.most
		}
		if *l.have > l.most {
			return aboveCeiling(cfg, l.key, *l.have, l.most, table)
		}
	}
	for _, l := range []struct {
		key  string
		have *int
		most int
	}{
		{"process_message_inject_limit", &cfg.Limits.ProcessInject, c.ProcessInject},
		{"timer_event_inject_limit", &cfg.Limits.TimerInject, c.TimerInject},
	} {
		if cfg.Keys[l.key] == nil || cfg.Kind != Analysis { // no limit of the plugin's own
			*l.have = min(*l.have, l.most)
		}
		if *l.have > l.most {
			return aboveCeiling(cfg, l.key, int64(*l.have), int64(l.most), table)
		}
	}
	if t := cfg.TickerInterval; t != 0 && t < c.Ticker {
		return fmt.Errorf("config key ticker_interval is %d; this host allows no less than %d seconds (%sticker_interval)", t, c.Ticker, table)
	}
	l := &cfg.Limits
	l.InjectBytes, l.Hourly, l.State, l.Graph, l.LogLines, l.Source, l.Time = c.InjectBytes, c.Hourly, c.State, c.Graph, c.LogLines, c.Source, c.Time
	if cfg.IsModule() {
		l.Source = c.Module
	}
	return nil
}

func aboveCeiling(cfg *Config, key string, have, most int64, table string) error {
	return fmt.Errorf("config key %s is %v; this host allows at most %d (%s%s), which 0 stands for", key, cfg.Keys[key], most, table, key)
}
