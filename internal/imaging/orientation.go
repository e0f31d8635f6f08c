package imaging

import (
	"encoding/binary"
	"image"
	"io"

	"golang.org/x/image/draw"
	"golang.org/x/image/math/f64"
)

// orientation is the EXIF tag 0x0112 of a JPEG, 1 to 8; 1, upright, where there is none
// (CIPA DC-008, §4.6.5).
func orientation(r io.Reader) int {
	exif := exifOf(r)
	if len(exif) < 8 {
		return 1
	}
	var order binary.ByteOrder = binary.BigEndian
	if exif[0] == 'I' {
		order = binary.LittleEndian
	}
	at := int(order.Uint32(exif[4:]))
	if at < 8 || at+2 > len(exif) {
		return 1
	}
	for n, entry := int(order.Uint16(exif[at:])), at+2; n > 0 && entry+12 <= len(exif); n, entry = n-1, entry+12 {
		if order.Uint16(exif[entry:]) == 0x0112 {
			if v := int(order.Uint16(exif[entry+8:])); v >= 1 && v <= 8 {
				return v
			}
			return 1
		}
	}
	return 1
}

// exifOf reads the TIFF structure from the segment APP1, which comes before the first scan.
func exifOf(r io.Reader) []byte {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:2]); err != nil || head[0] != 0xFF || head[1] != 0xD8 {
		return nil
	}
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil || head[0] != 0xFF || head[1] == 0xDA {
			return nil
		}
		length := int(binary.BigEndian.Uint16(head[2:])) - 2
		if length < 0 {
			return nil
		}
		segment := make([]byte, length)
		if _, err := io.ReadFull(r, segment); err != nil {
			return nil
		}
		if head[1] == 0xE1 && length > 6 && string(segment[:6]) == "Exif\x00\x00" {
			return segment[6:]
		}
	}
}

// upright turns and mirrors a picture the way its orientation asks for.
func upright(img image.Image, orientation int) image.Image {
	b := img.Bounds()
	w, h := float64(b.Dx()), float64(b.Dy())
	// Each takes a point of the picture, (x, y), to where it is seen.
	to, turned := map[int]f64.Aff3{
		2: {-1, 0, w, 0, 1, 0},
		3: {-1, 0, w, 0, -1, h},
		4: {1, 0, 0, 0, -1, h},
		5: {0, 1, 0, 1, 0, 0},
		6: {0, -1, h, 1, 0, 0},
		7: {0, -1, h, -1, 0, w},
		8: {0, 1, 0, -1, 0, w},
	}[orientation]
	if !turned {
		return img
	}
	to[2] -= to[0]*float64(b.Min.X) + to[1]*float64(b.Min.Y)
	to[5] -= to[3]*float64(b.Min.X) + to[4]*float64(b.Min.Y)
	size := image.Rect(0, 0, b.Dx(), b.Dy())
	if orientation >= 5 {
		size = image.Rect(0, 0, b.Dy(), b.Dx())
	}
	out := image.NewNRGBA(size)
	draw.NearestNeighbor.Transform(out, to, img, b, draw.Src, nil)
	return out
}
