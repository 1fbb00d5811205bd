package disk

import (
	"os"
	"slices"
	"strings"
)

// osFS is the operating system's file system; Free and Lock differ between systems.
type osFS struct{}

func (osFS) MkdirAll(dir string) error           { return os.MkdirAll(dir, 0o750) }
func (osFS) Rename(from, to string) error        { return os.Rename(from, to) }
func (osFS) Remove(name string) error            { return os.Remove(name) }
func (osFS) Open(name string) (File, error)      { return file(os.Open(name)) }
func (osFS) OpenWrite(name string) (File, error) { return file(os.OpenFile(name, os.O_RDWR, 0)) }

func (osFS) Create(name string) (File, error) {
	return file(os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o640))
}

// file keeps a nil *os.File from becoming a File that is not nil.
func file(f *os.File, err error) (File, error) {
	if err != nil {
		return nil, err
	}
	return f, nil
}

func (osFS) List(dir string) ([]Entry, error) {
	items, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var list []Entry
	for _, it := range items {
		if !it.Type().IsRegular() {
			continue
		}
		info, err := it.Info()
		if err != nil {
			return nil, err
		}
		list = append(list, Entry{Name: it.Name(), Size: info.Size(), Modified: info.ModTime()})
	}
	slices.SortFunc(list, func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return list, nil
}

func (osFS) SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = d.Sync()
	if cerr := d.Close(); err == nil {
		err = cerr
	}
	return err
}
