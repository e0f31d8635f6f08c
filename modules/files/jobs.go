package files

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/tenonhq/tenon/internal/imaging"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/modules/audit"
	"github.com/tenonhq/tenon/modules/orgs"
	"github.com/tenonhq/tenon/platform/blob"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/jobs"
)

// Process makes the variants of a picture.
type Process struct{ About }

// Kind names the job.
func (Process) Kind() string { return "files.process" }

// Remove removes the bytes of a file that is gone.
type Remove struct{ About }

// Kind names the job.
func (Remove) Kind() string { return "files.remove" }

// RemoveAvatar removes a portrait that another one, or none, has replaced.
type RemoveAvatar struct {
	AccountID id.Account `json:"account_id"`
	AvatarID  AvatarID   `json:"avatar_id"`
}

// Kind names the job.
func (RemoveAvatar) Kind() string { return "files.remove_avatar" }

// Scope says whose rows the job works on.
func (r RemoveAvatar) Scope() jobs.Scope { return jobs.OfAccount(r.AccountID) }

// Sweep removes what nobody finished or refers to, and reports files whose bytes are lost.
type Sweep struct{}

// Kind names the job.
func (Sweep) Kind() string { return "files.sweep" }

// Scope says whose rows the job works on.
func (Sweep) Scope() jobs.Scope { return jobs.OnPlatform("files of everybody, and the blobs of none") }

func (s *Service) process(ctx context.Context, c db.Conn, job Process) error {
	f, err := fileByID(ctx, c, job.OrgID, job.FileID)
	if errors.Is(err, ErrNotFound) || err == nil && f.Status != Processing {
		return nil
	}
	if err != nil {
		return err
	}
	source, err := s.fetch(ctx, f)
	if errors.Is(err, blob.ErrNotFound) {
		return s.lost(ctx, c, f)
	}
	if err != nil {
		return err
	}
	made, err := s.pictured(ctx, f, source)
	if errors.Is(err, imaging.ErrTooLarge) || errors.Is(err, imaging.ErrBroken) {
		s.Log.InfoContext(ctx, "a picture has no variants", "file", f.ID.String(), "reason", err)
		made, err = []Variant{}, nil
	}
	if err := errors.Join(err, source.Close()); err != nil {
		return err
	}
	n, err := setVariants(ctx, c, f, made, s.Now())
	if err == nil && n == 0 { // it was deleted meanwhile
		err = s.removeAll(ctx, folder(f.org, f.ID))
	}
	return err
}

// fetch copies the bytes of a file to where they can be read again and again, and makes
// sure that they are those that were stored.
func (s *Service) fetch(ctx context.Context, f File) (*os.File, error) {
	b, err := s.Store.Open(ctx, key(f.org, f.ID, uploaded))
	if err != nil {
		return nil, err
	}
	hash := sha256.New()
	spool, size, err := blob.Spool(io.TeeReader(b, hash))
	if err := errors.Join(err, b.Close()); err != nil {
		return nil, err
	}
	sum, err := cleanSum(f.SHA256)
	if err == nil && (size != f.Size || !bytes.Equal(hash.Sum(nil), sum)) {
		err = blob.ErrUnavailable.Because(fmt.Errorf("the store returns %d bytes of %s that are not those it was given", size, f.ID))
	}
	if err != nil {
		return nil, errors.Join(err, spool.Close())
	}
	return spool, nil
}

// pictured stores the pictures that are made of a picture.
func (s *Service) pictured(ctx context.Context, f File, source *os.File) (made []Variant, err error) {
	format := imaging.Format(f.ContentType)
	err = s.pictures.With(source, format, func(p imaging.Picture) error {
		for _, v := range sides() {
			small := p.Fit(v.side)
			if err := s.addVariant(ctx, &made, f, v.name, small.Format(), small, small.Write); err != nil {
				return err
			}
		}
		if format == imaging.GIF { // as it moves
			return s.addVariant(ctx, &made, f, clean, imaging.GIF, p, func(w io.Writer) error { return s.pictures.CleanGIF(w, source) })
		}
		return s.addVariant(ctx, &made, f, clean, p.Format(), p, p.Write)
	})
	return made, err
}

func (s *Service) addVariant(ctx context.Context, made *[]Variant, f File, name string, format imaging.Format, p imaging.Picture, write func(io.Writer) error) error {
	size, err := s.pour(ctx, key(f.org, f.ID, name), write)
	if err != nil {
		return err
	}
	b := p.Pixels.Bounds()
	*made = append(*made, Variant{Name: name, ContentType: string(format), Width: b.Dx(), Height: b.Dy(), Size: size})
	return nil
}

