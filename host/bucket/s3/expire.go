package s3

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"reflect"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"sandbar/host/bucket"
)

const day = 24 * time.Hour

// Expire implements bucket.Expirer with lifecycle rules of the bucket, in whole days. The rules of others stay. A server
// without such rules, or credentials that may not set them, can do nothing: so can ages below a day.
func (b *Bucket) Expire(ctx context.Context, rules []bucket.Rule) (bool, error) {
	ctx, cancel := b.bound(ctx)
	defer cancel()
	have, err := b.lifecycle(ctx)
	if unable(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("read the lifecycle of bucket %s: %w", b.where, explain(err))
	}
	var want []types.LifecycleRule
	for _, r := range have {
		if !strings.HasPrefix(aws.ToString(r.ID), b.ruleID("")) {
			want = append(want, r)
		}
	}
	for _, r := range rules {
		if r.Age < day {
			return false, nil
		}
		want = append(want, types.LifecycleRule{ID: aws.String(b.ruleID(r.Prefix)), Status: types.ExpirationStatusEnabled,
			Filter: &types.LifecycleRuleFilter{Prefix: b.key(r.Prefix)}, Expiration: &types.LifecycleExpiration{Days: aws.Int32(int32(r.Age / day))}})
	}
	if sameRules(have, want) {
		return true, nil
	}
	if len(want) == 0 {
		_, err = b.client.DeleteBucketLifecycle(ctx, &s3.DeleteBucketLifecycleInput{Bucket: &b.opt.Name})
	} else {
		_, err = b.client.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{Bucket: &b.opt.Name,
			LifecycleConfiguration: &types.BucketLifecycleConfiguration{Rules: want}, ChecksumAlgorithm: types.ChecksumAlgorithmCrc32c})
	}
	if unable(err) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("set the lifecycle of bucket %s: %w", b.where, explain(err))
	}
	return true, nil
}

// ruleID names a rule of ours.
func (b *Bucket) ruleID(prefix string) string { return "sandbar:" + *b.key(prefix) }

func (b *Bucket) lifecycle(ctx context.Context) ([]types.LifecycleRule, error) {
	out, err := b.client.GetBucketLifecycleConfiguration(ctx, &s3.GetBucketLifecycleConfigurationInput{Bucket: &b.opt.Name})
	if code(err) == "NoSuchLifecycleConfiguration" {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return out.Rules, nil
}

// unable says that the server has no lifecycle rules, or that they are not ours to set.
func unable(err error) bool { return hasStatus(err, 403, 405, 501) || code(err) == "NotImplemented" }

func sameRules(have, want []types.LifecycleRule) bool {
	if len(have) != len(want) {
		return false
	}
	by := map[string]types.LifecycleRule{}
	for _, r := range have {
		by[aws.ToString(r.ID)] = r
	}
	for _, r := range want {
		if !reflect.DeepEqual(by[aws.ToString(r.ID)].Expiration, r.Expiration) || !reflect.DeepEqual(by[aws.ToString(r.ID)].Filter, r.Filter) {
			return false
		}
	}
	return true
}

// uploadAge is how old an upload is that was begun by nobody who still lives.
const uploadAge = day

// Sweep ends uploads that were begun a day before now and have no token, and reports how many. A process that died left them.
func (b *Bucket) Sweep(ctx context.Context, now time.Time) (ended int, err error) {
	var old []seal
	for s, err := range b.uploads(ctx) {
		if err != nil {
			return 0, fmt.Errorf("list the uploads of bucket %s: %w", b.where, explain(err))
		}
		if now.Sub(s.begun) >= uploadAge {
			old = append(old, s.seal)
		}
	}
	if len(old) == 0 {
		return 0, nil
	}
	sealed, err := b.sealedUploads(ctx)
	if err != nil {
		return 0, err
	}
	var errs []error
	for _, s := range old {
		if sealed[s.Upload] {
			continue
		}
		ctx, cancel := b.bound(ctx)
		if err := b.abort(ctx, s); err != nil {
			errs = append(errs, err)
		} else {
			ended++
		}
		cancel()
	}
	return ended, errors.Join(errs...)
}

// sealedUploads are those that a token names, of whoever.
func (b *Bucket) sealedUploads(ctx context.Context) (map[string]bool, error) {
	sealed := map[string]bool{}
	for info, err := range b.list(ctx, sealedDir) {
		if err != nil {
			return nil, err
		}
		ctx, cancel := b.bound(ctx)
		s, err := b.readSeal(ctx, info.Key[len(sealedDir):])
		cancel()
		if errors.Is(err, bucket.ErrNotExist) { // published in this moment
			continue
		}
		if err != nil {
			return nil, err // what it names must not be ended
		}
		sealed[s.Upload] = true
	}
	return sealed, nil
}

// upload is one that was begun and neither completed nor ended.
type upload struct {
	seal
	begun time.Time
}

func (b *Bucket) uploads(ctx context.Context) iter.Seq2[upload, error] {
	return func(yield func(upload, error) bool) {
		in := &s3.ListMultipartUploadsInput{Bucket: &b.opt.Name, Prefix: b.key("")}
		for {
			call, cancel := b.bound(ctx)
			out, err := b.client.ListMultipartUploads(call, in)
			cancel()
			if err != nil {
				yield(upload{}, err)
				return
			}
			for _, u := range out.Uploads {
				if len(aws.ToString(u.Key)) <= b.prefixLen() {
					continue
				}
				if !yield(upload{seal{Key: aws.ToString(u.Key)[b.prefixLen():], Upload: aws.ToString(u.UploadId)}, aws.ToTime(u.Initiated)}, nil) {
					return
				}
			}
			if !aws.ToBool(out.IsTruncated) {
				return
			}
			in.KeyMarker, in.UploadIdMarker = out.NextKeyMarker, out.NextUploadIdMarker
		}
	}
}
