package disk

import (
	"io"
	"time"
)

// FS is everything that the store asks of a file system. Names are paths as the operating system has them.
// A name that does not exist is an error that wraps fs.ErrNotExist.
//
// What was written is durable after File.Sync; that a name exists, or does no longer, after SyncDir of its
// directory. Package faultfs has one that forgets all else.
type FS interface {
	MkdirAll(dir string) error
	List(dir string) ([]Entry, error)    // the files of a directory, by name
	Open(name string) (File, error)      // an existing file, for reading
	OpenWrite(name string) (File, error) // an existing file, for reading and writing
	Create(name string) (File, error)    // a new file, or an existing one emptied, for reading and writing
	Rename(from, to string) error        // atomic; replaces what to names
	Remove(name string) error            // a file
	SyncDir(dir string) error            // makes creations, renames and removals in dir durable
	Free(dir string) (int64, error)      // bytes that can still be written
	Lock(name string) (io.Closer, error) // ErrLocked when another process has it
}

// File is an open file.
type File interface {
	io.ReaderAt
	io.WriterAt
	io.Closer
	Truncate(size int64) error
	Sync() error
}

// Entry is one file of a directory.
type Entry struct {
	Name     string
	Size     int64
	Modified time.Time
}
