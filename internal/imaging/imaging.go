// Package imaging makes smaller pictures of pictures that strangers sent.
//
// What a picture would cost is read from its header before a pixel is decoded, and one
// picture is decoded at a time: a bomb is refused, and a pile of pictures waits.
package imaging

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"runtime/debug"

	"golang.org/x/image/draw"
	"golang.org/x/image/webp"
)

// Format is how a picture is stored, by its media type.
type Format string

// The formats that are read. JPEG, PNG and GIF are written too.
const (
	JPEG Format = "image/jpeg"
	PNG  Format = "image/png"
	GIF  Format = "image/gif"
	WebP Format = "image/webp"
)

// Readable reports whether pictures of a media type can be read.
func Readable(contentType string) bool {
	switch Format(contentType) {
	case JPEG, PNG, GIF, WebP:
		return true
	}
	return false
}

// Decoder reads pictures that cost no more than it allows, one at a time.
type Decoder struct {
	pixels int
	one    chan struct{} // taken while pixels are in memory
}

// NewDecoder returns a decoder of pictures of so many pixels at most.
func NewDecoder(pixels int) *Decoder { return &Decoder{pixels, make(chan struct{}, 1)} }

var (
	// ErrTooLarge says that a picture has more pixels, frames or scans than is decoded.
	ErrTooLarge = errors.New("imaging: too large to decode")
	// ErrBroken says that bytes are no picture of the format they claim.
	ErrBroken = errors.New("imaging: not a picture")
)

// Picture is a decoded picture, upright, without anything said about it.
type Picture struct {
	Pixels image.Image
	Opaque bool
}

// maxScans bounds how often a progressive JPEG makes its decoder pass over all pixels.
const maxScans = 64

// Check looks at the first bytes of a picture: ErrTooLarge if it has too many pixels. What
// cannot be told from them is no error.
func (d *Decoder) Check(head []byte, format Format) error {
	width, height, err := size(bytes.NewReader(head), format)
	if err != nil || d.within(width, height) {
		return nil
	}
	return ErrTooLarge
}

func (d *Decoder) within(width, height int) bool {
	return width > 0 && height > 0 && width <= d.pixels/height
}

// large pictures leave so much memory behind that it is given back.
const large = 4_000_000

// With decodes the picture in r and calls fn with it, one picture at a time. Of an
// animation it is the first frame.
func (d *Decoder) With(r io.ReadSeeker, format Format, fn func(Picture) error) error {
	width, height, err := size(r, format)
	if err != nil {
		return err
	}
	if !d.within(width, height) {
		return ErrTooLarge
	}
	if err := d.check(r, format); err != nil {
		return err
	}
	d.one <- struct{}{}
	defer func() { <-d.one }()
	if width*height > large {
		defer debug.FreeOSMemory()
	}
	p, err := decode(r, format)
	if err != nil {
		return err
	}
	return fn(p)
}

// size is what a picture measures, in pixels of eight bits a colour.
func size(r io.ReadSeeker, format Format) (width, height int, err error) {
	read := map[Format]func(io.Reader) (image.Config, error){JPEG: jpeg.DecodeConfig, PNG: png.DecodeConfig, GIF: gif.DecodeConfig, WebP: webp.DecodeConfig}[format]
	if read == nil {
		return 0, 0, fmt.Errorf("%w: %s is not read", ErrBroken, format)
	}
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return 0, 0, err
	}
	c, err := read(bufio.NewReader(r))
	if err != nil {
		return 0, 0, broken(err)
	}
	switch c.ColorModel {
	case color.NRGBA64Model, color.RGBA64Model: // such a pixel takes the room of two
		return c.Width, 2 * c.Height, nil
	}
	return c.Width, c.Height, nil
}

// check looks for what costs more than the size says.
func (d *Decoder) check(r io.ReadSeeker, format Format) error {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	switch format {
	case JPEG:
		scans, err := countScans(r)
		if err != nil {
			return err
		}
		if scans > maxScans {
			return ErrTooLarge
		}
	case GIF:
		return d.CleanGIF(io.Discard, r)
	}
	return nil
}

// countScans counts the markers that begin a scan. Within the data of a scan a byte FF is
// followed by 00 or a restart marker (ITU-T T.81 §B.1.1.5), so that none is mistaken there.
func countScans(r io.Reader) (scans int, err error) {
	b, chunk, last := bufio.NewReader(r), make([]byte, 32<<10), byte(0)
	for {
		n, err := b.Read(chunk)
		scans += bytes.Count(chunk[:n], []byte{0xFF, 0xDA})
		if n > 0 {
			if last == 0xFF && chunk[0] == 0xDA {
				scans++
			}
			last = chunk[n-1]
		}
		if err == io.EOF {
			return scans, nil
		}
		if err != nil {
			return 0, err
		}
	}
}

func decode(r io.ReadSeeker, format Format) (p Picture, err error) {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return p, err
	}
	read := map[Format]func(io.Reader) (image.Image, error){JPEG: jpeg.Decode, PNG: png.Decode, GIF: gif.Decode, WebP: webp.Decode}[format]
	img, err := read(bufio.NewReader(r))
	if err != nil {
		return p, broken(err)
	}
	if format == JPEG {
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return p, err
		}
		img = upright(img, orientation(bufio.NewReader(r)))
	}
	opaque, known := img.(interface{ Opaque() bool })
	return Picture{img, known && opaque.Opaque()}, nil
}

func broken(err error) error { return fmt.Errorf("%w: %w", ErrBroken, err) }

// Fit returns the picture within a square of side pixels; a smaller one stays as it is.
func (p Picture) Fit(side int) Picture {
	b := p.Pixels.Bounds()
	w, h := b.Dx(), b.Dy()
	if w <= side && h <= side {
		return p
	}
	if w >= h {
		w, h = side, max(1, h*side/w)
	} else {
		w, h = max(1, w*side/h), side
	}
	return p.scaled(w, h, b)
}

// Square returns the middle of the picture, side by side pixels.
func (p Picture) Square(side int) Picture {
	b := p.Pixels.Bounds()
	edge := min(b.Dx(), b.Dy())
	corner := b.Min.Add(image.Pt((b.Dx()-edge)/2, (b.Dy()-edge)/2))
	return p.scaled(side, side, image.Rectangle{corner, corner.Add(image.Pt(edge, edge))})
}

// scaled shrinks in two steps: a quick one to twice the size, and a good one.
func (p Picture) scaled(w, h int, from image.Rectangle) Picture {
	src := p.Pixels
	if from.Dx() > 2*w && from.Dy() > 2*h {
		half := image.NewNRGBA(image.Rect(0, 0, 2*w, 2*h))
		draw.ApproxBiLinear.Scale(half, half.Bounds(), src, from, draw.Src, nil)
		src, from = half, half.Bounds()
	}
	out := image.NewNRGBA(image.Rect(0, 0, w, h))
	draw.CatmullRom.Scale(out, out.Bounds(), src, from, draw.Src, nil)
	return Picture{out, p.Opaque}
}

// quality of a JPEG, of 100: no difference is seen at arm's length.
const quality = 82

// Format is what the picture is written as: JPEG, or PNG where something shines through.
func (p Picture) Format() Format {
	if p.Opaque {
		return JPEG
	}
	return PNG
}

// Write writes the picture, and nothing about it.
func (p Picture) Write(w io.Writer) error {
	if p.Format() == JPEG {
		return jpeg.Encode(w, p.Pixels, &jpeg.Options{Quality: quality})
	}
	return png.Encode(w, p.Pixels)
}
