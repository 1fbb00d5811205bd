package kafka

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/cespare/xxhash/v2"
	"github.com/twmb/franz-go/pkg/kgo"

	"sandbar/host/stream"
)

// chunkBytes is how much of a state is in one record: less than what brokers take by default.
const chunkBytes = 512 << 10

// next is what a commit changes of readers and states, and the records that say so.
type next struct {
	readers map[string]map[string]stream.Position // nil: forgotten
	states  map[string][]byte                     // nil: deleted
	records []*kgo.Record
}

// next finds what a commit changes. Only who commits calls it.
func (s *Store) next(c *stream.Commit) *next {
	n := &next{readers: map[string]map[string]stream.Position{}, states: map[string][]byte{}}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, reader := range c.Forget {
		if s.readers[reader] != nil {
			n.readers[reader] = nil
		}
	}
	for reader, positions := range c.Positions {
		merged, forgotten := n.readers[reader]
		if !forgotten {
			merged = maps.Clone(s.readers[reader])
		}
		if merged == nil {
			merged = map[string]stream.Position{}
		}
		maps.Copy(merged, positions)
		n.readers[reader] = merged
	}
	for reader, positions := range n.readers {
		if positions != nil && maps.Equal(positions, s.readers[reader]) {
			delete(n.readers, reader)
			continue
		}
		n.records = append(n.records, s.readerRecord(reader, positions))
	}
	for name, state := range c.States {
		old, ok := s.states[name]
		if ok == (state != nil) && bytes.Equal(old, state) {
			continue
		}
		n.states[name] = bytes.Clone(state)
		if state != nil && n.states[name] == nil {
			n.states[name] = []byte{}
		}
		n.records = append(n.records, s.stateRecords(name, n.states[name])...)
	}
	return n
}

// apply makes true what was committed.
func (s *Store) apply(n *next) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for reader, positions := range n.readers {
		if positions == nil {
			delete(s.readers, reader)
		} else {
			s.readers[reader] = positions
		}
	}
	for name, state := range n.states {
		if state == nil {
			delete(s.states, name)
			delete(s.chunks, name)
		} else {
			s.states[name] = state
			s.chunks[name] = chunksOf(state)
		}
	}
}

func (s *Store) changelogRecord(key string, value []byte) *kgo.Record {
	return s.cluster.opt.changelogRecord(s.partition, key, value)
}

func (o *Options) changelogRecord(partition int32, key string, value []byte) *kgo.Record {
	return &kgo.Record{Topic: o.topic(Changelog), Partition: partition, Key: []byte(key), Value: value}
}

const (
	readerKey = "reader/"
	stateKey  = "state/"
)

// readerRecord says how far a reader is: offsets by stream, in JSON. Without positions it is a tombstone.
func (s *Store) readerRecord(reader string, positions map[string]stream.Position) *kgo.Record {
	if positions == nil {
		return s.changelogRecord(readerKey+reader, nil)
	}
	offsets := make(map[string]int64, len(positions))
	for name, p := range positions {
		offsets[name] = p.Offset
	}
	text, _ := json.Marshal(offsets) // strings and integers
	return s.changelogRecord(readerKey+reader, text)
}

// chunk is the first bytes of a state's record: how many records the state has, and the hash of all of it, so that a hole in
// the changelog is seen.
type chunk struct {
	Chunks int    `json:"chunks"`
	Sum    uint64 `json:"sum"`
}

func chunksOf(state []byte) int { return max(1, (len(state)+chunkBytes-1)/chunkBytes) }

// stateRecords are those of a state, and tombstones for those that it has no more.
func (s *Store) stateRecords(name string, state []byte) (records []*kgo.Record) {
	n := 0
	if state != nil {
		n = chunksOf(state)
	}
	head, _ := json.Marshal(chunk{n, xxhash.Sum64(state)}) // integers
	for i := range n {
		value := append(append(bytes.Clone(head), '\n'), state[i*chunkBytes:min((i+1)*chunkBytes, len(state))]...)
		records = append(records, s.changelogRecord(chunkKey(name, i), value))
	}
	for i := n; i < s.chunks[name]; i++ {
		records = append(records, s.changelogRecord(chunkKey(name, i), nil))
	}
	return records
}

func chunkKey(name string, i int) string { return fmt.Sprintf("%s%s/%d", stateKey, name, i) }

