package files

import (
	"bytes"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"github.com/tenonhq/tenon/internal/imaging"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/blob"
	"github.com/tenonhq/tenon/platform/clock"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
	"github.com/tenonhq/tenon/platform/secret"
	"github.com/tenonhq/tenon/platform/web"
)

// Deps is what the module needs. Every field is required.
type Deps struct {
	DB        *db.DB
	Audit     *audit.Service
	Accounts  *accounts.Service
	Jobs      *jobs.Queue
	Keys      *secret.Keyring
	Store     blob.Store
	Config    Config
	PublicURL func() string
	Now       clock.Now
	Log       *slog.Logger
}

// Service is what other modules may call.
type Service struct {
	Deps
	pictures *imaging.Decoder
}

// New returns the service of files.
func New(d Deps) *Service { return &Service{d, imaging.NewDecoder(d.Config.MaxPixels)} }

// In returns the service bound to a transaction.
func (s *Service) In(tx *db.Tx) *Service {
	bound := *s
	bound.DB = s.DB.In(tx)
	return &bound
}

// List lists an organization's files, newest first; search finds part of a name.
func (s *Service) List(ctx context.Context, org id.Org, search string, after *place, n int) ([]File, error) {
	return listFiles(ctx, s.DB.Org(org), org, search, after, n)
}

// Get returns a file of an organization, or ErrNotFound.
func (s *Service) Get(ctx context.Context, org id.Org, file ID) (File, error) {
	return fileByID(ctx, s.DB.Org(org), org, file)
}

// Usage is what an organization's files take, and may take.
func (s *Service) Usage(ctx context.Context, org id.Org) (Usage, error) {
	u, err := usageOf(ctx, s.DB.Org(org), org)
	u.MaxFileBytes, u.ContentTypes = s.Config.MaxSize, s.Config.Types
	if s.Config.Quota >= 0 {
		u.QuotaBytes = &s.Config.Quota
	}
	return u, err
}

// Upload stores what r has as a file of the organization, while it arrives: it is there
// whole, or not at all.
func (s *Service) Upload(ctx context.Context, org id.Org, name string, r io.Reader) (File, error) {
	u, err := s.Usage(ctx, org)
	if err != nil {
		return File{}, err
	}
	if u.QuotaBytes != nil && u.Bytes >= *u.QuotaBytes {
		return File{}, ErrQuota
	}
	in, err := s.inspect(r)
	if err != nil {
		return File{}, err
	}
	f := s.file(ctx, org, name, in.contentType)
	if err := s.Store.Put(ctx, key(org, f.ID, uploaded), in); err != nil {
		return File{}, err
	}
	f.Size, f.SHA256, f.Status = in.size, hex.EncodeToString(in.hash.Sum(nil)), first(in.contentType)
	if err := s.keep(ctx, f); err != nil {
		return File{}, errors.Join(err, s.Store.Delete(context.WithoutCancel(ctx), key(org, f.ID, uploaded)))
	}
	return f, nil
}

// file is a new file of the caller's.
func (s *Service) file(ctx context.Context, org id.Org, name, contentType string) File {
	who, now := authz.From(ctx).Account, s.Now()
	return File{ID: id.New[fileKind](), Name: cleanName(name), ContentType: contentType, Variants: []Variant{}, AccountID: &who, CreatedAt: now, UpdatedAt: now, org: org}
}

// keep writes down a file whose bytes are stored.
func (s *Service) keep(ctx context.Context, f File) error {
	sum, err := cleanSum(f.SHA256)
	if err != nil {
		return err
	}
	return s.DB.Org(f.org).Tx(ctx, func(tx *db.Tx) error {
		if err := charge(ctx, tx, f.org, f.Size, s.Config.Quota); err != nil {
			return err
		}
		if err := insertFile(ctx, tx, f, sum, time.Time{}); err != nil {
			return err
		}
		return s.there(ctx, tx, f)
	})
}

// there says that a file has arrived, and has pictures made of a picture.
func (s *Service) there(ctx context.Context, tx *db.Tx, f File) error {
	if err := s.Audit.In(tx).Record(ctx, audit.Entry{Event: Uploaded{f.about(), f.Size}, Target: f.target()}); err != nil {
		return err
	}
	if f.Status != Processing {
		return nil
	}
	return s.Jobs.Enqueue(ctx, tx, Process{f.about()})
}