// pour stores what write writes, while it does.
func (s *Service) pour(ctx context.Context, key string, write func(io.Writer) error) (size int64, err error) {
	r, w := io.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = w.CloseWithError(write(w)) // it never fails
	}()
	n := &counted{r: r}
	err = s.Store.Put(ctx, key, n)
	_ = r.CloseWithError(errors.Join(err, io.ErrClosedPipe)) // it never fails
	<-done
	return n.n, err
}

type counted struct {
	r io.Reader
	n int64
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += int64(n)
	return n, err
}

// lost writes down that the bytes of a file are not there. The row stays: whoever uploaded
// it should learn of it, and an operator may still find them.
func (s *Service) lost(ctx context.Context, c db.Conn, f File) error {
	s.Log.ErrorContext(ctx, "the bytes of a file are lost", "file", f.ID.String(), "org", f.org.String(), "key", key(f.org, f.ID, uploaded))
	return c.Tx(ctx, func(tx *db.Tx) error {
		n, err := setMissing(ctx, tx, f, s.Now())
		if err != nil || n == 0 {
			return err
		}
		return s.Audit.In(tx).Record(ctx, audit.Entry{Event: Lost{f.about()}, Target: f.target()})
	})
}

func (s *Service) remove(ctx context.Context, _ db.Conn, job Remove) error {
	return errors.Join(s.removeAll(ctx, folder(job.OrgID, job.FileID)), s.Store.Delete(ctx, incoming(job.OrgID, job.FileID)))
}

func (s *Service) removeAvatar(ctx context.Context, _ db.Conn, job RemoveAvatar) error {
	return s.Store.Delete(ctx, avatarKey(job.AvatarID))
}

// removeAll removes all blobs in a folder.
func (s *Service) removeAll(ctx context.Context, folder string) error {
	return s.Store.Walk(ctx, folder, func(b blob.Info) error { return s.Store.Delete(ctx, b.Key) })
}

func (s *Service) onOrgPurged(ctx context.Context, c db.Conn, e orgs.Purged) error {
	if err := deleteFilesOf(ctx, c, e.OrgID); err != nil {
		return err
	}
	return errors.Join(s.removeAll(ctx, orgFolder(e.OrgID)), s.removeAll(ctx, incomingFolder(e.OrgID)))
}

// onAccountUpdated removes a portrait that its owner no longer shows.
func (s *Service) onAccountUpdated(ctx context.Context, c db.Conn, e accounts.Updated) error {
	avatar, err := avatarOf(ctx, c, e.AccountID)
	if err != nil {
		return db.NoRows(err, nil)
	}
	a, err := s.Accounts.Get(ctx, e.AccountID)
	if errors.Is(err, accounts.ErrNotFound) {
		return nil // it was erased, and its portrait with it
	}
	if err != nil || a.AvatarURL == s.PublicURL()+avatarPath(avatar) {
		return err
	}
	if err := s.Store.Delete(ctx, avatarKey(avatar)); err != nil {
		return err
	}
	return deleteAvatar(ctx, c, e.AccountID)
}

// undecided is how old something must be before the sweep judges it: what is on its way
// has no row yet, and no blob.
const undecided = time.Hour

func (s *Service) sweep(ctx context.Context, c db.Conn, _ Sweep) error {
	forgotten, err := s.forgetAnnounced(ctx, c)
	if err != nil {
		return err
	}
	w := &sweeper{s: s, c: c, rows: rows{s: s, c: c}}
	for _, walk := range []func(context.Context) error{w.files, w.incoming, w.avatars} {
		if err := walk(ctx); err != nil {
			return err
		}
	}
	if forgotten+w.orphans+w.rows.lost > 0 {
		s.Log.InfoContext(ctx, "files swept", "never_arrived", forgotten, "orphans_removed", w.orphans, "lost", w.rows.lost)
	}
	return nil
}

const perBatch = 500

// forgetAnnounced removes files that were announced and never came.
func (s *Service) forgetAnnounced(ctx context.Context, c db.Conn) (n int, err error) {
	for {
		late, err := expired(ctx, c, s.Now(), perBatch)
		if err != nil || len(late) == 0 {
			return n, err
		}
		for _, f := range late {
			err := c.Tx(ctx, func(tx *db.Tx) error { return s.forget(ctx, tx, f) })
			if err != nil && !errors.Is(err, ErrNotFound) {
				return n, err
			}
			n++
		}
	}
}

// sweeper compares what is stored with what is written down.
type sweeper struct {
	s       *Service
	c       db.Conn
	rows    rows
	orphans int
}

