package secret

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// minRoot is the shortest root secret: 32 characters of base64 hold 192 bits.
const minRoot = 32

// CheckRoot refuses a root secret that someone could guess.
func CheckRoot(root string) error {
	seen := map[rune]bool{}
	for _, r := range root {
		seen[r] = true
	}
	lower := strings.ToLower(root)
	for _, example := range []string{"changeme", "change-me", "change_me", "secret", "password", "example", "your-", "xxxx", "0123456789", "abcdefgh"} {
		if strings.Contains(lower, example) {
			return errors.New("TENON_ROOT_SECRET looks like an example; make one with: openssl rand -base64 48")
		}
	}
	if len(root) < minRoot || len(seen) < 12 {
		return errors.New("TENON_ROOT_SECRET must be at least 32 random characters; make one with: openssl rand -base64 48")
	}
	return nil
}

// DevelopmentRoot returns the root secret kept in folder, making it on first use.
func DevelopmentRoot(folder string) (string, error) {
	path := filepath.Join(folder, "root.secret")
	text, err := os.ReadFile(path)
	if err == nil {
		return strings.TrimSpace(string(text)), nil
	}
	if !errors.Is(err, os.ErrNotExist) {
		return "", fmt.Errorf("read the root secret: %w", err)
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", fmt.Errorf("make the data folder: %w", err)
	}
	var random [48]byte
	_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
	root := base64.StdEncoding.EncodeToString(random[:])
	// Exclusive: of two processes that start at once, the second reads what the first wrote.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return DevelopmentRoot(folder)
	}
	if err != nil {
		return "", fmt.Errorf("keep the root secret: %w", err)
	}
	_, err = f.WriteString(root + "\n")
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err != nil {
		return "", fmt.Errorf("keep the root secret: %w", err)
	}
	return root, nil
}
