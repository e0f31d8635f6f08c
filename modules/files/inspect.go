package files

import (
	"bufio"
	"crypto/sha256"
	"errors"
	"hash"
	"io"
	"mime"
	"path"
	"strings"

	"github.com/gabriel-vasile/mimetype"

	"github.com/tenonhq/tenon/internal/imaging"
)

// inspected is a file that is being read: what it is, is known from its first bytes, its
// size and checksum at its end.
type inspected struct {
	r           io.Reader
	contentType string
	limit       int64
	size        int64
	hash        hash.Hash
}

// looksAt is how many bytes tell what a file is.
const looksAt = 64 << 10

// inspect looks at the first bytes of a file, and refuses what is not taken here.
func (s *Service) inspect(r io.Reader) (*inspected, error) {
	b := bufio.NewReaderSize(r, looksAt)
	head, err := b.Peek(looksAt)
	switch {
	case err != nil && !errors.Is(err, io.EOF):
		return nil, err
	case len(head) == 0:
		return nil, ErrEmpty
	}
	in := &inspected{r: b, contentType: typeOf(head), limit: s.Config.MaxSize, hash: sha256.New()}
	if !s.Config.takes(in.contentType) {
		return nil, ErrType.With("content_type", in.contentType)
	}
	if imaging.Readable(in.contentType) && s.pictures.Check(head, imaging.Format(in.contentType)) != nil {
		return nil, ErrPicture
	}
	return in, nil
}

func (i *inspected) Read(p []byte) (int, error) {
	n, err := i.r.Read(p)
	i.size += int64(n)
	if i.size > i.limit {
		return 0, ErrTooLarge
	}
	i.hash.Write(p[:n])
	return n, err
}

// typeOf is the media type of a file by its content, without parameters.
func typeOf(head []byte) string {
	kind, _, err := mime.ParseMediaType(mimetype.Detect(head).String())
	if err != nil {
		return "application/octet-stream"
	}
	return kind
}

// first is the state of a file whose bytes have arrived.
func first(contentType string) Status {
	if imaging.Readable(contentType) {
		return Processing
	}
	return Ready
}

// named is what a variant is saved as: the file's name, with the ending of what it is.
func (v Variant) named(name string) string {
	stem := strings.TrimSuffix(name, path.Ext(name))
	ending := map[string]string{"image/jpeg": ".jpg", "image/png": ".png", "image/gif": ".gif"}[v.ContentType]
	if v.Name == clean {
		return stem + ending
	}
	return stem + "-" + v.Name + ending
}
