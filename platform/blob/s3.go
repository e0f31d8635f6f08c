package blob

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// s3 keeps blobs as private objects of a bucket.
type s3 struct {
	client *minio.Client
	bucket string
	slots  chan struct{} // a store that hangs holds so many requests, and no more
}

const (
	// atOnce is how many operations of one process wait for the store.
	atOnce = 128
	// answerWithin is how long the store may take to answer what moves no bytes of a blob.
	answerWithin = 15 * time.Second
	// stallsAfter is how long bytes may stand still.
	stallsAfter = 30 * time.Second
	// slowest is how many bytes a second the store takes at least.
	slowest = 512 << 10
)

func newS3(c Config) (*s3, error) {
	u, err := url.Parse(c.endpoint())
	if err != nil {
		return nil, fmt.Errorf("AWS_ENDPOINT_URL_S3: %w", err)
	}
	lookup := minio.BucketLookupDNS
	if c.Endpoint != "" {
		lookup = minio.BucketLookupPath
	}
	client, err := minio.New(u.Host, &minio.Options{
		Creds: credentials.NewStaticV4(c.AccessKey, c.SecretKey, ""), Secure: u.Scheme == "https", Region: c.Region, BucketLookup: lookup,
		MaxRetries: 3, // of what can be sent again
		Transport: &http.Transport{
			Proxy:                 http.ProxyFromEnvironment,
			DialContext:           (&net.Dialer{Timeout: 5 * time.Second, KeepAlive: 15 * time.Second}).DialContext,
			TLSHandshakeTimeout:   5 * time.Second,
			ResponseHeaderTimeout: answerWithin,
			MaxIdleConnsPerHost:   atOnce,
			IdleConnTimeout:       time.Minute,
			DisableCompression:    true, // a blob is served as it was stored
		},
	})
	if err != nil {
		return nil, fmt.Errorf("S3: %w", err)
	}
	return &s3{client, c.Bucket, make(chan struct{}, atOnce)}, nil
}

var errBusy = errors.New("too many operations wait for the store")

// enter takes a slot, which leave gives back.
func (s *s3) enter() (leave func(), err error) {
	select {
	case s.slots <- struct{}{}:
		return func() { <-s.slots }, nil
	default:
		return nil, ErrUnavailable.Because(errBusy)
	}
}

// outcome sorts the errors of the client.
func outcome(err error) error {
	switch code := minio.ToErrorResponse(err).Code; {
	case err == nil:
		return nil
	case code == minio.NoSuchKey || code == "NotFound":
		return ErrNotFound
	}
	return ErrUnavailable.Because(err)
}

// Put collects the bytes in a file first: their number is known then, so that nothing is
// held in memory and no half of a blob is ever stored.
func (s *s3) Put(ctx context.Context, key string, r io.Reader) (err error) {
	from := &source{r: r}
	spool, size, err := Spool(from)
	if err != nil {
		return from.failure(err)
	}
	defer func() { err = errors.Join(err, spool.Close()) }()
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, answerWithin+time.Duration(size/slowest+1)*time.Second)
	defer cancel()
	if _, err := s.client.PutObject(ctx, s.bucket, key, spool, size, minio.PutObjectOptions{ContentType: "application/octet-stream", DisableMultipart: true}); err != nil {
		return outcome(err)
	}
	return s.check(ctx, key, size)
}

// check asks whether the store has what it said it has.
func (s *s3) check(ctx context.Context, key string, size int64) error {
	info, err := s.client.StatObject(ctx, s.bucket, key, minio.StatObjectOptions{})
	if err != nil {
		return ErrUnavailable.Because(fmt.Errorf("stored, but not there: %w", err))
	}
	if info.Size != size {
		return ErrUnavailable.Because(fmt.Errorf("stored %d bytes, and %d are there", size, info.Size))
	}
	return nil
}

// Spool copies r into a file that has no name, and so is gone with the process at the latest.
func Spool(r io.Reader) (*os.File, int64, error) {
	f, err := os.CreateTemp("", "tenon-spool-")
	if err != nil {
		return nil, 0, err
	}
	err = os.Remove(f.Name())
	size := int64(0)
	if err == nil {
		size, err = io.Copy(f, r)
	}
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, 0, errors.Join(err, f.Close())
	}
	return f, size, nil
}

