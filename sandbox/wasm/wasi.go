package wasm

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"

	"sandbar/sandbox"
)

// wasiModule is the part of WASI preview 1 that there is: what is written to standard output and error is printed, arguments and
// environment come from the config, clock and random numbers from the host. There are no files and no sockets.
const wasiModule = "wasi_snapshot_preview1"

// Error numbers of WASI.
const (
	wasiOK    = 0
	wasiBadF  = 8
	wasiFault = 21
	wasiInval = 28
	wasiNoSys = 52
)

// maxVectors bounds the pieces that one write has.
const maxVectors = 1024

func wasiFuncs() []hostFunc {
	funcs := []hostFunc{
		{"args_sizes_get", "ii", "i", fuelField, func(p *plugin, s []uint64) { p.listSizes(s, p.args()) }},
		{"args_get", "ii", "i", fuelField, func(p *plugin, s []uint64) { p.listGet(s, p.args()) }},
		{"environ_sizes_get", "ii", "i", fuelHeavy, func(p *plugin, s []uint64) { p.listSizes(s, p.environ()) }},
		{"environ_get", "ii", "i", fuelHeavy, func(p *plugin, s []uint64) { p.listGet(s, p.environ()) }},
		{"clock_res_get", "ii", "i", fuelCall, func(p *plugin, s []uint64) { s[0] = p.put64(s[1], 1) }},
		{"clock_time_get", "ili", "i", fuelCall, func(p *plugin, s []uint64) { s[0] = p.put64(s[2], uint64(p.now().UnixNano())) }},
		{"random_get", "ii", "i", fuelCall, (*plugin).randomGet},
		{"fd_write", "iiii", "i", fuelField, (*plugin).fdWrite},
		{"fd_read", "iiii", "i", fuelCall, (*plugin).fdRead},
		{"fd_fdstat_get", "ii", "i", fuelCall, (*plugin).fdStat},
		{"fd_close", "i", "i", fuelCall, func(_ *plugin, s []uint64) { s[0] = wasiOK }},
		{"sched_yield", "", "i", fuelCall, func(_ *plugin, s []uint64) { s[0] = wasiOK }},
		{"proc_exit", "i", "", fuelCall, func(_ *plugin, s []uint64) { panic(&exit{uint32(s[0])}) }},
		{"poll_oneoff", "iiii", "i", fuelField, (*plugin).pollOneoff},
	}
	// What would need a file or a socket says that there is none, so that programs which could use one can be loaded.
	for _, f := range []struct {
		name, params string
		code         uint64
	}{
		{"fd_advise", "illi", wasiBadF}, {"fd_allocate", "ill", wasiBadF}, {"fd_datasync", "i", wasiBadF}, {"fd_fdstat_set_flags", "ii", wasiBadF},
		{"fd_fdstat_set_rights", "ill", wasiBadF}, {"fd_filestat_get", "ii", wasiBadF}, {"fd_filestat_set_size", "il", wasiBadF},
		{"fd_filestat_set_times", "illi", wasiBadF}, {"fd_pread", "iiili", wasiBadF}, {"fd_prestat_get", "ii", wasiBadF},
		{"fd_prestat_dir_name", "iii", wasiBadF}, {"fd_pwrite", "iiili", wasiBadF}, {"fd_readdir", "iiili", wasiBadF}, {"fd_renumber", "ii", wasiBadF},
		{"fd_seek", "ilii", wasiBadF}, {"fd_sync", "i", wasiBadF}, {"fd_tell", "ii", wasiBadF}, {"path_create_directory", "iii", wasiBadF},
		{"path_filestat_get", "iiiii", wasiBadF}, {"path_filestat_set_times", "iiiilli", wasiBadF}, {"path_link", "iiiiiii", wasiBadF},
		{"path_open", "iiiiillii", wasiBadF}, {"path_readlink", "iiiiii", wasiBadF}, {"path_remove_directory", "iii", wasiBadF},
		{"path_rename", "iiiiii", wasiBadF}, {"path_symlink", "iiiii", wasiBadF}, {"path_unlink_file", "iii", wasiBadF},
		{"proc_raise", "i", wasiNoSys}, {"sock_accept", "iii", wasiBadF}, {"sock_recv", "iiiiii", wasiBadF}, {"sock_send", "iiiii", wasiBadF}, {"sock_shutdown", "ii", wasiBadF},
	} {
		funcs = append(funcs, hostFunc{f.name, f.params, "i", fuelCall, func(_ *plugin, s []uint64) { s[0] = f.code }})
	}
	return funcs
}

// put64 and put32 write a number and return the error number.
func (p *plugin) put64(at, n uint64) uint64 {
	if !p.memory.WriteUint64Le(uint32(at), n) {
		return wasiFault
	}
	return wasiOK
}

func (p *plugin) put32(at uint64, n int) uint64 {
	if !p.memory.WriteUint32Le(uint32(at), uint32(n)) {
		return wasiFault
	}
	return wasiOK
}