// Announce makes room for a file that is sent straight to the store, and returns where to.
func (s *Service) Announce(ctx context.Context, org id.Org, n NewFile) (Announced, error) {
	sum, err := cleanSum(n.SHA256)
	switch {
	case err != nil:
		return Announced{}, err
	case n.Size > s.Config.MaxSize:
		return Announced{}, ErrTooLarge
	case !s.Config.takes(n.ContentType):
		return Announced{}, ErrType
	}
	f := s.file(ctx, org, n.Name, n.ContentType)
	f.Size, f.SHA256, f.Status = n.Size, n.SHA256, Uploading
	target, err := s.target(ctx, f)
	if err != nil {
		return Announced{}, err
	}
	err = s.DB.Org(org).Tx(ctx, func(tx *db.Tx) error {
		if err := charge(ctx, tx, org, f.Size, s.Config.Quota); err != nil {
			return err
		}
		return insertFile(ctx, tx, f, sum, f.CreatedAt.Add(s.Config.LinkLife+keepAnnounced))
	})
	return Announced{f, target}, err
}

// target is where the bytes of an announced file go: to the store itself, where that
// lets others in, else through us.
func (s *Service) target(ctx context.Context, f File) (t Target, err error) {
	t = Target{Method: http.MethodPut, Headers: map[string]string{"Content-Type": f.ContentType}, ExpiresIn: int(s.Config.LinkLife.Seconds())}
	if signer, ok := s.Store.(blob.Signer); ok {
		var h http.Header
		t.URL, h, err = signer.SignPut(ctx, incoming(f.org, f.ID), f.ContentType, f.Size, s.Config.LinkLife)
		for name := range h {
			t.Headers[name] = h.Get(name)
		}
		return t, err
	}
	text, err := s.sign(link{org: f.org, file: f.ID, purpose: write, until: s.Now().Add(s.Config.LinkLife)})
	t.URL, t.Headers["Content-Length"] = s.address(text), fmt.Sprint(f.Size)
	return t, err
}

func (s *Service) address(link string) string { return s.PublicURL() + web.Prefix + "/content/" + link }

// Receive takes the bytes of an announced file that a link stands for. They wait to be
// compared with what was announced.
func (s *Service) Receive(ctx context.Context, text string, up *web.Upload) error {
	l, err := s.read(text, false)
	if err != nil {
		return err
	}
	f, err := s.Get(ctx, l.org, l.file)
	switch {
	case err != nil:
		return err
	case f.Status != Uploading:
		return ErrCompleting
	case up.Size >= 0 && up.Size != f.Size || up.ContentType != f.ContentType:
		return ErrMismatch
	}
	return s.Store.Put(ctx, incoming(l.org, l.file), &exactly{up, f.Size})
}

// exactly is a reader that must have n more bytes.
type exactly struct {
	r io.Reader
	n int64
}

func (e *exactly) Read(p []byte) (int, error) {
	n, err := e.r.Read(p)
	e.n -= int64(n)
	if e.n < 0 || err == io.EOF && e.n > 0 {
		return n, ErrMismatch
	}
	return n, err
}

const (
	// keepAnnounced is how long after its link a file that was announced is waited for.
	keepAnnounced = time.Hour
	// abandonedAfter is when a comparison that did not end was broken off.
	abandonedAfter = 10 * time.Minute
)

// Complete compares what arrived with what was announced, and makes it a file. What
// differs is removed. Doing it again changes nothing.
func (s *Service) Complete(ctx context.Context, org id.Org, file ID) (File, error) {
	f, err := s.Get(ctx, org, file)
	switch {
	case err != nil:
		return f, err
	case !s.mine(ctx, f):
		return f, ErrNotYours
	case f.Status.there():
		return f, nil
	case f.Status == Missing:
		return f, ErrMissing
	}
	now := s.Now()
	if f, err = claim(ctx, s.DB.Org(org), org, file, now, now.Add(-abandonedAfter)); err != nil {
		return f, err
	}
	out, err := s.verified(ctx, f)
	ctx = context.WithoutCancel(ctx) // whoever asked may be gone
	switch errs.KindOf(err) {
	case errs.Invalid, errs.Unsupported, errs.TooLarge: // it is something else
		err = errors.Join(err, s.discard(ctx, f))
	default:
		if err != nil {
			err = errors.Join(err, release(ctx, s.DB.Org(org), f))
		}
	}
	return out, err
}

