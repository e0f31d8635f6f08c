package files

import (
	"encoding/hex"
	"path"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"github.com/tenonhq/tenon/internal/imaging"
	"github.com/tenonhq/tenon/platform/authz"
	"github.com/tenonhq/tenon/platform/errs"
	"github.com/tenonhq/tenon/platform/id"
)

// The permissions.
const (
	PermRead   authz.Permission = "files.read"
	PermUpload authz.Permission = "files.upload"
	PermManage authz.Permission = "files.manage"
)

// The outcomes.
var (
	ErrNotFound     = errs.New(errs.NotFound, "files.not_found", "There is no such file.")
	ErrTooLarge     = errs.New(errs.TooLarge, "files.too_large", "The file is larger than files may be here.")
	ErrEmpty        = errs.New(errs.Invalid, "files.empty", "The file is empty.")
	ErrType         = errs.New(errs.Unsupported, "files.type_refused", "Files of this type are not taken here. What counts is the content, not the name.")
	ErrPicture      = errs.New(errs.Invalid, "files.picture_too_large", "The picture has more pixels than pictures may have here.")
	ErrNoPicture    = errs.New(errs.Invalid, "files.not_a_picture", "Send a picture: JPEG, PNG, GIF or WebP.")
	ErrQuota        = errs.New(errs.TooLarge, "files.quota_exceeded", "Your organization's files would take more room than it has. Delete some first.")
	ErrNotReady     = errs.New(errs.Conflict, "files.not_ready", "The file is not there yet.")
	ErrMissing      = errs.New(errs.Conflict, "files.missing", "The file is listed, but its content is lost.")
	ErrNoVariant    = errs.New(errs.NotFound, "files.no_variant", "The file has no such variant, or not yet.")
	ErrNotUploaded  = errs.New(errs.Conflict, "files.not_uploaded", "Nothing has arrived for this file yet. Send it to the address that you got.")
	ErrCompleting   = errs.New(errs.Conflict, "files.completing", "The file is being checked already.").After(time.Second)
	ErrMismatch     = errs.New(errs.Invalid, "files.mismatch", "What arrived is not what was announced: size, type or checksum differ. Begin again.")
	ErrNotYours     = errs.New(errs.Forbidden, "files.not_yours", "Only whoever uploads a file, or manages the organization's files, may do this.")
	ErrLinkExpired  = errs.New(errs.Forbidden, "files.link_expired", "This link has expired. Ask for a new one.")
	ErrSumMalformed = errs.New(errs.Invalid, "files.sha256_malformed", "A SHA-256 is 64 hexadecimal digits.").On("body.sha256")
)

type (
	fileKind   struct{}
	avatarKind struct{}
)

// Prefix begins the id of every file.
func (fileKind) Prefix() string { return "file" }

// Prefix begins the id of every portrait.
func (avatarKind) Prefix() string { return "ava" }

// ID identifies a file.
type ID = id.ID[fileKind]

// AvatarID identifies a portrait.
type AvatarID = id.ID[avatarKind]

// Status is how far a file is.
type Status string

// The states of a file.
const (
	Uploading  Status = "uploading"  // announced; its bytes are on their way to the store
	Verifying  Status = "verifying"  // its bytes are being compared with what was announced
	Processing Status = "processing" // it is there; smaller pictures are being made
	Ready      Status = "ready"
	Missing    Status = "missing" // its bytes are lost
)

// there reports whether the bytes can be read.
func (s Status) there() bool { return s == Processing || s == Ready }

// File is what is known of a file.
type File struct {
	ID          ID          `json:"id"`
	Name        string      `json:"name" doc:"As whoever uploaded it called it" example:"Contract.pdf"`
	ContentType string      `json:"content_type" doc:"By its content, whatever was said" example:"application/pdf"`
	Size        int64       `json:"size" doc:"Bytes"`
	SHA256      string      `json:"sha256" doc:"Checksum in hexadecimal; empty while uploading"`
	Status      Status      `json:"status" enum:"uploading,verifying,processing,ready,missing" doc:"Can be read when processing (variants are being made) or ready"`
	Variants    []Variant   `json:"variants" nullable:"false" doc:"Of a picture: smaller ones, and one without what cameras write into it"`
	AccountID   *id.Account `json:"account_id" doc:"Who uploaded it; null when they are gone"`
	CreatedAt   time.Time   `json:"created_at"`
	UpdatedAt   time.Time   `json:"updated_at"`

	org id.Org
}

