package s3

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"sandbar/host/bucket"
)

// ErrClaimed says that the bucket, below its prefix, has the files of other streams.
var ErrClaimed = errors.New("the bucket has the files of other streams")

// claimKey is the object that says whose files these are.
const claimKey = private + "streams"

// Claim makes the bucket, below its prefix, that of the streams with this name, for good. It is ErrClaimed when it is that of
// others: the same documents would be in one lake twice, and names of columns would be given twice.
func (b *Bucket) Claim(ctx context.Context, streams string) error {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	have, err := b.readAll(ctx, claimKey, 1<<10)
	if errors.Is(err, bucket.ErrNotExist) {
		_, err = b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.opt.Name, Key: b.key(claimKey), Body: strings.NewReader(streams), IfNoneMatch: aws.String("*")})
		if hasStatus(err, 501) {
			_, err = b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.opt.Name, Key: b.key(claimKey), Body: strings.NewReader(streams)})
		}
		if err != nil && !hasStatus(err, 412) {
			return fmt.Errorf("say whose files bucket %s has: %w", b.where, explain(err))
		}
		have, err = b.readAll(ctx, claimKey, 1<<10) // somebody else may have been quicker
	}
	if err != nil {
		return err
	}
	if string(have) != streams {
		return fmt.Errorf("%w: %s has those of %.64q, and this host has %q; choose another bucket.s3.prefix, or, if these are the same documents, remove %s%s",
			ErrClaimed, b.where, have, streams, *b.key(""), claimKey)
	}
	return nil
}

// Reclaim takes the bucket over, for streams that have moved.
func (b *Bucket) Reclaim(ctx context.Context, streams string) error {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	_, err := b.client.PutObject(ctx, &s3.PutObjectInput{Bucket: &b.opt.Name, Key: b.key(claimKey), Body: strings.NewReader(streams)})
	if err != nil {
		return fmt.Errorf("say whose files bucket %s has: %w", b.where, explain(err))
	}
	return nil
}
