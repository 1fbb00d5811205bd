package s3

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sandbar/host/bucket"
)

// Publish implements bucket.Bucket.
func (b *Bucket) Publish(ctx context.Context, t bucket.Token) error { return b.show(ctx, t, false) }

// Replace implements bucket.Bucket.
func (b *Bucket) Replace(ctx context.Context, t bucket.Token) error { return b.show(ctx, t, true) }

func (b *Bucket) show(ctx context.Context, t bucket.Token, replace bool) error {
	if err := errors.Join(ctx.Err(), checkID(t.ID), bucket.CheckKey(t.Key)); err != nil {
		return err
	}
	ctx, cancel := b.bound(ctx)
	defer cancel()
	if err := b.complete(ctx, t, replace); err != nil {
		return fmt.Errorf("publish %s in bucket %s: %w", t.Key, b.where, err)
	}
	return nil
}

// errLost is never seen unless somebody else ends uploads.
var errLost = errors.New("its upload is gone, and its bytes with it; look for a lifecycle rule of the bucket that ends unfinished uploads")

func (b *Bucket) complete(ctx context.Context, t bucket.Token, replace bool) error {
	s, err := b.readSeal(ctx, t.ID)
	if errors.Is(err, bucket.ErrNotExist) { // done before, or never
		_, err := b.stat(ctx, t.Key)
		return err
	}
	if err != nil {
		return err
	}
	if s.Key != t.Key {
		return fmt.Errorf("token %s is of %s", t.ID, s.Key)
	}
	maker, there, err := b.maker(ctx, t.Key)
	switch {
	case err != nil:
		return err
	case there && maker == t.ID:
		return b.dropSeal(ctx, t.ID)
	case there && !replace:
		return fmt.Errorf("another object has this key: %w", bucket.ErrExist)
	}
	if s.Upload == "" {
		err = b.putEmpty(ctx, t, replace)
	} else {
		err = b.completeUpload(ctx, s, replace)
	}
	if isMissing(err) || hasStatus(err, 412) { // by an attempt before, whose answer was lost, or by somebody else
		maker, there, err2 := b.maker(ctx, t.Key)
		switch {
		case err2 != nil:
			return err2
		case there && maker == t.ID:
			err = nil
		case hasStatus(err, 412):
			return fmt.Errorf("another object has this key: %w", bucket.ErrExist)
		default:
			return fmt.Errorf("%w (%w)", errLost, bucket.ErrNotExist)
		}
	}
	if err != nil {
		return explain(err)
	}
	return b.dropSeal(ctx, t.ID)
}

func (b *Bucket) completeUpload(ctx context.Context, s seal, replace bool) error {
	in := &s3.CompleteMultipartUploadInput{Bucket: &b.opt.Name, Key: b.key(s.Key), UploadId: &s.Upload, MultipartUpload: s.completed()}
	if !replace {
		in.IfNoneMatch = aws.String("*")
	}
	_, err := b.client.CompleteMultipartUpload(ctx, in)
	if hasStatus(err, 501) && in.IfNoneMatch != nil { // the server does not know it
		in.IfNoneMatch = nil
		_, err = b.client.CompleteMultipartUpload(ctx, in)
	}
	return err
}

func (b *Bucket) putEmpty(ctx context.Context, t bucket.Token, replace bool) error {
	in := &s3.PutObjectInput{Bucket: &b.opt.Name, Key: b.key(t.Key), Metadata: map[string]string{tokenKey: t.ID},
		ServerSideEncryption: types.ServerSideEncryption(b.opt.Encryption), SSEKMSKeyId: b.kmsKey()}
	if !replace {
		in.IfNoneMatch = aws.String("*")
	}
	_, err := b.client.PutObject(ctx, in)
	return err
}

// maker tells which token made the object that has a key.
func (b *Bucket) maker(ctx context.Context, key string) (id string, there bool, err error) {
	out, err := b.client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &b.opt.Name, Key: b.key(key)})
	if isMissing(err) {
		return "", false, nil
	}
	if err != nil {
		return "", false, explain(err)
	}
	return out.Metadata[tokenKey], true, nil
}
