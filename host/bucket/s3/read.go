package s3

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sandbar/host/bucket"
)

// Open implements bucket.Bucket. A read that brings nothing within the timeout fails.
func (b *Bucket) Open(ctx context.Context, key string) (io.ReadCloser, error) {
	if err := errors.Join(ctx.Err(), bucket.CheckKey(key)); err != nil {
		return nil, err
	}
	return b.open(ctx, key, nil)
}

// OpenRange implements bucket.Bucket.
func (b *Bucket) OpenRange(ctx context.Context, key string, offset, n int64) (io.ReadCloser, error) {
	if err := errors.Join(ctx.Err(), bucket.CheckKey(key)); err != nil {
		return nil, err
	}
	if offset < 0 || n < 0 {
		return nil, fmt.Errorf("read from bucket %s: %s: bytes %d and %d more are no range", b.where, key, offset, n)
	}
	if n == 0 {
		return io.NopCloser(strings.NewReader("")), nil
	}
	what := fmt.Sprintf("bytes=%d-%d", offset, offset+n-1)
	r, err := b.open(ctx, key, &what)
	if isBeyond(err) {
		return io.NopCloser(strings.NewReader("")), nil
	}
	return r, err
}

// open reads an object, or a range of it.
func (b *Bucket) open(ctx context.Context, key string, what *string) (io.ReadCloser, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(b.opt.Timeout, func() { cancel(errAttempt{b.opt.Timeout}) })
	out, err := b.client.GetObject(ctx, &s3.GetObjectInput{Bucket: &b.opt.Name, Key: b.key(key), Range: what})
	if err != nil {
		timer.Stop()
		if cause := context.Cause(ctx); cause != nil {
			err = cause
		}
		cancel(nil)
		return nil, b.readError(key, err)
	}
	return &reader{ctx: ctx, body: out.Body, timer: timer, timeout: b.opt.Timeout, cancel: cancel}, nil
}

// reader is the body of an object.
type reader struct {
	ctx     context.Context // of the request
	body    io.ReadCloser
	timer   *time.Timer // cancels the request
	timeout time.Duration
	cancel  context.CancelCauseFunc
}

func (r *reader) Read(p []byte) (int, error) {
	r.timer.Reset(r.timeout)
	n, err := r.body.Read(p)
	r.timer.Stop()
	if err != nil && err != io.EOF {
		if cause := context.Cause(r.ctx); cause != nil {
			err = cause
		}
		err = fmt.Errorf("read from bucket: %w", err)
	}
	return n, err
}

func (r *reader) Close() error {
	r.timer.Stop()
	r.cancel(nil)
	return r.body.Close()
}

// readAll reads a small object, again when its body breaks off.
func (b *Bucket) readAll(ctx context.Context, key string, most int64) ([]byte, error) {
	for try := 1; ; try++ {
		text, err := b.readOnce(ctx, key, most)
		if err == nil || errors.Is(err, fs.ErrNotExist) || ctx.Err() != nil || try == 3 {
			return text, err
		}
	}
}

func (b *Bucket) readOnce(ctx context.Context, key string, most int64) ([]byte, error) {
	r, err := b.open(ctx, key, nil)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, most+1))
	if err != nil {
		return nil, b.readError(key, err)
	}
	if int64(len(text)) > most {
		return nil, fmt.Errorf("read %s from bucket %s: it has more than %d bytes", key, b.where, most)
	}
	return text, nil
}

func (b *Bucket) readError(key string, err error) error {
	if isMissing(err) {
		err = &fs.PathError{Op: "read", Path: key, Err: fs.ErrNotExist}
	}
	return fmt.Errorf("read from bucket %s: %s: %w", b.where, key, explain(err))
}

// Stat implements bucket.Bucket.
func (b *Bucket) Stat(ctx context.Context, key string) (bucket.Info, error) {
	if err := errors.Join(ctx.Err(), bucket.CheckKey(key)); err != nil {
		return bucket.Info{}, err
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	return b.stat(ctx, key)
}

func (b *Bucket) stat(ctx context.Context, key string) (bucket.Info, error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.opt.Name, Key: b.key(key)})
	if err != nil {
		return bucket.Info{}, b.readError(key, err)
	}
	return bucket.Info{Key: key, Size: aws.ToInt64(out.ContentLength), Modified: aws.ToTime(out.LastModified)}, nil
}

// Remove implements bucket.Bucket.
func (b *Bucket) Remove(ctx context.Context, key string) error {
	if err := errors.Join(ctx.Err(), bucket.CheckKey(key)); err != nil {
		return err
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	return b.remove(ctx, key)
}

func (b *Bucket) remove(ctx context.Context, key string) error {
	_, err := b.client.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &b.opt.Name, Key: b.key(key)})
	if err != nil && !isMissing(err) {
		return fmt.Errorf("remove %s from bucket %s: %w", key, b.where, explain(err))
	}
	return nil
}

// List implements bucket.Bucket.
func (b *Bucket) List(ctx context.Context, prefix string) iter.Seq2[bucket.Info, error] {
	return func(yield func(bucket.Info, error) bool) {
		if err := bucket.CheckPrefix(prefix); err != nil {
			yield(bucket.Info{}, err)
			return
		}
		for info, err := range b.list(ctx, prefix) {
			if err == nil && strings.HasPrefix(info.Key, private) {
				continue
			}
			if !yield(info, err) {
				return
			}
		}
	}
}

// list is List also for what is private. Each page is a call.
func (b *Bucket) list(ctx context.Context, prefix string) iter.Seq2[bucket.Info, error] {
	return func(yield func(bucket.Info, error) bool) {
		in := &s3.ListObjectsV2Input{Bucket: &b.opt.Name, Prefix: b.key(prefix)}
		for {
			out, err := b.page(ctx, in)
			if err != nil {
				yield(bucket.Info{}, fmt.Errorf("list bucket %s: %w", b.where, explain(err)))
				return
			}
			for _, o := range out.Contents {
				if !yield(b.info(o), nil) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) {
				return
			}
			in.ContinuationToken = out.NextContinuationToken
		}
	}
}

func (b *Bucket) page(ctx context.Context, in *s3.ListObjectsV2Input) (*s3.ListObjectsV2Output, error) {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	return b.client.ListObjectsV2(ctx, in)
}

func (b *Bucket) info(o types.Object) bucket.Info {
	return bucket.Info{Key: aws.ToString(o.Key)[b.prefixLen():], Size: aws.ToInt64(o.Size), Modified: aws.ToTime(o.LastModified)}
}
