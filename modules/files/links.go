package files

import (
	"encoding/base64"
	"encoding/binary"
	"errors"
	"slices"
	"time"

	"github.com/tenonhq/tenon/platform/id"
)

// link is what an address lets its bearer do: read one variant of a file, or send the
// bytes of one that was announced.
type link struct {
	org     id.Org
	file    ID
	purpose byte
	inline  bool
	until   time.Time
}

// The purposes of links.
const (
	readUpload byte = iota
	readThumbnail
	readPreview
	readClean
	write
)

// variants are what the purposes of reading read.
func variants() []string {
	return []string{readUpload: uploaded, readThumbnail: thumbnail, readPreview: preview, readClean: clean}
}

func purposeOf(variant string) byte { return byte(slices.Index(variants(), variant)) }

const (
	linkSize = 16 + 16 + 1 + 1 + 8
	tagSize  = 20
	linkMAC  = "files.link"
)

func (l link) bytes() []byte {
	b := append(append(make([]byte, 0, linkSize+tagSize), l.org[:]...), l.file[:]...)
	b = append(b, l.purpose, 0)
	if l.inline {
		b[len(b)-1] = 1
	}
	return binary.BigEndian.AppendUint64(b, uint64(l.until.Unix()))
}

// sign writes a link as it stands in an address.
func (s *Service) sign(l link) (string, error) {
	b := l.bytes()
	tag, err := s.Keys.MAC(linkMAC, b)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append(b, tag...)), nil
}

var errLink = errors.New("files: not a link of ours")

// read returns what a link allows: ErrNotFound for what we have not signed.
func (s *Service) read(text string, reading bool) (l link, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(b) != linkSize+tagSize || !s.Keys.CheckMAC(linkMAC, b[:linkSize], b[linkSize:]) {
		return l, ErrNotFound.Because(errLink)
	}
	copy(l.org[:], b)
	copy(l.file[:], b[16:])
	l.purpose, l.inline = b[32], b[33] == 1
	l.until = time.Unix(int64(binary.BigEndian.Uint64(b[34:])), 0)
	if reading == (l.purpose == write) {
		return l, ErrNotFound.Because(errors.New("the link is for something else"))
	}
	if !s.Now().Before(l.until) {
		return l, ErrLinkExpired
	}
	return l, nil
}
