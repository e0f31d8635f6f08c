package observe

import (
	"crypto/rand"
	"encoding/hex"

	"github.com/tenonhq/tenon/platform/id"
)

// RequestID returns header, the value of an inbound X-Request-ID, if it is 8 to 64
// characters of A–Z a–z 0–9 . _ - without a secret of ours, and else a fresh id: nobody
// else's text reaches the logs.
func RequestID(header string) string {
	if acceptableRequestID(header) {
		return header
	}
	return id.New[requestKind]().String()
}

type requestKind struct{}

func (requestKind) Prefix() string { return "req" }

func acceptableRequestID(s string) bool {
	if len(s) < 8 || len(s) > 64 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if !isAlphanumeric(c) && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return isPlain(s)
}

// Trace returns the trace id of an inbound traceparent header and true, or a fresh trace
// id and false if the header is absent or not exactly as W3C Trace Context demands
// (https://www.w3.org/TR/trace-context/#traceparent-header).
func Trace(traceparent string) (traceID string, ok bool) {
	if traceID, ok = parseTraceparent(traceparent); ok {
		return traceID, true
	}
	var fresh [16]byte
	_, _ = rand.Read(fresh[:]) // crypto/rand.Read never fails (it ends the process instead)
	return hex.EncodeToString(fresh[:]), false
}

// parseTraceparent reads version "-" trace-id "-" parent-id "-" flags. A version above
// 00 may append more after another dash; version ff is forbidden.
func parseTraceparent(s string) (traceID string, ok bool) {
	const length = 55
	if len(s) < length || len(s) > 512 || s[2] != '-' || s[35] != '-' || s[52] != '-' {
		return "", false
	}
	version, trace, parent, flags := s[:2], s[3:35], s[36:52], s[53:length]
	if !isLowerHex(version) || version == "ff" || !isLowerHex(flags) {
		return "", false
	}
	if len(s) > length && (version == "00" || s[length] != '-') {
		return "", false
	}
	if !isLowerHex(trace) || isZeros(trace) || !isLowerHex(parent) || isZeros(parent) {
		return "", false
	}
	return trace, true
}

func isLowerHex(s string) bool {
	for i := range len(s) {
		if c := s[i]; (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

func isZeros(s string) bool {
	for i := range len(s) {
		if s[i] != '0' {
			return false
		}
	}
	return true
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}
