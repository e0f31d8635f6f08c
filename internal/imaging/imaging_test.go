package imaging

import (
	"bytes"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"image/png"
	"io"
	"testing"
	"time"
)

const megapixel = 1_000_000

// halves is red on its left and blue on its right.
func halves(w, h int) image.Image {
	img := image.NewNRGBA(image.Rect(0, 0, w, h))
	for y := range h {
		for x := range w {
			c := color.NRGBA{R: 255, A: 255}
			if x >= w/2 {
				c = color.NRGBA{B: 255, A: 255}
			}
			img.SetNRGBA(x, y, c)
		}
	}
	return img
}

func jpegOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, jpeg.Encode(&b, img, &jpeg.Options{Quality: 95}))
	return b.Bytes()
}

func pngOf(t *testing.T, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	must(t, png.Encode(&b, img))
	return b.Bytes()
}

// turned writes an orientation into a JPEG, and where it was taken.
func turned(picture []byte, orientation uint16) []byte {
	exif := append([]byte("Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01"), byte(orientation>>8), byte(orientation), 0, 0, 0, 0, 0, 0)
	exif = append(exif, "GPS 48.8584 N 2.2945 E"...)
	segment := binary.BigEndian.AppendUint16([]byte{0xFF, 0xE1}, uint16(len(exif)+2))
	return append(append(append([]byte{}, picture[:2]...), append(segment, exif...)...), picture[2:]...)
}

func TestPicturesStandUpright(t *testing.T) {
	d := NewDecoder(megapixel)
	// Where the red half is seen, for each orientation of a camera: left, right, above or below.
	for orientation, red := range map[uint16]image.Point{1: {0, 1}, 2: {2, 1}, 3: {2, 1}, 4: {0, 1}, 5: {1, 0}, 6: {1, 0}, 7: {1, 2}, 8: {1, 2}} {
		err := d.With(bytes.NewReader(turned(jpegOf(t, halves(64, 32)), orientation)), JPEG, func(p Picture) error {
			var b bytes.Buffer
			must(t, p.Write(&b))
			if bytes.Contains(b.Bytes(), []byte("GPS")) || bytes.Contains(b.Bytes(), []byte("Exif")) {
				t.Errorf("orientation %d: metadata are still there", orientation)
			}
			out, err := jpeg.Decode(&b)
			must(t, err)
			size := out.Bounds()
			if wide := orientation < 5; wide != (size.Dx() == 64 && size.Dy() == 32) {
				t.Errorf("orientation %d: %v", orientation, size)
			}
			r, _, blue, _ := out.At(size.Min.X+red.X*(size.Dx()-1)/2, size.Min.Y+red.Y*(size.Dy()-1)/2).RGBA()
			if r < 0x8000 || blue > 0x8000 {
				t.Errorf("orientation %d: red is not at %v", orientation, red)
			}
			return nil
		})
		must(t, err)
	}
}

func TestPicturesAreMadeSmaller(t *testing.T) {
	d := NewDecoder(megapixel)
	must(t, d.With(bytes.NewReader(pngOf(t, halves(900, 300))), PNG, func(p Picture) error {
		for side, want := range map[int]image.Point{256: {256, 85}, 1280: {900, 300}, 1: {1, 1}} {
			if got := p.Fit(side).Pixels.Bounds().Size(); got != want {
				t.Errorf("within %d: %v, want %v", side, got, want)
			}
		}
		if got := p.Square(128).Pixels.Bounds().Size(); got != image.Pt(128, 128) {
			t.Errorf("square: %v", got)
		}
		if p.Format() != JPEG {
			t.Errorf("opaque, and written as %s", p.Format())
		}
		return nil
	}))
	see := image.NewNRGBA(image.Rect(0, 0, 8, 8))
	must(t, d.With(bytes.NewReader(pngOf(t, see)), PNG, func(p Picture) error {
		if p.Fit(4).Format() != PNG {
			t.Error("what shines through was written as JPEG")
		}
		return nil
	}))
}

// header is a PNG of a size, without its pixels.
func header(w, h uint32, depth, kind byte) []byte {
	ihdr := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, w), h)...)
	ihdr = append(ihdr, depth, kind, 0, 0, 0)
	b := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), ihdr...)
	return binary.BigEndian.AppendUint32(b, crc32.ChecksumIEEE(ihdr))
}

