package files

import (
	"context"
	"errors"
	"io"

	"github.com/tenonhq/tenon/internal/imaging"
	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/blob"
	"github.com/tenonhq/tenon/platform/db"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/web"
)

const (
	// maxPortrait is how large a picture may be that a portrait is made of, in bytes.
	maxPortrait = 10 << 20
	// portraitSide is how large portraits are, in pixels.
	portraitSide = 256
)

// SetAvatar makes a portrait of a picture, and shows it beside the caller's name. The
// picture itself is not kept.
func (s *Service) SetAvatar(ctx context.Context, r io.Reader) (accounts.Account, error) {
	avatar, who := id.New[avatarKind](), authz.From(ctx).Account
	if err := s.portrait(ctx, avatar, r); err != nil {
		return accounts.Account{}, err
	}
	var out accounts.Account
	err := s.DB.Account(who).Tx(ctx, func(tx *db.Tx) error {
		old, err := avatarOf(ctx, tx, who)
		if err := db.NoRows(err, nil); err != nil {
			return err
		}
		if err := replaceAvatar(ctx, tx, who, avatar, s.Now()); err != nil {
			return err
		}
		a, err := s.Accounts.In(tx).SetPicture(ctx, who, s.PublicURL()+avatarPath(avatar))
		if err != nil {
			return err
		}
		if !old.IsZero() {
			if err := s.Jobs.Enqueue(ctx, tx, RemoveAvatar{who, old}); err != nil {
				return err
			}
		}
		out = a
		return nil
	})
	if err != nil {
		return out, errors.Join(err, s.Store.Delete(context.WithoutCancel(ctx), avatarKey(avatar)))
	}
	return out, nil
}

// portrait stores the middle of a picture.
func (s *Service) portrait(ctx context.Context, avatar AvatarID, r io.Reader) error {
	in, err := s.inspect(r)
	if errors.Is(err, ErrType) {
		return ErrNoPicture
	}
	if err != nil {
		return err
	}
	if !imaging.Readable(in.contentType) {
		return ErrNoPicture
	}
	in.limit = maxPortrait
	spool, _, err := blob.Spool(in)
	if err != nil {
		return err
	}
	err = s.pictures.With(spool, imaging.Format(in.contentType), func(p imaging.Picture) error {
		_, err := s.pour(ctx, avatarKey(avatar), p.Square(portraitSide).Write)
		return err
	})
	switch {
	case errors.Is(err, imaging.ErrTooLarge):
		err = ErrPicture.Because(err)
	case errors.Is(err, imaging.ErrBroken):
		err = ErrNoPicture.Because(err)
	}
	return errors.Join(err, spool.Close())
}

// RemoveAvatar takes the caller's portrait, or the picture they have elsewhere, away.
func (s *Service) RemoveAvatar(ctx context.Context) error {
	who := authz.From(ctx).Account
	return s.DB.Account(who).Tx(ctx, func(tx *db.Tx) error {
		old, err := avatarOf(ctx, tx, who)
		if err := db.NoRows(err, nil); err != nil {
			return err
		}
		if _, err := s.Accounts.In(tx).SetPicture(ctx, who, ""); err != nil || old.IsZero() {
			return err
		}
		return errors.Join(deleteAvatar(ctx, tx, who), s.Jobs.Enqueue(ctx, tx, RemoveAvatar{who, old}))
	})
}

// Avatar returns a portrait. Its address is known to those who see the name beside it.
func (s *Service) Avatar(ctx context.Context, avatar AvatarID) (*web.File, error) {
	b, err := s.Store.Open(ctx, avatarKey(avatar))
	if errors.Is(err, blob.ErrNotFound) {
		return nil, ErrNotFound
	}
	if err != nil {
		return nil, err
	}
	head := make([]byte, 512)
	n, err := io.ReadFull(b, head)
	if err == nil || errors.Is(err, io.ErrUnexpectedEOF) {
		_, err = b.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, errors.Join(blob.ErrUnavailable.Because(err), b.Close())
	}
	return &web.File{Content: b, ContentType: typeOf(head[:n]), Name: "portrait", Inline: true, Modified: b.Modified, ETag: avatar.String(), Forever: true}, nil
}

// erase removes the portrait of somebody who is erased.
func (s *Service) erase(ctx context.Context, c db.Conn, p db.Person) error {
	avatar, err := avatarOf(ctx, c, p.Account)
	if err != nil {
		return db.NoRows(err, nil)
	}
	return s.Store.Delete(ctx, avatarKey(avatar))
}