func (s *s3) Open(ctx context.Context, key string) (*Blob, error) {
	leave, err := s.enter()
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	watch := time.AfterFunc(stallsAfter, cancel)
	object, err := s.client.GetObject(ctx, s.bucket, key, minio.GetObjectOptions{})
	if err == nil {
		info, serr := object.Stat()
		if serr == nil {
			return &Blob{Info{key, info.Size, info.LastModified}, &watched{object, watch, func() { cancel(); leave() }}}, nil
		}
		err = serr
		_ = object.Close() // it was never read
	}
	watch.Stop()
	cancel()
	leave()
	return nil, outcome(err)
}

// watched is an object whose reading is cut off when it stands still.
type watched struct {
	*minio.Object
	watch *time.Timer
	done  func()
}

func (w *watched) Read(p []byte) (int, error) {
	w.watch.Reset(stallsAfter)
	n, err := w.Object.Read(p)
	if err != nil && err != io.EOF {
		err = ErrUnavailable.Because(err)
	}
	return n, err
}

func (w *watched) Close() error {
	w.watch.Stop()
	defer w.done()
	return w.Object.Close()
}

// quick runs an operation that moves no bytes through this process.
func (s *s3) quick(ctx context.Context, fn func(context.Context) error) error {
	leave, err := s.enter()
	if err != nil {
		return err
	}
	defer leave()
	ctx, cancel := context.WithTimeout(ctx, answerWithin)
	defer cancel()
	return outcome(fn(ctx))
}

func (s *s3) Move(ctx context.Context, from, to string) error {
	return s.quick(ctx, func(ctx context.Context) error {
		_, err := s.client.CopyObject(ctx, minio.CopyDestOptions{Bucket: s.bucket, Object: to}, minio.CopySrcOptions{Bucket: s.bucket, Object: from})
		if err != nil {
			return err
		}
		return s.client.RemoveObject(ctx, s.bucket, from, minio.RemoveObjectOptions{})
	})
}

func (s *s3) Delete(ctx context.Context, key string) error {
	return s.quick(ctx, func(ctx context.Context) error {
		return s.client.RemoveObject(ctx, s.bucket, key, minio.RemoveObjectOptions{})
	})
}

func (s *s3) Walk(ctx context.Context, prefix string, fn func(Info) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel() // ends the listing when fn does
	for object := range s.client.ListObjects(ctx, s.bucket, minio.ListObjectsOptions{Prefix: prefix, Recursive: true}) {
		if object.Err != nil {
			return outcome(object.Err)
		}
		if err := fn(Info{object.Key, object.Size, object.LastModified}); err != nil {
			return err
		}
	}
	return ctx.Err()
}

// SignGet leaves the answer's headers in the store's hands, which adds none of ours: what
// a browser must not show is an attachment, and the address is another origin.
func (s *s3) SignGet(ctx context.Context, key string, h Headers, life time.Duration) (string, error) {
	u, err := s.client.PresignedGetObject(ctx, s.bucket, key, life, url.Values{
		"response-content-type": {h.ContentType}, "response-content-disposition": {h.Disposition}, "response-cache-control": {"private, no-store"},
	})
	if err != nil {
		return "", ErrUnavailable.Because(err)
	}
	return u.String(), nil
}

// SignPut signs size and type along: the store refuses others (AWS Signature Version 4).
func (s *s3) SignPut(ctx context.Context, key, contentType string, size int64, life time.Duration) (string, http.Header, error) {
	signed := http.Header{"Content-Type": {contentType}, "Content-Length": {strconv.FormatInt(size, 10)}}
	u, err := s.client.PresignHeader(ctx, http.MethodPut, s.bucket, key, life, nil, signed)
	if err != nil {
		return "", nil, ErrUnavailable.Because(err)
	}
	if !strings.Contains(u.Query().Get("X-Amz-SignedHeaders"), "content-length") {
		return "", nil, ErrUnavailable.Because(errors.New("the length was not signed"))
	}
	return u.String(), signed, nil
}
