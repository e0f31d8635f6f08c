package files

import (
	"context"
	"encoding/base64"
	"net/http"
	"time"

	"github.com/tenonhq/tenon/modules/accounts"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/blob"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
	"github.com/tenonhq/tenon/platform/ratelimit"
	"github.com/tenonhq/tenon/platform/web"
)

func (s *Service) routes(r *web.Router) {
	r.PathID("file", web.TypedID(func(ctx context.Context, file ID) (bool, error) {
		_, err := s.Get(ctx, orgOf(ctx), file)
		if errs.KindOf(err) == errs.NotFound {
			return false, nil
		}
		return err == nil, err
	}))
	r.PathID("link", web.PathID{Parse: func(text string) error {
		_, err := base64.RawURLEncoding.Strict().DecodeString(text)
		return err
	}})
	r.PathID("avatar", web.PathID{Parse: func(text string) error { _, err := id.Parse[avatarKind](text); return err }})

	web.HandleUpload(r, web.Op{
		ID: "files.upload", Method: http.MethodPost, Path: "/files/upload", Status: http.StatusCreated,
		Summary: "Upload a file",
		Description: "One file, in the field `file` of a multipart body. It is there whole, or not at all. Its type is found by its content. " +
			"Of a picture, smaller variants are made right after: its status is `processing` until then.",
		Access: authz.InChosenOrg(PermUpload), BodyLimit: s.Config.MaxSize,
		Errors: []*errs.Error{ErrTooLarge, ErrQuota, ErrType, ErrEmpty, ErrPicture, blob.ErrUnavailable},
	}, s.handleUpload)

	web.Handle(r, web.Op{
		ID: "files.presign", Method: http.MethodPost, Path: "/files/presign", Status: http.StatusCreated,
		Summary: "Announce a file that is sent straight to the store",
		Description: "Answers with an address that takes exactly the bytes that were announced, for a while: send them there with the method and the headers of `upload`, then complete the file. " +
			"It counts against the quota at once, and is forgotten when it does not come.",
		Access: authz.InChosenOrg(PermUpload), ShownOnce: []string{"upload"},
		Errors: []*errs.Error{ErrTooLarge, ErrQuota, ErrType, ErrSumMalformed},
	}, s.handlePresign)

	web.Handle(r, web.Op{
		ID: "files.complete", Method: http.MethodPost, Path: "/files/{file}/complete",
		Summary:     "Make a file of what was sent to the store",
		Description: "Compares size, type and checksum with what was announced. What differs is removed. Doing it again changes nothing.",
		Access:      authz.InChosenOrg(PermUpload),
		Errors:      []*errs.Error{ErrNotYours, ErrNotUploaded, ErrCompleting, ErrMismatch, ErrType, ErrPicture, blob.ErrUnavailable},
	}, s.handleComplete)

	web.Handle(r, web.Op{
		ID: "files.list", Method: http.MethodGet, Path: "/files",
		Summary: "List files", Description: "Newest first.",
		Access: authz.InChosenOrg(PermRead),
	}, s.handleList)

	web.Handle(r, web.Op{
		ID: "files.usage", Method: http.MethodGet, Path: "/files/usage",
		Summary: "Show how much room files take, and may take",
		Access:  authz.InChosenOrg(PermRead),
	}, s.handleUsage)

	web.Handle(r, web.Op{
		ID: "files.get", Method: http.MethodGet, Path: "/files/{file}",
		Summary: "Show what is known of a file",
		Access:  authz.InChosenOrg(PermRead),
	}, s.handleGet)

	web.Handle(r, web.Op{
		ID: "files.download", Method: http.MethodGet, Path: "/files/{file}/download",
		Summary: "Get an address to download a file from",
		Description: "Whoever has the address can fetch the file from it, in parts too (`Range`), until it expires. A file is an attachment, " +
			"except for a picture that is asked for inline.",
		Access: authz.InChosenOrg(PermRead),
		Errors: []*errs.Error{ErrNotReady, ErrMissing, ErrNoVariant},
	}, s.handleDownload)

	web.Handle(r, web.Op{
		ID: "files.delete", Method: http.MethodDelete, Path: "/files/{file}", Status: http.StatusNoContent,
		Summary: "Delete a file", Description: "One's own, or with `files.manage` anybody's. It cannot be undone.",
		Access: authz.InChosenOrg(PermUpload),
		Errors: []*errs.Error{ErrNotYours},
	}, s.handleDelete)

	web.HandleFile(r, web.Op{
		ID: "files.content", Method: http.MethodGet, Path: "/content/{link}",
		Summary: "Fetch a file by a link", Description: "The link says which file, and until when.",
		Access: authz.Public(), Errors: []*errs.Error{ErrNotFound, ErrLinkExpired, ErrNoVariant, ErrMissing, blob.ErrUnavailable},
	}, s.handleContent)

	web.HandleRaw(r, web.Op{
		ID: "files.receive", Method: http.MethodPut, Path: "/content/{link}", Status: http.StatusNoContent,
		Summary: "Send a file by a link", Description: "The bytes as they are, of the type and number that were announced.",
		Access: authz.Public(), BodyLimit: s.Config.MaxSize,
		Errors: []*errs.Error{ErrNotFound, ErrLinkExpired, ErrMismatch, ErrCompleting, blob.ErrUnavailable},
	}, s.handleReceive)

	web.HandleUpload(r, web.Op{
		ID: "files.set_avatar", Method: http.MethodPost, Path: "/users/me/avatar",
		Summary: "Upload your portrait", Description: "The middle of the picture, 256 by 256 pixels, is shown beside your name. The picture itself is not kept.",
		Access: authz.SignedIn(), BodyLimit: maxPortrait, Limit: ratelimit.Limit{Burst: 20, Per: time.Hour},
		Errors: []*errs.Error{ErrNoPicture, ErrPicture, ErrTooLarge, blob.ErrUnavailable},
	}, s.handleSetAvatar)

	web.Handle(r, web.Op{
		ID: "files.remove_avatar", Method: http.MethodDelete, Path: "/users/me/avatar", Status: http.StatusNoContent,
		Summary: "Remove your portrait",
		Access:  authz.SignedIn(),
	}, s.handleRemoveAvatar)

	web.HandleFile(r, web.Op{
		ID: "files.avatar", Method: http.MethodGet, Path: "/avatars/{avatar}",
		Summary: "Show a portrait", Description: "For everyone who knows its address, which changes with the picture.",
		Access: authz.Public(), Errors: []*errs.Error{ErrNotFound, blob.ErrUnavailable},
	}, s.handleAvatar)
}

