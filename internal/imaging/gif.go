package imaging

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// CleanGIF copies a GIF with all its frames, without comments, texts and what programs
// have left in it: no pixel is decoded (GIF89a specification, W3C).
func (d *Decoder) CleanGIF(w io.Writer, r io.ReadSeeker) error {
	if _, err := r.Seek(0, io.SeekStart); err != nil {
		return err
	}
	c := &gifCopy{r: bufio.NewReader(r), w: bufio.NewWriter(w), most: d.pixels * 8} // animations are small and many
	err := c.run()
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Errorf("%w: a GIF ends early", ErrBroken)
	}
	if err != nil {
		return err
	}
	return c.w.Flush()
}

type gifCopy struct {
	r      *bufio.Reader
	w      *bufio.Writer
	most   int // pixels of all frames together
	frames int
	pixels int
}

// maxFrames of a GIF, however small they are.
const maxFrames = 2000

const (
	extension   = 0x21
	frame       = 0x2C
	trailer     = 0x3B
	control     = 0xF9 // delay, transparency and disposal of the frame that follows
	application = 0xFF
)

func (c *gifCopy) run() error {
	head := make([]byte, 13)
	if err := c.through(head); err != nil {
		return err
	}
	if err := c.colours(head[10]); err != nil {
		return err
	}
	for {
		kind, err := c.r.ReadByte()
		if err != nil {
			return err
		}
		switch kind {
		case trailer:
			return c.w.WriteByte(trailer)
		case frame:
			err = c.frame()
		case extension:
			err = c.extension()
		default:
			err = fmt.Errorf("%w: a GIF has a block of kind %#x", ErrBroken, kind)
		}
		if err != nil {
			return err
		}
	}
}

// through copies the next len(b) bytes, and leaves them in b.
func (c *gifCopy) through(b []byte) error {
	if _, err := io.ReadFull(c.r, b); err != nil {
		return err
	}
	_, err := c.w.Write(b)
	return err
}

// colours copies the table of colours that flags announce.
func (c *gifCopy) colours(flags byte) error {
	if flags&0x80 == 0 {
		return nil
	}
	return c.through(make([]byte, 3<<(flags&7+1)))
}

func (c *gifCopy) frame() error {
	if err := c.w.WriteByte(frame); err != nil {
		return err
	}
	place := make([]byte, 9)
	if err := c.through(place); err != nil {
		return err
	}
	c.frames++
	c.pixels += int(binary.LittleEndian.Uint16(place[4:])) * int(binary.LittleEndian.Uint16(place[6:]))
	if c.frames > maxFrames || c.pixels > c.most {
		return ErrTooLarge
	}
	if err := c.colours(place[8]); err != nil {
		return err
	}
	if err := c.through(make([]byte, 1)); err != nil { // bits of a code
		return err
	}
	return c.blocks(c.w)
}

// extension keeps what frames need, and how often the animation runs.
func (c *gifCopy) extension() error {
	label, err := c.r.ReadByte()
	if err != nil {
		return err
	}
	keep := label == control
	if label == application {
		name, err := c.r.Peek(12)
		if err != nil {
			return err
		}
		keep = string(name[1:]) == "NETSCAPE2.0" || string(name[1:]) == "ANIMEXTS1.0"
	}
	if !keep {
		return c.blocks(io.Discard)
	}
	if _, err := c.w.Write([]byte{extension, label}); err != nil {
		return err
	}
	return c.blocks(c.w)
}

// blocks copies a sequence of blocks, up to the empty one.
func (c *gifCopy) blocks(w io.Writer) error {
	var block [256]byte
	for {
		n, err := c.r.ReadByte()
		if err != nil {
			return err
		}
		block[0] = n
		if _, err := io.ReadFull(c.r, block[1:int(n)+1]); err != nil {
			return err
		}
		if _, err := w.Write(block[:int(n)+1]); err != nil || n == 0 {
			return err
		}
	}
}
