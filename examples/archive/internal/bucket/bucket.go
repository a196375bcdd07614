// Package bucket reads objects of S3.
package bucket

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/s3"
)

// A Store opens objects by their URLs, s3://BUCKET/KEY. It implements stored.Store.
type Store struct{ Client *s3.Client }

var errName = errors.New("no name of the form s3://BUCKET/KEY")

func parse(url string) (bucket, key string, err error) {
	rest, isS3 := strings.CutPrefix(url, "s3://")
	bucket, key, found := strings.Cut(rest, "/")
	if !isS3 || !found || bucket == "" || key == "" {
		return "", "", errName
	}
	return bucket, key, nil
}

// Open returns the octets of an object.
func (s Store) Open(ctx context.Context, url string) (io.ReadCloser, error) {
	bucket, key, err := parse(url)
	if err != nil {
		return nil, err
	}
	object, err := s.Client.GetObject(ctx, &s3.GetObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return nil, err
	}
	return object.Body, nil
}

// Encryption names the algorithm with which the writer of an object encrypted it, as it is in the
// metadata that S3's encryption clients and Amazon SES leave, or is "".
func (s Store) Encryption(ctx context.Context, url string) (string, error) {
	bucket, key, err := parse(url)
	if err != nil {
		return "", err
	}
	head, err := s.Client.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &bucket, Key: &key})
	if err != nil {
		return "", err
	}
	if algorithm := head.Metadata["x-amz-cek-alg"]; algorithm != "" {
		return algorithm, nil
	}
	// The encrypted key, of the versions 1, 2 and 3.
	for _, k := range []string{"x-amz-key", "x-amz-key-v2", "x-amz-3"} {
		if head.Metadata[k] != "" {
			return "its key is in the object's metadata", nil
		}
	}
	return "", nil
}
