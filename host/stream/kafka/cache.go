package kafka

import (
	"bytes"
	"context"
	"encoding/gob"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/cespare/xxhash/v2"

	"sandbar/host/stream"
)

// A host keeps a copy of a partition's states and positions on its disk, so that it reads only the changes since then when it has
// the partition again. The changelog is the truth: a copy that is missing, damaged or old costs time and nothing else.
const (
	cacheEvery = 5 * time.Minute
	// cacheAge is how old a copy may be. Deletions stay in a compacted topic for a day (delete.retention.ms): a copy from before could
	// bring back what was deleted.
	cacheAge = 12 * time.Hour
	cacheMax = 4 << 30 // bytes
)

// copied is a copy: the changelog up to an offset.
type copied struct {
	Partition stream.ID
	Offset    int64
	Time      time.Time
	Values    map[string][]byte // by the changelog's keys
}

func (s *Store) cachePath() string {
	return filepath.Join(s.cluster.opt.Cache, fmt.Sprintf("partition-%d", s.partition))
}

// loadCache returns the copy, or an empty one that begins with the changelog.
func (s *Store) loadCache() copied {
	none := copied{Values: map[string][]byte{}}
	if s.cluster.opt.Cache == "" {
		return none
	}
	c, err := readCache(s.cachePath())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return none
	case err != nil:
		s.cluster.opt.Logger.Warn("the copy of a partition's states is of no use; all of its changelog is read", "partition", s.partition, "error", err)
		return none
	}
	if age := s.cluster.opt.Now().Sub(c.Time); c.Partition != s.id || age < 0 || age > cacheAge || c.Values == nil {
		return none
	}
	return *c
}

func readCache(path string) (*copied, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() || info.Size() > cacheMax {
		return nil, fmt.Errorf("%s is no file, or too large", path)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	return decodeCache(data)
}

// sumBytes is the hash that ends a copy.
const sumBytes = 8

func decodeCache(data []byte) (*copied, error) {
	if len(data) < sumBytes {
		return nil, errors.New("the copy is cut off")
	}
	body, sum := data[:len(data)-sumBytes], data[len(data)-sumBytes:]
	if !bytes.Equal(sum, hashOf(body)) {
		return nil, errors.New("the copy is damaged")
	}
	var c copied
	if err := gob.NewDecoder(bytes.NewReader(body)).Decode(&c); err != nil {
		return nil, fmt.Errorf("read the copy: %w", err)
	}
	return &c, nil
}

func hashOf(b []byte) []byte {
	h := xxhash.New()
	h.Write(b)
	return h.Sum(nil)
}

// saveCache writes the copy, when there is a place for it and something was committed. Only who commits calls it, or nobody else does.
func (s *Store) saveCache() error {
	if s.cluster.opt.Cache == "" || s.changedTo == s.cachedTo {
		return nil
	}
	c := copied{Partition: s.id, Offset: s.changedTo, Time: s.cluster.opt.Now(), Values: map[string][]byte{markKey: s.mark}}
	s.mu.Lock()
	for reader, positions := range s.readers {
		r := s.readerRecord(reader, positions)
		c.Values[string(r.Key)] = r.Value
	}
	for name, state := range s.states {
		for i, r := range s.stateRecords(name, state) {
			if i < chunksOf(state) {
				c.Values[string(r.Key)] = r.Value
			}
		}
	}
	s.mu.Unlock()
	var body bytes.Buffer
	if err := gob.NewEncoder(&body).Encode(c); err != nil {
		return err
	}
	body.Write(hashOf(body.Bytes()))
	path := s.cachePath()
	err := os.MkdirAll(s.cluster.opt.Cache, 0o750)
	if err == nil {
		err = os.WriteFile(path+".tmp", body.Bytes(), 0o640) // not synced: the hash finds what a crash of the machine leaves
	}
	if err == nil {
		err = os.Rename(path+".tmp", path)
	}
	if err == nil {
		s.cachedTo, s.cachedAt = s.changedTo, s.cluster.opt.Now()
	}
	return err
}

// cacheWhenDue saves the copy when the last one is old.
func (s *Store) cacheWhenDue() {
	if s.cluster.opt.Now().Sub(s.cachedAt) < cacheEvery {
		return
	}
	if err := s.saveCache(); err != nil {
		s.cachedAt = s.cluster.opt.Now() // not at every commit
		s.cluster.opt.Logger.Warn("a partition's states are not copied to the disk; its next start takes longer", "partition", s.partition, "error", err)
	}
}

// restore reads the copy and what the changelog has since then.
func (s *Store) restore(ctx context.Context) error {
	c := s.loadCache()
	end, err := s.replay(ctx, &c)
	if errors.Is(err, errBehind) { // the changelog was compacted or made anew below the copy
		c = copied{Values: map[string][]byte{}}
		end, err = s.replay(ctx, &c)
	}
	if err == nil {
		err = s.rebuild(c.Values)
	}
	if err == nil { // only now there is something to be copied
		s.mark, s.cachedAt, s.changedTo, s.cachedTo = c.Values[markKey], s.cluster.opt.Now(), end, c.Offset
	}
	return err
}

// errBehind says that a copy ends where the changelog has nothing.
var errBehind = errors.New("the copy is not of this changelog")

func (s *Store) replay(ctx context.Context, c *copied) (end int64, err error) {
	read := 0
	end, err = s.cluster.scan(ctx, &s.life, Changelog, s.partition, c.Offset, func(key string, value []byte) {
		read++
		if value == nil {
			delete(c.Values, key)
		} else {
			c.Values[key] = value
		}
	})
	s.cluster.opt.Logger.Debug("read states and positions", "partition", s.partition, "from", c.Offset, "records", read)
	return end, err
}
