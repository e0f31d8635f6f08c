package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// readBody reads the whole body, within limit, and refuses what two readers could
// understand differently: duplicate keys, invalid UTF-8, two documents, other media types.
func readBody(w http.ResponseWriter, q *http.Request, wanted bool, limit int64) error {
	if q.Body == nil || q.Body == http.NoBody || q.ContentLength == 0 {
		q.Body = http.NoBody
		return nil
	}
	if q.ContentLength > limit {
		return errTooLarge
	}
	if wanted {
		if err := checkMediaType(q.Header); err != nil {
			return err
		}
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, q.Body, limit))
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return errTooLarge
	}
	if err != nil {
		return errUnparsable.Because(err)
	}
	if !wanted {
		if trimmed := bytes.TrimSpace(body); len(trimmed) > 0 && string(trimmed) != "{}" {
			return errBody
		}
		q.Body = http.NoBody
		return nil
	}
	if err := checkJSON(body); err != nil {
		return err
	}
	q.Body = io.NopCloser(bytes.NewReader(body))
	return nil
}

func checkMediaType(h http.Header) error {
	if e := h.Get("Content-Encoding"); e != "" && e != "identity" {
		return errMediaType
	}
	kind, params, err := mime.ParseMediaType(h.Get("Content-Type"))
	if err != nil || len(h["Content-Type"]) != 1 || kind != "application/json" {
		return errMediaType
	}
	if charset, ok := params["charset"]; ok && !strings.EqualFold(charset, "utf-8") {
		return errMediaType
	}
	return nil
}

// maxDepth is deeper than any of our inputs.
const maxDepth = 32

// checkJSON walks one JSON document. An empty body is left to the operation.
func checkJSON(body []byte) error {
	if len(body) == 0 {
		return nil
	}
	if !utf8.Valid(body) || halfSurrogate(body) {
		return errText
	}
	d := json.NewDecoder(bytes.NewReader(body))
	d.UseNumber()
	if err := checkValue(d, 0); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errUnparsable
	}
	return nil
}

func checkValue(d *json.Decoder, depth int) error {
	token, err := d.Token()
	if err != nil {
		return errUnparsable.Because(err)
	}
	switch t := token.(type) {
	case string:
		return checkText(t)
	case json.Delim:
		if depth == maxDepth {
			return errDeep
		}
		if t == '{' {
			return checkObject(d, depth)
		}
		for d.More() {
			if err := checkValue(d, depth+1); err != nil {
				return err
			}
		}
		return closed(d)
	}
	return nil
}

func checkObject(d *json.Decoder, depth int) error {
	seen := map[string]bool{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return errUnparsable.Because(err)
		}
		key, ok := token.(string)
		if !ok {
			return errUnparsable
		}
		if seen[key] {
			return errDuplicate
		}
		seen[key] = true
		if err := checkText(key); err != nil {
			return err
		}
		if err := checkValue(d, depth+1); err != nil {
			return err
		}
	}
	return closed(d)
}

func closed(d *json.Decoder) error {
	if _, err := d.Token(); err != nil {
		return errUnparsable.Because(err)
	}
	return nil
}

// halfSurrogate reports an escape that stands for half a character. Our decoder reads
// it as U+FFFD, others differently (RFC 8259 §8.2).
func halfSurrogate(body []byte) bool {
	for i := 0; i+1 < len(body); i++ {
		if body[i] != '\\' {
			continue
		}
		i++ // what is escaped
		if body[i] != 'u' {
			continue
		}
		first := escaped(body[i-1:])
		if !utf16.IsSurrogate(first) {
			continue
		}
		if utf16.DecodeRune(first, escaped(body[min(i+5, len(body)):])) == utf8.RuneError {
			return true
		}
		i += 6 // the other half
	}
	return false
}

// escaped is the code unit of the escape that b begins with; of anything else, U+FFFD.
func escaped(b []byte) rune {
	if len(b) < 6 || b[0] != '\\' || b[1] != 'u' {
		return utf8.RuneError
	}
	n, err := strconv.ParseUint(string(b[2:6]), 16, 16)
	if err != nil {
		return utf8.RuneError
	}
	return rune(n)
}

// checkQuery refuses parameters with more than one reading, or none.
func checkQuery(raw string) error {
	if raw == "" {
		return nil
	}
	values, err := url.ParseQuery(raw)
	if err != nil {
		return errQuery.Because(err)
	}
	for name, list := range values {
		if len(list) > 1 || !utf8.ValidString(name) || !utf8.ValidString(list[0]) || checkText(name) != nil || checkText(list[0]) != nil {
			return errQuery
		}
	}
	return nil
}

// checkText refuses NUL, which PostgreSQL cannot store.
func checkText(s string) error {
	if strings.ContainsRune(s, 0) {
		return errText
	}
	return nil
}