// verified makes a file of what arrived, if it is what was announced. From here on nobody
// can send other bytes to the place that is read.
func (s *Service) verified(ctx context.Context, f File) (File, error) {
	to := key(f.org, f.ID, uploaded)
	if err := s.Store.Move(ctx, incoming(f.org, f.ID), to); err != nil && !errors.Is(err, blob.ErrNotFound) {
		return f, err
	}
	b, err := s.Store.Open(ctx, to) // one that was moved before the process stopped is there too
	if errors.Is(err, blob.ErrNotFound) {
		return f, ErrNotUploaded
	}
	if err != nil {
		return f, err
	}
	in, err := s.inspect(b)
	if err == nil {
		_, err = io.Copy(io.Discard, in)
	}
	if err := errors.Join(err, b.Close()); err != nil {
		return f, err
	}
	sum := in.hash.Sum(nil)
	announced, err := cleanSum(f.SHA256)
	if err != nil {
		return f, err
	}
	if in.size != f.Size || in.contentType != f.ContentType || len(announced) > 0 && !bytes.Equal(sum, announced) {
		return f, ErrMismatch
	}
	out := f
	err = s.DB.Org(f.org).Tx(ctx, func(tx *db.Tx) error {
		now, err := arrived(ctx, tx, f, sum, first(f.ContentType), s.Now())
		if err != nil {
			return err
		}
		out = now
		return s.there(ctx, tx, now)
	})
	return out, err
}

// discard forgets a file that was announced, and what arrived for it.
func (s *Service) discard(ctx context.Context, f File) error {
	return s.DB.Org(f.org).Tx(ctx, func(tx *db.Tx) error { return s.forget(ctx, tx, f) })
}

// forget removes a row, and the bytes after it.
func (s *Service) forget(ctx context.Context, tx *db.Tx, f File) error {
	gone, err := deleteFile(ctx, tx, f.org, f.ID)
	if err != nil {
		return err
	}
	if err := discharge(ctx, tx, f.org, gone.Size); err != nil {
		return err
	}
	return s.Jobs.Enqueue(ctx, tx, Remove{f.about()})
}

// mine reports whether the caller may change a file: theirs, or everybody's.
func (s *Service) mine(ctx context.Context, f File) bool {
	who := authz.From(ctx).Account
	return !who.IsZero() && f.AccountID != nil && *f.AccountID == who || authz.MembershipFrom(ctx).Perms[PermManage]
}

// Delete removes a file: its row at once, its bytes right after.
func (s *Service) Delete(ctx context.Context, org id.Org, file ID) error {
	return s.DB.Org(org).Tx(ctx, func(tx *db.Tx) error {
		f, err := fileByID(ctx, tx, org, file)
		if err != nil {
			return err
		}
		if !s.mine(ctx, f) {
			return ErrNotYours
		}
		if err := s.forget(ctx, tx, f); err != nil {
			return err
		}
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: Deleted{f.about()}, Target: f.target()})
	})
}

// Address returns where a file, or a variant of it, can be fetched for a while: as an
// attachment, unless it is a picture and is asked for inline.
func (s *Service) Address(ctx context.Context, org id.Org, file ID, variant string, show bool) (Address, error) {
	f, err := s.Get(ctx, org, file)
	if err != nil {
		return Address{}, err
	}
	contentType, name, err := f.served(variant)
	if err != nil {
		return Address{}, err
	}
	a := Address{ExpiresIn: int(s.Config.LinkLife.Seconds())}
	show = show && inline(contentType)
	if signer, ok := s.Store.(blob.Signer); ok {
		a.URL, err = signer.SignGet(ctx, key(org, file, variant), blob.Headers{ContentType: contentType, Disposition: web.Disposition(name, show)}, s.Config.LinkLife)
		return a, err
	}
	text, err := s.sign(link{org: org, file: file, purpose: purposeOf(variant), inline: show, until: s.Now().Add(s.Config.LinkLife)})
	a.URL = s.address(text)
	return a, err
}

// served is as what a variant of a file is served.
func (f File) served(variant string) (contentType, name string, err error) {
	switch {
	case f.Status == Missing:
		return "", "", ErrMissing
	case !f.Status.there():
		return "", "", ErrNotReady
	case variant == uploaded:
		return f.ContentType, f.Name, nil
	}
	v, ok := f.variant(variant)
	if !ok {
		return "", "", ErrNoVariant
	}
	return v.ContentType, v.named(f.Name), nil
}

// Content returns the bytes that a link stands for.
func (s *Service) Content(ctx context.Context, text string) (*web.File, error) {
	l, err := s.read(text, true)
	if err != nil {
		return nil, err
	}
	f, err := s.Get(ctx, l.org, l.file)
	if err != nil {
		return nil, err
	}
	variant := variants()[l.purpose]
	contentType, name, err := f.served(variant)
	if err != nil {
		return nil, err
	}
	b, err := s.Store.Open(ctx, key(l.org, l.file, variant))
	if errors.Is(err, blob.ErrNotFound) {
		return nil, ErrMissing.Because(fmt.Errorf("no bytes of %s", f.ID))
	}
	if err != nil {
		return nil, err
	}
	return &web.File{Content: b, ContentType: contentType, Name: name, Inline: l.inline && inline(contentType), Modified: f.CreatedAt, ETag: f.SHA256 + variant}, nil
}