// drop removes a blob that nothing refers to, unless it may still be on its way.
func (w *sweeper) drop(ctx context.Context, b blob.Info) error {
	if w.s.Now().Sub(b.Modified) < undecided {
		return nil
	}
	w.orphans++
	return w.s.Store.Delete(ctx, b.Key)
}

// files walks rows and blobs side by side, both in the order of their ids: a blob without
// a row is removed, a row without a blob is reported.
func (w *sweeper) files(ctx context.Context) error {
	err := w.s.Store.Walk(ctx, ofOrgs, func(b blob.Info) error {
		org, file, variant, ok := parseKey(b.Key)
		if !ok {
			return nil // not ours to judge
		}
		f, err := w.rows.at(ctx, org, file)
		switch {
		case err != nil:
			return err
		case f == nil:
			return w.drop(ctx, b)
		case variant == theFile:
			w.rows.found = true
		case f.Status == Ready && !f.has(variant):
			return w.drop(ctx, b)
		}
		return nil
	})
	if err != nil {
		return err
	}
	return w.rows.rest(ctx)
}

// incoming removes what was sent, and never completed.
func (w *sweeper) incoming(ctx context.Context) error {
	return w.s.Store.Walk(ctx, onTheWay, func(b blob.Info) error {
		if w.s.Now().Sub(b.Modified) < w.s.Config.LinkLife+keepAnnounced {
			return nil
		}
		return w.drop(ctx, b)
	})
}

// avatars removes portraits that nobody has.
func (w *sweeper) avatars(ctx context.Context) error {
	return w.s.Store.Walk(ctx, ofPeople, func(b blob.Info) error {
		avatar, err := id.Parse[avatarKind](strings.TrimPrefix(b.Key, ofPeople))
		if err != nil {
			return nil // not ours to judge
		}
		if known, err := avatarExists(ctx, w.c, avatar); err != nil || known {
			return err
		}
		return w.drop(ctx, b)
	})
}

func (f File) has(variant string) bool { _, ok := f.variant(variant); return ok }

// parseKey reads what key wrote.
func parseKey(key string) (org id.Org, file ID, variant string, ok bool) {
	parts := strings.Split(key, "/")
	if len(parts) != 4 {
		return
	}
	org, err := id.Parse[id.OrgKind](parts[1])
	file, ferr := id.Parse[fileKind](parts[2])
	return org, file, parts[3], err == nil && ferr == nil
}

// rows reads all files in the order of their ids, page by page.
type rows struct {
	s     *Service
	c     db.Conn
	page  []File
	last  File
	ended bool
	found bool // the bytes of the first of page were seen
	lost  int
}

// at goes on to a file, and returns it, or nil if there is none.
func (r *rows) at(ctx context.Context, org id.Org, file ID) (*File, error) {
	for {
		f, err := r.current(ctx)
		if err != nil || f == nil {
			return nil, err
		}
		switch order := f.order(org, file); {
		case order == 0:
			return f, nil
		case order > 0:
			return nil, nil
		}
		if err := r.next(ctx); err != nil {
			return nil, err
		}
	}
}

func (r *rows) rest(ctx context.Context) error {
	for {
		f, err := r.current(ctx)
		if err != nil || f == nil {
			return err
		}
		if err := r.next(ctx); err != nil {
			return err
		}
	}
}

func (f File) order(org id.Org, file ID) int {
	if o := bytes.Compare(f.org[:], org[:]); o != 0 {
		return o
	}
	return bytes.Compare(f.ID[:], file[:])
}

func (r *rows) current(ctx context.Context) (*File, error) {
	if len(r.page) == 0 && !r.ended {
		page, err := filesAfter(ctx, r.c, r.last, perBatch)
		if err != nil {
			return nil, err
		}
		r.page, r.ended = page, len(page) == 0
	}
	if r.ended {
		return nil, nil
	}
	return &r.page[0], nil
}

// next leaves a file behind, and judges it if its bytes were not seen.
func (r *rows) next(ctx context.Context) error {
	f, found := r.page[0], r.found
	r.page, r.last, r.found = r.page[1:], f, false
	if found || !f.Status.there() || r.s.Now().Sub(f.CreatedAt) < undecided {
		return nil
	}
	b, err := r.s.Store.Open(ctx, key(f.org, f.ID, uploaded)) // it may have come since the listing
	if err == nil {
		return b.Close()
	}
	if !errors.Is(err, blob.ErrNotFound) {
		return err
	}
	r.lost++
	return r.s.lost(ctx, r.c, f)
}
