package s3

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sandbar/host/bucket"
)

// tokenKey is the name of an object's metadata that says which token made it.
const tokenKey = "sandbar-token"

// seal is what the object of a token holds.
type seal struct {
	Key    string `json:"key"` // without the prefix
	Upload string `json:"upload,omitempty"`
	Parts  []part `json:"parts,omitempty"` // none: the object is empty and has no upload, since not every server takes empty parts
}

// part is one part of an upload; the first has number 1.
type part struct {
	ETag   string `json:"etag"`
	CRC32C string `json:"crc32c,omitempty"` // base64
}

// staged is an object that is being written: up to one part in memory, and an upload when there is more, or at the end.
type staged struct {
	b     *Bucket
	token bucket.Token
	seal  seal
	buf   *bytes.Buffer // nil when ended
	err   error         // of a part; nothing can be added behind it
}

// Create implements bucket.Bucket.
func (b *Bucket) Create(ctx context.Context, owner, key string) (bucket.Staged, error) {
	if err := errors.Join(ctx.Err(), bucket.CheckOwner(owner), bucket.CheckKey(key)); err != nil {
		return nil, err
	}
	token := bucket.Token{ID: owner + "-" + random(), Key: key}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	in := &s3.CreateMultipartUploadInput{Bucket: &b.opt.Name, Key: b.key(key), Metadata: map[string]string{tokenKey: token.ID},
		ServerSideEncryption: types.ServerSideEncryption(b.opt.Encryption), SSEKMSKeyId: b.kmsKey()}
	if !b.opt.NoChecksum {
		in.ChecksumAlgorithm = types.ChecksumAlgorithmCrc32c
	}
	out, err := b.client.CreateMultipartUpload(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("begin %s in bucket %s: %w", key, b.where, explain(err))
	}
	return &staged{b: b, token: token, seal: seal{Key: key, Upload: aws.ToString(out.UploadId)}, buf: b.buffer()}, nil
}

func (b *Bucket) buffer() *bytes.Buffer {
	buf := b.parts.Get().(*bytes.Buffer)
	buf.Reset()
	return buf
}

func (b *Bucket) kmsKey() *string {
	if b.opt.KMSKey == "" {
		return nil
	}
	return &b.opt.KMSKey
}

func (s *staged) Write(p []byte) (n int, err error) {
	if s.buf == nil {
		return 0, errors.New("bucket: write to an object that was ended")
	}
	for s.err == nil && len(p) > 0 {
		if s.buf.Len() == s.b.opt.PartSize {
			s.err = s.send()
			continue
		}
		k := min(len(p), s.b.opt.PartSize-s.buf.Len())
		s.buf.Write(p[:k])
		p, n = p[k:], n+k
	}
	return n, s.err
}

// send uploads what the buffer holds as the next part.
func (s *staged) send() error {
	b := s.b
	if len(s.seal.Parts) == maxParts {
		return fmt.Errorf("%s would have more than %d parts of %d bytes; raise bucket.s3.part_size", s.seal.Key, maxParts, b.opt.PartSize)
	}
	ctx, cancel := b.bound(context.Background())
	defer cancel()
	var sum *string
	if !b.opt.NoChecksum {
		crc := binary.BigEndian.AppendUint32(nil, crc32.Checksum(s.buf.Bytes(), crc32.MakeTable(crc32.Castagnoli)))
		sum = aws.String(base64.StdEncoding.EncodeToString(crc))
	}
	out, err := b.client.UploadPart(ctx, &s3.UploadPartInput{Bucket: &b.opt.Name, Key: b.key(s.seal.Key), UploadId: &s.seal.Upload,
		PartNumber: aws.Int32(int32(len(s.seal.Parts) + 1)), Body: bytes.NewReader(s.buf.Bytes()), ChecksumCRC32C: sum})
	if err != nil {
		return fmt.Errorf("send part %d of %s to bucket %s: %w", len(s.seal.Parts)+1, s.seal.Key, b.where, explain(err))
	}
	s.seal.Parts = append(s.seal.Parts, part{ETag: aws.ToString(out.ETag), CRC32C: aws.ToString(sum)})
	s.buf.Reset()
	return nil
}

func (s *staged) Seal() (bucket.Token, error) {
	if s.buf == nil {
		return bucket.Token{}, errors.New("bucket: seal an object that was ended")
	}
	err := s.err
	if err == nil && s.buf.Len() > 0 {
		err = s.send()
	}
	if err == nil && len(s.seal.Parts) == 0 {
		err = s.Abort()
		s.seal.Upload, s.buf = "", s.b.buffer()
	}
	if err == nil {
		err = s.b.writeSeal(s.token.ID, s.seal)
	}
	if err != nil {
		return bucket.Token{}, errors.Join(err, s.Abort())
	}
	s.free()
	return s.token, nil
}

