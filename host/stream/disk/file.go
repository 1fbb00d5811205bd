package disk

import (
	"fmt"
	"io"
)

// writeFile makes a file whose contents, though not its name, are durable.
func writeFile(fs FS, name string, b []byte) error {
	f, err := fs.Create(name)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(b, 0)
	return finish(f, err)
}

// finish syncs and closes a file unless writing it failed with err.
func finish(f File, err error) error {
	if err == nil {
		if serr := f.Sync(); serr != nil {
			err = &syncError{serr}
		}
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}

// readFile returns a file's bytes, refusing one of more than limit.
func readFile(fs FS, name string, limit int64) ([]byte, error) {
	f, err := fs.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.NewSectionReader(f, 0, limit+1))
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", name, err)
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("read %s: it has more than %d bytes", name, limit)
	}
	return b, nil
}
