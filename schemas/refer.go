package schemas

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"sandbar/sandbox/jsondoc"
)

// Bounds of what one schema may refer to.
const (
	maxReferred      = 200
	maxReferredBytes = 64 << 20
)

// base is the address of a file of the folder, when it has no $id: its references are relative to that.
const base = "schema:///"

// folder finds what schemas refer to: other files of it, by their places or by their $id. It belongs to one reload.
type folder struct {
	fsys  fs.FS
	files []string // that are schemas

	once sync.Once
	ids  map[string]string // $id → file
}

// byID is the file that says it is at an address.
func (f *folder) byID(url string) (name string, ok bool) {
	f.once.Do(func() {
		f.ids = map[string]string{}
		for _, name := range f.files {
			text, err := readFile(f.fsys, name)
			if err != nil {
				continue
			}
			doc, err := jsondoc.Parse(text, jsondoc.Limits{Bytes: maxFile})
			if err != nil {
				continue
			}
			for _, key := range []string{"$id", "id"} {
				id, ok := doc.Root().Member(key)
				if !ok {
					continue
				}
				if s := strings.TrimSuffix(id.Str(), "#"); s != "" && f.ids[s] == "" {
					f.ids[s] = name
				}
			}
		}
	})
	name, ok = f.ids[url]
	return name, ok
}

// references is what one schema has referred to. It implements jsonschema.URLLoader.
type references struct {
	*folder
	found map[string][32]byte // files → their hashes
	bytes int
}

// Load implements jsonschema.URLLoader.
func (r *references) Load(url string) (any, error) {
	name, ok := strings.CutPrefix(url, base)
	if !ok {
		name, ok = r.byID(url)
	}
	if !ok || !fs.ValidPath(name) {
		return nil, fmt.Errorf("it refers to %s; that has to be another file of the folder, by its place in it or by its $id", url)
	}
	text, err := readFile(r.fsys, name)
	if err != nil {
		return nil, fmt.Errorf("it refers to %s: %w", url, err)
	}
	if r.bytes += len(text); r.bytes > maxReferredBytes || len(r.found) >= maxReferred {
		return nil, fmt.Errorf("it refers to more than %d files, or to more than %d bytes of them", maxReferred, maxReferredBytes)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("it refers to %s, which is no JSON: %w", url, err)
	}
	r.found[name] = sha256.Sum256(text)
	return boundNumbers(doc), nil
}

// same says whether what a schema has referred to is as it was.
func (f *folder) same(found map[string][32]byte) bool {
	for name, hash := range found {
		if text, err := readFile(f.fsys, name); err != nil || sha256.Sum256(text) != hash {
			return false
		}
	}
	return true
}

// readFile reads a file that is not too large.
func readFile(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxFile {
		return nil, fmt.Errorf("it has more than %d bytes", maxFile)
	}
	return text, nil
}