func TestBombsAreRefusedByTheirHeader(t *testing.T) {
	d := NewDecoder(40 * megapixel)
	for name, c := range map[string]struct {
		data   []byte
		format Format
	}{
		"12000 × 12000": {pngOf(t, image.NewPaletted(image.Rect(0, 0, 12000, 12000), color.Palette{color.Black})), PNG},
		"65535 × 65535": {header(65535, 65535, 8, 2), PNG},
		"2³¹−1 square":  {header(1<<31-1, 1<<31-1, 8, 2), PNG},
		"16 bit":        {header(7000, 5000, 16, 6), PNG},
		"1000 scans":    {manyScans(t), JPEG},
		"10000 frames":  {manyFrames(t, 10_000), GIF},
	} {
		began := time.Now()
		err := d.With(bytes.NewReader(c.data), c.format, func(Picture) error { t.Errorf("%s: it was decoded", name); return nil })
		if !errors.Is(err, ErrTooLarge) && !errors.Is(err, ErrBroken) {
			t.Errorf("%s: %v", name, err)
		}
		if took := time.Since(began); took > time.Second {
			t.Errorf("%s: refused after %v", name, took)
		}
	}
	if err := d.Check(header(12000, 12000, 8, 2), PNG); !errors.Is(err, ErrTooLarge) {
		t.Errorf("by its first bytes: %v", err)
	}
	if err := d.Check(header(800, 600, 8, 2), PNG); err != nil {
		t.Errorf("a usual picture: %v", err)
	}
}

func manyScans(t *testing.T) []byte {
	picture := jpegOf(t, halves(64, 32))
	at := bytes.Index(picture, []byte{0xFF, 0xDA})
	scan := picture[at : len(picture)-2]
	return append(append(append([]byte{}, picture[:at]...), bytes.Repeat(scan, 1000)...), 0xFF, 0xD9)
}

func manyFrames(t *testing.T, n int) []byte {
	t.Helper()
	frame := image.NewPaletted(image.Rect(0, 0, 1, 1), color.Palette{color.Black, color.White})
	g := gif.GIF{LoopCount: 3}
	for range n {
		g.Image, g.Delay = append(g.Image, frame), append(g.Delay, 4)
	}
	var b bytes.Buffer
	must(t, gif.EncodeAll(&b, &g))
	return b.Bytes()
}

func TestAnAnimationStaysOne(t *testing.T) {
	data := manyFrames(t, 12)
	comment := append([]byte{extension, 0xFE, 6}, "secret\x00"...)
	data = append(append(append([]byte{}, data[:len(data)-1]...), comment...), trailer)
	var out bytes.Buffer
	must(t, NewDecoder(megapixel).CleanGIF(&out, bytes.NewReader(data)))
	g, err := gif.DecodeAll(bytes.NewReader(out.Bytes()))
	must(t, err)
	if len(g.Image) != 12 || g.Delay[0] != 4 || g.LoopCount != 3 {
		t.Errorf("%d frames, delay %d, loops %d", len(g.Image), g.Delay[0], g.LoopCount)
	}
	if bytes.Contains(out.Bytes(), []byte("secret")) {
		t.Error("the comment is still there")
	}
}

func TestBrokenPicturesAreNoFaults(t *testing.T) {
	d := NewDecoder(megapixel)
	for format, data := range map[Format][]byte{JPEG: jpegOf(t, halves(64, 32)), PNG: pngOf(t, halves(64, 32)), GIF: manyFrames(t, 2)} {
		for _, cut := range []int{0, 1, 5, len(data) / 2} {
			err := d.With(bytes.NewReader(data[:cut]), format, func(Picture) error { return nil })
			if err != nil && !errors.Is(err, ErrBroken) {
				t.Errorf("%s cut after %d bytes: %v", format, cut, err)
			}
		}
	}
	if err := d.With(bytes.NewReader(nil), "image/tiff", nil); !errors.Is(err, ErrBroken) {
		t.Errorf("TIFF: %v", err)
	}
}

func FuzzPictures(f *testing.F) {
	f.Add([]byte("\xff\xd8\xff\xe1\x00\x10Exif\x00\x00MM\x00\x2a\x00\x00\x00\x08"))
	f.Add([]byte("GIF89a\x01\x00\x01\x00\x80\x00\x00\xff\xff\xff\x00\x00\x00,\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;"))
	d := NewDecoder(100_000)
	f.Fuzz(func(t *testing.T, data []byte) {
		if o := orientation(bytes.NewReader(data)); o < 1 || o > 8 {
			t.Errorf("orientation %d", o)
		}
		var out bytes.Buffer
		if err := d.CleanGIF(&out, bytes.NewReader(data)); err == nil {
			if err := d.CleanGIF(io.Discard, bytes.NewReader(out.Bytes())); err != nil {
				t.Errorf("what was cleaned is broken: %v", err)
			}
			if out.Len() > len(data) {
				t.Errorf("%d bytes became %d", len(data), out.Len())
			}
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