// Variant is a picture made of a picture.
type Variant struct {
	Name        string `json:"name" enum:"thumbnail,preview,original" doc:"At most 256 pixels, at most 1,280 pixels, or as large as the file"`
	ContentType string `json:"content_type" example:"image/jpeg"`
	Width       int    `json:"width" doc:"Pixels; 0 when not known"`
	Height      int    `json:"height" doc:"Pixels; 0 when not known"`
	Size        int64  `json:"size" doc:"Bytes"`
}

// The variants of a picture.
const (
	thumbnail = "thumbnail"
	preview   = "preview"
	clean     = "original" // upright, and without metadata
	uploaded  = ""         // the file itself
)

// sides of the variants that are smaller, in pixels.
func sides() []smaller { return []smaller{{thumbnail, 256}, {preview, 1280}} }

type smaller struct {
	name string
	side int
}

func (f File) variant(name string) (Variant, bool) {
	for _, v := range f.Variants {
		if v.Name == name {
			return v, true
		}
	}
	return Variant{}, false
}

// inline reports whether browsers may show a type where it is: what cannot act.
func inline(contentType string) bool { return imaging.Readable(contentType) }

// Usage is what an organization's files take.
type Usage struct {
	Bytes        int64    `json:"bytes"`
	Files        int64    `json:"files"`
	QuotaBytes   *int64   `json:"quota_bytes" doc:"Null: no limit"`
	MaxFileBytes int64    `json:"max_file_bytes"`
	ContentTypes []string `json:"content_types" nullable:"false" doc:"What is taken; * is everything"`
}

// Address is where a file can be fetched for a while, by anyone who has the address.
type Address struct {
	URL       string `json:"download_url"`
	ExpiresIn int    `json:"expires_in" doc:"Seconds"`
}

// Announced is a file that is going to be uploaded straight to the store.
type Announced struct {
	File   File   `json:"file"`
	Upload Target `json:"upload"`
}

// Target is how a file is uploaded straight to the store.
type Target struct {
	Method    string            `json:"method" example:"PUT"`
	URL       string            `json:"url"`
	Headers   map[string]string `json:"headers" doc:"Send exactly these along"`
	ExpiresIn int               `json:"expires_in" doc:"Seconds"`
}

// NewFile is what is announced of a file.
type NewFile struct {
	Name        string
	ContentType string
	Size        int64
	SHA256      string // in hexadecimal; empty: not known yet
}

// cleanName makes of what a sender called a file what it is called here: one line of text
// without a path, and without characters that turn it around. It is shown, never opened.
func cleanName(name string) string {
	name = strings.ToValidUTF8(norm.NFC.String(name), "�")
	name = path.Base(strings.ReplaceAll(name, `\`, "/"))
	name = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) || r == '\u2028' || r == '\u2029' || r == ':' {
			return -1
		}
		return r
	}, name)
	name = strings.TrimRight(strings.TrimSpace(name), ". ")
	for utf8.RuneCountInString(name) > maxName {
		ext := path.Ext(name)
		if utf8.RuneCountInString(ext) > 20 {
			ext = ""
		}
		name = string([]rune(strings.TrimSuffix(name, ext))[:maxName-utf8.RuneCountInString(ext)]) + ext
	}
	if name == "" || name == "/" {
		return "file"
	}
	return name
}

const maxName = 255

func cleanSum(text string) ([]byte, error) {
	sum, err := hex.DecodeString(text)
	if err != nil || len(sum) != 0 && len(sum) != 32 {
		return nil, ErrSumMalformed
	}
	return sum, nil
}

// place is where a page of files ends.
type place struct {
	At time.Time `json:"at"`
	ID ID        `json:"id"`
}

func placeOf(f File) place { return place{f.CreatedAt, f.ID} }

// The keys of blobs. Incoming ones are not compared with what was announced yet.
func key(org id.Org, file ID, variant string) string {
	if variant == uploaded {
		variant = theFile
	}
	return folder(org, file) + variant
}

const (
	ofOrgs   = "orgs/"
	onTheWay = "incoming/"
	ofPeople = "avatars/"
	theFile  = "upload"
)

func orgFolder(org id.Org) string         { return ofOrgs + org.String() + "/" }
func folder(org id.Org, file ID) string   { return orgFolder(org) + file.String() + "/" }
func incomingFolder(org id.Org) string    { return onTheWay + org.String() + "/" }
func incoming(org id.Org, file ID) string { return incomingFolder(org) + file.String() }
func avatarKey(avatar AvatarID) string    { return ofPeople + avatar.String() }
func avatarPath(avatar AvatarID) string   { return "/api/v1/avatars/" + avatar.String() }
