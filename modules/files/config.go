package files

import (
	"errors"
	"fmt"
	"mime"
	"slices"
	"strings"
	"time"
)

// Config says which files are taken.
type Config struct {
	// MaxSize is how large a file may be, in bytes; 1 GiB unless set.
	MaxSize int64 `env:"TENON_FILES_MAX_SIZE"`
	// Quota is how much an organization's files may take together, in bytes: 10 GiB unless
	// set; -1 is no limit.
	Quota int64 `env:"TENON_FILES_QUOTA"`
	// Types are the media types that are taken, found by content: JPEG, PNG, GIF, WebP, PDF,
	// DOC and DOCX unless set; "*" is everything.
	Types []string `env:"TENON_FILES_TYPES"`
	// MaxPixels is how many pixels a picture may have; 40,000,000 unless set.
	MaxPixels int `env:"TENON_FILES_MAX_PIXELS"`
	// LinkLife is how long a link to a file works, 15 minutes unless set and at most.
	LinkLife time.Duration `env:"TENON_FILES_LINK_LIFE"`
}

const longestLink = 15 * time.Minute

// Check completes the configuration and refuses what makes no sense.
func (c *Config) Check() error {
	def := func(v *int64, usual int64) {
		if *v == 0 {
			*v = usual
		}
	}
	def(&c.MaxSize, 1<<30)
	def(&c.Quota, 10<<30)
	if c.MaxPixels == 0 {
		c.MaxPixels = 40_000_000
	}
	if c.LinkLife == 0 {
		c.LinkLife = longestLink
	}
	if c.Types == nil {
		c.Types = []string{"image/jpeg", "image/png", "image/gif", "image/webp", "application/pdf", "application/msword",
			"application/vnd.openxmlformats-officedocument.wordprocessingml.document"}
	}
	for _, t := range c.Types {
		if kind, params, err := mime.ParseMediaType(t); t != "*" && (err != nil || kind != t || len(params) > 0 || !strings.Contains(t, "/")) {
			return fmt.Errorf("TENON_FILES_TYPES: %q is no media type such as image/png", t)
		}
	}
	switch {
	case c.MaxSize < 0 || c.MaxPixels < 0:
		return errors.New("TENON_FILES_MAX_SIZE and TENON_FILES_MAX_PIXELS must be greater than 0")
	case c.MaxSize > 5<<30:
		return errors.New("TENON_FILES_MAX_SIZE can be 5 GiB at most: S3 takes no more at once")
	case c.LinkLife < time.Second || c.LinkLife > longestLink:
		return fmt.Errorf("TENON_FILES_LINK_LIFE must be between 1s and %v", longestLink)
	}
	return nil
}

func (c Config) takes(contentType string) bool {
	return slices.Contains(c.Types, "*") || slices.Contains(c.Types, contentType)
}