// args are the plugin's name, and the list args of its config. They are made once.
func (p *plugin) args() []string {
	if p.arguments == nil {
		p.arguments = p.makeArgs()
	}
	return p.arguments
}

// environ are the texts, numbers and flags of the config, made once.
func (p *plugin) environ() []string {
	if p.environment == nil {
		p.environment = p.makeEnviron()
	}
	return p.environment
}

func (p *plugin) makeArgs() []string {
	all := []string{p.cfg.Logger()}
	list, _ := p.cfg.Keys["args"].(sandbox.Table)
	for i := 1; ; i++ {
		s, ok := list[float64(i)].(string)
		if !ok {
			return all
		}
		all = append(all, s)
	}
}

func (p *plugin) makeEnviron() []string {
	all := []string{}
	for k, v := range p.cfg.Keys {
		switch v.(type) {
		case string, float64, bool:
			if key, ok := k.(string); ok && !strings.ContainsAny(key, "=\x00") {
				all = append(all, fmt.Sprintf("%s=%v", key, v))
			}
		}
	}
	slices.Sort(all)
	return all
}

func (p *plugin) listSizes(s []uint64, list []string) {
	n := 0
	p.Spend(10 * int64(len(list)))
	for _, text := range list {
		n += len(text) + 1
	}
	s[0] = max(p.put32(s[0], len(list)), p.put32(s[1], n))
}

func (p *plugin) listGet(s []uint64, list []string) {
	at, text := uint64(uint32(s[0])), uint64(uint32(s[1]))
	for _, item := range list {
		b, ok := p.memory.Read(uint32(text), uint32(len(item)+1))
		if !ok || p.put32(at, int(text)) != wasiOK {
			s[0] = wasiFault
			return
		}
		p.Spend(200 + int64(len(b)))
		b[copy(b, item)] = 0
		at, text = at+4, text+uint64(len(b))
	}
	s[0] = wasiOK
}

func (p *plugin) randomGet(s []uint64) {
	b := p.bytes(s[0], s[1])
	p.Spend(2 * int64(len(b)))
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, p.rng.Uint64())
		b = b[8:]
	}
	for i := range b {
		b[i] = byte(p.rng.Uint64())
	}
	s[0] = wasiOK
}

// fdWrite prints what is written to standard output and error, line by line.
func (p *plugin) fdWrite(s []uint64) {
	fd, vectors, n := uint32(s[0]), uint32(s[1]), uint32(s[2])
	if fd != 1 && fd != 2 {
		s[0] = wasiBadF
		return
	}
	if n > maxVectors {
		s[0] = wasiInval
		return
	}
	pairs, total := p.bytes(uint64(vectors), uint64(n)*8), 0
	for i := range int(n) {
		at, size := binary.LittleEndian.Uint32(pairs[8*i:]), binary.LittleEndian.Uint32(pairs[8*i+4:])
		b := p.bytes(uint64(at), uint64(size))
		p.printText(b)
		total += len(b)
	}
	s[0] = p.put32(s[3], total)
}

// printText prints whole lines, and keeps the beginning of the next.
func (p *plugin) printText(b []byte) {
	p.Spend(2 * int64(len(b)))
	for len(b) > 0 {
		end := slices.Index(b, '\n')
		piece := b
		if end >= 0 {
			piece = b[:end]
		}
		p.check(p.out.LineRoom(len(p.line) + len(piece)))
		p.line = append(p.line, piece...)
		if end < 0 {
			return
		}
		line := p.line
		p.line = p.line[:0]
		p.Spend(fuelField)
		p.printLine(line)
		b = b[end+1:]
	}
}

// fdRead is at the end of standard input.
func (p *plugin) fdRead(s []uint64) {
	if uint32(s[0]) != 0 {
		s[0] = wasiBadF
		return
	}
	s[0] = p.put32(s[3], 0)
}

// fdStat says that the three standard streams are character devices.
func (p *plugin) fdStat(s []uint64) {
	if uint32(s[0]) > 2 {
		s[0] = wasiBadF
		return
	}
	b, ok := p.memory.Read(uint32(s[1]), 24)
	if !ok {
		s[0] = wasiFault
		return
	}
	clear(b)
	b[0] = 2
	s[0] = wasiOK
}

// pollOneoff says of every subscription to a clock that its time has come; others are not known.
func (p *plugin) pollOneoff(s []uint64) {
	const subscription, event = 48, 32
	n := uint32(s[2])
	if n == 0 || n > maxVectors {
		s[0] = wasiInval
		return
	}
	in, out := p.bytes(s[0], uint64(n)*subscription), p.bytes(s[1], uint64(n)*event)
	p.Spend(int64(n) * 100)
	for i := range int(n) {
		sub, ev := in[i*subscription:][:subscription], make([]byte, event)
		copy(ev, sub[:8]) // userdata
		if tag := sub[8]; tag != 0 {
			binary.LittleEndian.PutUint16(ev[8:], wasiBadF)
			ev[10] = tag
		}
		copy(out[i*event:], ev)
	}
	s[0] = p.put32(s[3], int(n))
}
