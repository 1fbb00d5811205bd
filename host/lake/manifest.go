package lake

import (
	"encoding/json"
	"errors"
	"fmt"

	"sandbar/host/bucket"
)

// manifestFormat is the version of a manifest; docs/format/lake.md has the members.
const manifestFormat = 1

// manifest is what is committed with an output plugin's positions: the objects that these positions stand
// for, sealed but perhaps not yet visible. JSON, so that a person can look after a crash.
type manifest struct {
	Format  int            `json:"format"`
	Life    string         `json:"life"`
	Flush   int64          `json:"flush"`
	Objects []bucket.Entry `json:"objects"`
}

func (m *manifest) encode() []byte {
	b, err := json.Marshal(m)
	if err != nil {
		panic(err) // strings and integers only
	}
	return b
}

func decodeManifest(data []byte) (manifest, error) {
	var m manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return manifest{}, err
	}
	if m.Format != manifestFormat {
		return manifest{}, fmt.Errorf("format %d is not %d; it was written by another version of this program", m.Format, manifestFormat)
	}
	if m.Life == "" || m.Flush < 0 {
		return manifest{}, errors.New("life or flush is missing")
	}
	for _, o := range m.Objects {
		if o.ID == "" || o.Key == "" {
			return manifest{}, errors.New("an object has no token or no key")
		}
	}
	return m, nil
}
