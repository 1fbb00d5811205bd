package wasm

import (
	"strings"

	"sandbar/sandbox"
)

// lake is where outputs write, and the message that is being processed.
func (p *plugin) lake() sandbox.Lake {
	if p.env.Lake == nil {
		p.fail("there is no lake here; output plugins have it")
	}
	if len(p.msgs) == 0 {
		p.fail("there is no message to write; call it from sandbar_process")
	}
	p.Spend(100*luaUnit + int64(len(p.msgs[0].Raw())))
	return p.env.Lake
}

// lakeHeka writes the message, framed, into a file under a path.
func (p *plugin) lakeHeka(s []uint64) {
	if err := p.lake().Heka(p.name(s[0], s[1]), p.msgs[0].Raw()); err != nil {
		p.fail("lake_heka: %w", err)
	}
}

// lakeParquet writes a row of the message into a file under a path: with the fields of a list of names, each ended by a line
// end (nothing means all), and the columns of a JSON field by the schema "namespace/type/version".
func (p *plugin) lakeParquet(s []uint64) {
	lake := p.lake()
	path, list := p.name(s[0], s[1]), string(p.bytes(s[2], uint64(min(uint32(s[3]), 64<<10))))
	payload, schema := p.name(s[4], s[5]), p.name(s[6], s[7])
	row := sandbox.Row{Message: p.msgs[0].Raw(), Payload: payload}
	for name := range strings.Lines(list) {
		row.Fields = append(row.Fields, strings.TrimSuffix(name, "\n"))
	}
	if parts := strings.SplitN(schema, "/", 3); len(parts) == 3 {
		row.Namespace, row.DocType, row.DocVersion = parts[0], parts[1], parts[2]
	} else if schema != "" {
		p.fail("lake_parquet: the schema %q is not namespace/type/version", schema)
	}
	if err := lake.Parquet(path, row); err != nil {
		p.fail("lake_parquet: %w", err)
	}
}

// checkpoint acknowledges messages up to a number, which counts calls of sandbar_process from 1; 0 is all so far.
func (p *plugin) checkpoint(s []uint64) {
	n := int64(s[0])
	if n <= 0 || n > p.sequence {
		n = p.sequence
	}
	p.acked = max(p.acked, n)
}
