// Package blob keeps bytes under names: on the local disk, or in an S3 bucket.
//
// Whoever stores a blob chooses a key of its own making, never a name that somebody
// sent. A blob is there whole or not at all, and is not changed in place.
package blob

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/tenonhq/tenon/platform/errs"
)

// Store keeps blobs.
type Store interface {
	// Put stores what r has until its end. An error of r is returned as it is; after any
	// error nothing is left behind.
	Put(ctx context.Context, key string, r io.Reader) error
	// Open reads a blob, or returns ErrNotFound.
	Open(ctx context.Context, key string) (*Blob, error)
	// Move gives a blob another key, replacing what was there; ErrNotFound if there is none.
	Move(ctx context.Context, from, to string) error
	// Delete removes a blob. One that is not there is no error.
	Delete(ctx context.Context, key string) error
	// Walk calls fn with every blob whose key begins with prefix, a folder, ordered by key.
	Walk(ctx context.Context, prefix string, fn func(Info) error) error
}

// Signer is a Store that other programs reach by themselves, with an address that it signs.
type Signer interface {
	// SignGet returns an address that serves the blob with h, and nothing else, for a while.
	SignGet(ctx context.Context, key string, h Headers, life time.Duration) (string, error)
	// SignPut returns an address that takes exactly size bytes as the blob, when they are
	// sent by PUT with the header that is returned.
	SignPut(ctx context.Context, key, contentType string, size int64, life time.Duration) (string, http.Header, error)
}

// Info is what is known of a blob without reading it.
type Info struct {
	Key      string
	Size     int64
	Modified time.Time
}

// Blob is a blob that is being read.
type Blob struct {
	Info
	io.ReadSeekCloser
}

// Headers are how a blob is served.
type Headers struct {
	ContentType string
	Disposition string
}

var (
	// ErrNotFound says that there is no such blob.
	ErrNotFound = errors.New("blob: not found")
	// ErrUnavailable says that the store does not answer, or not as it should.
	ErrUnavailable = errs.New(errs.Unavailable, "files.storage_unavailable", "Files cannot be reached at the moment. Try again in a moment.").After(5 * time.Second)
)

// Config says where blobs are kept. The names are those that S3 tools know.
type Config struct {
	// Provider is "local" unless set, or "s3".
	Provider string `env:"FILE_STORAGE_PROVIDER"`
	// Bucket is the S3 bucket. Its objects are private: people reach them by signed addresses.
	Bucket string `env:"AWS_S3_BUCKET"`
	// AccessKey is the id of the access key.
	AccessKey string `env:"AWS_ACCESS_KEY_ID"`
	// SecretKey is the access key's secret.
	SecretKey string `env:"AWS_SECRET_ACCESS_KEY"`
	// Region is where the bucket is; us-east-1 unless set.
	Region string `env:"AWS_REGION"`
	// Endpoint is the address of a store that speaks S3 but is not Amazon's, such as
	// https://minio.example.com.
	Endpoint string `env:"AWS_ENDPOINT_URL_S3"`
	// Folder is where local blobs are; "files" in the data folder unless set.
	Folder string `env:"FILE_STORAGE_FOLDER"`
}

// Check completes the configuration and refuses what makes no sense.
func (c *Config) Check() error {
	if c.Provider == "" {
		c.Provider = "local"
	}
	if c.Region == "" {
		c.Region = "us-east-1"
	}
	switch c.Provider {
	case "local":
		return nil
	case "s3":
	default:
		return errors.New(`FILE_STORAGE_PROVIDER must be "local" or "s3", not "` + c.Provider + `"`)
	}
	for name, value := range map[string]string{"AWS_S3_BUCKET": c.Bucket, "AWS_ACCESS_KEY_ID": c.AccessKey, "AWS_SECRET_ACCESS_KEY": c.SecretKey} {
		if value == "" {
			return errors.New(name + " must be set with FILE_STORAGE_PROVIDER=s3")
		}
	}
	u, err := url.Parse(c.endpoint())
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" || strings.Trim(u.Path, "/") != "" {
		return errors.New("AWS_ENDPOINT_URL_S3 must be like https://minio.example.com, not " + c.Endpoint)
	}
	return nil
}

func (c Config) endpoint() string {
	if c.Endpoint == "" {
		return "https://s3." + c.Region + ".amazonaws.com"
	}
	return c.Endpoint
}

// Origin is where browsers fetch blobs from by signed addresses: empty when that is the
// product itself.
func (c Config) Origin() string {
	if c.Provider != "s3" {
		return ""
	}
	u, err := url.Parse(c.endpoint())
	if err != nil {
		return ""
	}
	if c.Endpoint == "" {
		return u.Scheme + "://" + c.Bucket + "." + u.Host
	}
	return u.Scheme + "://" + u.Host
}

// Open returns the store. It asks nothing of it yet: a store that is away keeps nobody
// from starting.
func Open(c Config) (Store, error) {
	if c.Provider == "s3" {
		return newS3(c)
	}
	return newLocal(c.Folder)
}

// source remembers how reading ended, to tell a sender's failure from the store's.
type source struct {
	r   io.Reader
	n   int64
	err error
}

func (s *source) Read(p []byte) (int, error) {
	n, err := s.r.Read(p)
	s.n += int64(n)
	if err != nil && err != io.EOF {
		s.err = err
	}
	return n, err
}

// failure is what became of a Put: what the sender did wrong, else what the store did.
func (s *source) failure(err error) error {
	switch {
	case s.err != nil:
		return s.err
	case err == nil:
		return nil
	}
	return ErrUnavailable.Because(err)
}