func orgOf(ctx context.Context) id.Org { return authz.MembershipFrom(ctx).Org }

// FileInput names a file in the path.
type FileInput struct {
	File ID `path:"file" doc:"Id of a file"`
}

type fileInput struct {
	web.ChosenOrg
	FileInput
}

type listInput struct {
	web.ChosenOrg
	web.Page
	Search string `query:"q" maxLength:"100" doc:"Part of a name"`
}

type presignInput struct {
	web.ChosenOrg
	Body struct {
		Name        string `json:"name" minLength:"1" maxLength:"1000" example:"Contract.pdf"`
		ContentType string `json:"content_type" maxLength:"200" example:"application/pdf"`
		Size        int64  `json:"size" minimum:"1" doc:"Bytes, exactly"`
		SHA256      string `json:"sha256,omitempty" doc:"Checksum in hexadecimal, to be compared"`
	}
}

type downloadInput struct {
	web.ChosenOrg
	FileInput
	Variant string `query:"variant" enum:"thumbnail,preview,original" doc:"Of a picture; absent: the file as it was uploaded"`
	Inline  bool   `query:"inline" doc:"Let browsers show a picture where it is"`
}

// LinkInput names what a link allows.
type LinkInput struct {
	Link string `path:"link" doc:"Part of an address that was handed out"`
}

// AvatarInput names a portrait.
type AvatarInput struct {
	Avatar AvatarID `path:"avatar" doc:"Id of a portrait"`
}

type (
	fileOutput     struct{ Body File }
	announceOutput struct{ Body Announced }
	usageOutput    struct{ Body Usage }
	addressOutput  struct{ Body Address }
	accountOutput  struct{ Body accounts.Account }
)

func (s *Service) handleUpload(ctx context.Context, _ *struct{ web.ChosenOrg }, up *web.Upload) (*fileOutput, error) {
	f, err := s.Upload(ctx, orgOf(ctx), up.Name, up)
	return &fileOutput{f}, err
}

func (s *Service) handlePresign(ctx context.Context, in *presignInput) (*announceOutput, error) {
	a, err := s.Announce(ctx, orgOf(ctx), NewFile(in.Body))
	return &announceOutput{a}, err
}

func (s *Service) handleComplete(ctx context.Context, in *fileInput) (*fileOutput, error) {
	f, err := s.Complete(ctx, orgOf(ctx), in.File)
	return &fileOutput{f}, err
}

func (s *Service) handleList(ctx context.Context, in *listInput) (*web.ListOutput[File], error) {
	return web.Paged(ctx, in.Page, func(after *place, n int) ([]File, error) { return s.List(ctx, orgOf(ctx), in.Search, after, n) }, placeOf)
}

func (s *Service) handleUsage(ctx context.Context, _ *struct{ web.ChosenOrg }) (*usageOutput, error) {
	u, err := s.Usage(ctx, orgOf(ctx))
	return &usageOutput{u}, err
}

func (s *Service) handleGet(ctx context.Context, in *fileInput) (*fileOutput, error) {
	f, err := s.Get(ctx, orgOf(ctx), in.File)
	return &fileOutput{f}, err
}

func (s *Service) handleDownload(ctx context.Context, in *downloadInput) (*addressOutput, error) {
	a, err := s.Address(ctx, orgOf(ctx), in.File, in.Variant, in.Inline)
	return &addressOutput{a}, err
}

func (s *Service) handleDelete(ctx context.Context, in *fileInput) (*web.Empty, error) {
	return nil, s.Delete(ctx, orgOf(ctx), in.File)
}

func (s *Service) handleContent(ctx context.Context, in *LinkInput) (*web.File, error) {
	return s.Content(ctx, in.Link)
}

func (s *Service) handleReceive(ctx context.Context, in *LinkInput, up *web.Upload) (*web.Empty, error) {
	return nil, s.Receive(ctx, in.Link, up)
}

func (s *Service) handleSetAvatar(ctx context.Context, _ *web.Empty, up *web.Upload) (*accountOutput, error) {
	a, err := s.SetAvatar(ctx, up)
	return &accountOutput{a}, err
}

func (s *Service) handleRemoveAvatar(ctx context.Context, _ *web.Empty) (*web.Empty, error) {
	return nil, s.RemoveAvatar(ctx)
}

func (s *Service) handleAvatar(ctx context.Context, in *AvatarInput) (*web.File, error) {
	return s.Avatar(ctx, in.Avatar)
}