func (s *staged) free() {
	s.b.parts.Put(s.buf)
	s.buf = nil
}

// Abort gives up. What cannot be ended now, Sweep ends.
func (s *staged) Abort() error {
	if s.buf == nil {
		return nil
	}
	s.free()
	ctx, cancel := s.b.bound(context.Background())
	defer cancel()
	return s.b.abort(ctx, s.seal)
}

// abort ends an upload; one that is gone is fine.
func (b *Bucket) abort(ctx context.Context, s seal) error {
	if s.Upload == "" {
		return nil
	}
	_, err := b.client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: &b.opt.Name, Key: b.key(s.Key), UploadId: &s.Upload})
	if err != nil && !isMissing(err) {
		return fmt.Errorf("give up %s in bucket %s: %w", s.Key, b.where, explain(err))
	}
	return nil
}

// writeSeal makes a token durable.
func (b *Bucket) writeSeal(id string, s seal) error {
	ctx, cancel := b.bound(context.Background())
	defer cancel()
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	_, err = b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.opt.Name, Key: b.key(sealedDir + id), Body: bytes.NewReader(text),
		ServerSideEncryption: types.ServerSideEncryption(b.opt.Encryption), SSEKMSKeyId: b.kmsKey()})
	if err != nil {
		return fmt.Errorf("finish %s in bucket %s: %w", s.Key, b.where, explain(err))
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.sealed[id] = s
	return nil
}

const (
	maxParts = 10_000  // of an upload, says S3
	maxSeal  = 4 << 20 // bytes of a token's object, which is less for as many parts
)

// readSeal finds what a token stands for; bucket.ErrNotExist when it is gone.
func (b *Bucket) readSeal(ctx context.Context, id string) (seal, error) {
	b.mu.Lock()
	s, ok := b.sealed[id]
	b.mu.Unlock()
	if ok {
		return s, nil
	}
	text, err := b.readAll(ctx, sealedDir+id, maxSeal)
	if err != nil {
		return s, err
	}
	if s, err = decodeSeal(text); err != nil {
		return s, fmt.Errorf("token %s in bucket %s is damaged: %w", id, b.where, err)
	}
	return s, nil
}

func decodeSeal(text []byte) (s seal, err error) {
	if err := json.Unmarshal(text, &s); err != nil {
		return s, err
	}
	if err := bucket.CheckKey(s.Key); err != nil {
		return s, err
	}
	if (s.Upload == "") != (len(s.Parts) == 0) || len(s.Parts) > maxParts {
		return s, fmt.Errorf("it has %d parts of upload %.80q", len(s.Parts), s.Upload)
	}
	return s, nil
}

// Tokens implements bucket.Bucket.
func (b *Bucket) Tokens(ctx context.Context, owner string) ([]string, error) {
	if err := bucket.CheckOwner(owner); err != nil {
		return nil, err
	}
	var ids []string
	for info, err := range b.list(ctx, sealedDir+owner+"-") {
		if err != nil {
			return nil, err
		}
		ids = append(ids, info.Key[len(sealedDir):])
	}
	return ids, nil
}

// Discard implements bucket.Bucket.
func (b *Bucket) Discard(ctx context.Context, id string) error {
	if err := errors.Join(ctx.Err(), checkID(id)); err != nil {
		return err
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	s, err := b.readSeal(ctx, id)
	if errors.Is(err, bucket.ErrNotExist) {
		return nil
	}
	if err == nil {
		err = b.abort(ctx, s)
	}
	if err == nil {
		err = b.dropSeal(ctx, id)
	}
	return err
}

// dropSeal removes a token.
func (b *Bucket) dropSeal(ctx context.Context, id string) error {
	if err := b.remove(ctx, sealedDir+id); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.sealed, id)
	return nil
}

// completed lists the parts as the server wants them.
func (s *seal) completed() *types.CompletedMultipartUpload {
	parts := make([]types.CompletedPart, len(s.Parts))
	for i, p := range s.Parts {
		parts[i] = types.CompletedPart{PartNumber: aws.Int32(int32(i + 1)), ETag: aws.String(p.ETag)}
		if p.CRC32C != "" {
			parts[i].ChecksumCRC32C = aws.String(p.CRC32C)
		}
	}
	return &types.CompletedMultipartUpload{Parts: parts}
}