// scan goes through all that is committed in a partition of a compacted topic now, from an offset on, as long as the brokers go on giving
// it and until the life ends, and returns where that ends. It is errBehind when the offset is none of the changelog.
func (c *Cluster) scan(ctx context.Context, life *life, name string, partition int32, from int64, each func(key string, value []byte)) (end int64, err error) {
	changes := &log{life: life, cluster: c, name: name, topic: c.opt.topic(name), partition: partition, numbers: &numbers{}}
	if err := changes.begin(ctx); err != nil {
		return 0, err
	}
	if from != 0 && (from < changes.first.Load() || from > changes.end.Load()) {
		return 0, errBehind
	}
	r := &reader{log: changes, offset: max(from, changes.first.Load())}
	if err := r.connect(); err != nil {
		return 0, err
	}
	defer r.Close()
	for r.offset < changes.end.Load() {
		if len(r.have) == 0 {
			call, cancel := life.bound(ctx)
			err := r.poll(call)
			cancel()
			if err != nil {
				return 0, fmt.Errorf("%w at offset %d of %d", err, r.offset, changes.end.Load())
			}
			continue
		}
		rec := r.have[0]
		r.have = r.have[1:]
		r.offset = rec.Offset + 1
		if !rec.Attrs.IsControl() {
			each(string(rec.Key), rec.Value)
		}
	}
	return r.offset, nil
}

// rebuild makes readers and states of the newest values of the changelog's keys.
func (s *Store) rebuild(values map[string][]byte) error {
	for key, value := range values {
		switch {
		case strings.HasPrefix(key, readerKey):
			reader := key[len(readerKey):]
			positions, err := decodePositions(value)
			if err != nil {
				return fmt.Errorf("the positions of reader %q are damaged: %w", reader, err)
			}
			s.readers[reader] = positions
		case strings.HasPrefix(key, stateKey) && strings.HasSuffix(key[len(stateKey):], "/0"):
			name := key[len(stateKey) : len(key)-len("/0")]
			state, n, err := decodeState(name, values)
			if err != nil {
				return fmt.Errorf("the changelog has a hole: state %q: %w; restore the topic, or delete the state's keys to begin without it", name, err)
			}
			s.states[name], s.chunks[name] = state, n
		case key == markKey:
			var m mark
			if err := json.Unmarshal(value, &m); err != nil {
				return fmt.Errorf("the mark of the newest commit is damaged: %w", err)
			}
			s.before = m.By
		case strings.HasPrefix(key, stateKey): // a further chunk
		default:
			return fmt.Errorf("key %.80q is not one of the changelog", key)
		}
	}
	return nil
}

func decodePositions(value []byte) (map[string]stream.Position, error) {
	var offsets map[string]int64
	if err := json.Unmarshal(value, &offsets); err != nil {
		return nil, err
	}
	positions := make(map[string]stream.Position, len(offsets))
	for name, o := range offsets {
		if _, _, elsewhere := stream.ParseElsewhere(name); o < 0 || !elsewhere && !slices.Contains(stream.Names(), name) {
			return nil, fmt.Errorf("offset %d of stream %.40q", o, name)
		}
		positions[name] = stream.Position{Offset: o}
	}
	return positions, nil
}

// decodeState puts a state together.
func decodeState(name string, values map[string][]byte) (state []byte, chunks int, err error) {
	var head chunk
	state = []byte{}
	for i := 0; i == 0 || i < head.Chunks; i++ {
		value, ok := values[stateKey+name+"/"+strconv.Itoa(i)]
		if !ok {
			return nil, 0, fmt.Errorf("chunk %d of %d is missing", i, head.Chunks)
		}
		text, rest, ok := bytes.Cut(value, []byte("\n"))
		var of chunk
		if err := json.Unmarshal(text, &of); !ok || err != nil || of.Chunks < 1 {
			return nil, 0, errors.Join(err, fmt.Errorf("chunk %d is damaged", i))
		}
		if i == 0 {
			head = of
		} else if of != head {
			return nil, 0, fmt.Errorf("chunk %d is of another version", i)
		}
		state = append(state, rest...)
	}
	if xxhash.Sum64(state) != head.Sum {
		return nil, 0, errors.New("its bytes are not those that were written")
	}
	return state, head.Chunks, nil
}
