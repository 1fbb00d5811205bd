package lua

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math"
	"slices"

	"sandbar/sandbox/lua/lib"
	"sandbar/sandbox/lua/vm"
)

// With preserve_data = "all" a snapshot is imageMagic, the length of a snapshot of the globals (4 bytes, little endian), that snapshot, the SHA-256 of the source, the state of
// math.random (randomSize bytes), the modules that are open, and an image of the State. A plugin with another source takes the globals only.
const (
	imageMagic = "SBLA"
	randomSize = 20 // of a rand.PCG
)

// keeping is what of a plugin's objects is in an image.
func (p *plugin) keeping() vm.Keeping {
	return vm.Keeping{
		Keep: func(u *vm.Userdata) (kind, state string, ok bool) {
			o, ok := u.Object.(lib.Preserved)
			if !ok {
				return "", "", false
			}
			return o.Module(), string(o.AppendState(nil)), true
		},
		Revive: func(kind, state string) (*vm.Userdata, error) { return lib.Revive(p.L, p, kind, state) },
	}
}

// appendImage is a snapshot of everything around one of the globals.
func (p *plugin) appendImage(globals []byte, most int) ([]byte, error) {
	image, err := p.L.Image(most-len(globals), p.keeping())
	if err == vm.ErrImageLarge {
		return nil, p.stateExceeded(most, "")
	}
	if err != nil {
		return nil, err
	}
	out := binary.LittleEndian.AppendUint32([]byte(imageMagic), uint32(len(globals)))
	out = append(append(out, globals...), p.source[:]...)
	random, err := p.random.MarshalBinary()
	if err != nil {
		return nil, err
	}
	out = append(out, random...)
	var open []string
	for _, m := range lib.Modules() {
		if p.L.Field(p.L.Loaded(), m.Name).Table() != nil {
			open = append(open, m.Name)
		}
	}
	out = append(out, byte(len(open)))
	for _, name := range open {
		out = append(append(out, byte(len(name))), name...)
	}
	return append(out, image...), nil
}

// restoreImage takes a snapshot of everything. It says whether that was of the same source, and else returns the one of the globals.
func (p *plugin) restoreImage(state []byte) (same bool, globals []byte, err error) {
	rest := state[len(imageMagic):]
	if len(rest) < 4 || uint64(binary.LittleEndian.Uint32(rest)) > uint64(len(rest)-4) {
		return false, nil, errState
	}
	n := int(binary.LittleEndian.Uint32(rest))
	globals, rest = rest[4:4+n], rest[4+n:]
	if len(rest) < sha256.Size+randomSize+1 {
		return false, nil, errState
	}
	if !p.cfg.PreserveAll || !bytes.Equal(rest[:sha256.Size], p.source[:]) || len(globals) < len(stateMagic)+8 || binary.LittleEndian.Uint64(globals[len(stateMagic):]) != math.Float64bits(p.preservationVersion()) {
		return false, globals, nil
	}
	random, rest := rest[sha256.Size:][:randomSize], rest[sha256.Size+randomSize:]
	if rest, err = p.openModules(rest); err != nil {
		return false, nil, err
	}
	if err := p.random.UnmarshalBinary(random); err != nil {
		return false, nil, fmt.Errorf("%w: %w", errState, err)
	}
	d := decoder{plugin: p, in: globals[len(stateMagic)+8:]}
	if err := d.throttles(); err != nil {
		return false, nil, err
	}
	if err := p.L.SetImage(rest, p.keeping()); err != nil {
		return false, nil, fmt.Errorf("%w: %w", errState, err)
	}
	p.used = p.L.Memory()
	return true, nil, nil
}

// openModules opens those that the image has.
func (p *plugin) openModules(in []byte) (rest []byte, err error) {
	count := int(in[0])
	in = in[1:]
	for range count {
		if len(in) == 0 || int(in[0]) > len(in)-1 {
			return nil, errState
		}
		name := string(in[1 : 1+int(in[0])])
		in = in[1+len(name):]
		m, known := p.modules[name]
		if !known {
			return nil, fmt.Errorf("%w: there is no module %.40q", errState, name)
		}
		if p.L.Field(p.L.Loaded(), m.Name).Table() != nil {
			continue
		}
		if err := p.L.Unlimited(func() error { p.open(&m); return nil }); err != nil {
			return nil, err
		}
	}
	return slices.Clip(in), nil
}
