package secret

import (
	"crypto/rand"
	"crypto/sha256"
	"hash/crc32"
	"strconv"
	"strings"
)

const (
	base62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	// tokenDigits base62 digits hold 190 random bits.
	tokenDigits = 32
)

// NewToken makes an unguessable token, tn_<kind>_<random>_<checksum>, and the hash
// to store in its place. kind is lower-case letters. The checksum lets scanners of
// leaked secrets confirm a find without asking us.
func NewToken(kind string) (token string, hash []byte) {
	var b strings.Builder
	b.WriteString("tn_" + kind + "_")
	for b.Len() < len("tn__")+len(kind)+tokenDigits {
		var random [48]byte
		_, _ = rand.Read(random[:]) // never fails: crypto/rand ends the program instead
		for _, r := range random {
			// 248 is the largest multiple of 62: values above it would favour some digits.
			if r < 248 && b.Len() < len("tn__")+len(kind)+tokenDigits {
				b.WriteByte(base62[r%62])
			}
		}
	}
	token = Checked(b.String())
	return token, Hash(token)
}

// Checked appends the checksum to a token that was made otherwise.
func Checked(token string) string { return token + "_" + checksum(token) }

// Hash is what the database keeps of a token: SHA-256 suffices for 190 random bits.
func Hash(token string) []byte {
	sum := sha256.Sum256([]byte(token))
	return sum[:]
}

// IsToken reports whether s is well formed as a token of kind. What is not cannot
// be in the database, and is refused without asking it.
func IsToken(kind, s string) bool {
	rest, ok := strings.CutPrefix(s, "tn_"+kind+"_")
	if !ok {
		return false
	}
	digits, sum, ok := strings.Cut(rest, "_")
	if !ok || len(digits) < tokenDigits || len(digits) > 128 {
		return false
	}
	for i := range len(digits) {
		if !strings.Contains(base62, digits[i:i+1]) {
			return false
		}
	}
	return sum == checksum(s[:len(s)-len(sum)-1])
}

// checksum is 31 bits of CRC-32 as six base36 digits.
func checksum(s string) string {
	sum := strconv.FormatUint(uint64(crc32.ChecksumIEEE([]byte(s))&0x7fffffff), 36)
	return strings.Repeat("0", 6-len(sum)) + sum
}
