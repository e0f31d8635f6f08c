package observe

import (
	"encoding"
	"encoding/json"
	"fmt"
	"log/slog"
	"reflect"
	"strings"
	"time"
)

// cleanValue turns any value into plain data without secrets: maps, lists, strings, numbers.
func cleanValue(v any) (clean slog.Value) {
	switch x := v.(type) {
	case nil:
		return slog.AnyValue(nil)
	case slog.Level: // of every record
		return slog.StringValue(x.String())
	}
	defer func() {
		if p := recover(); p != nil { // a method of v: a log line must not end the process
			clean = slog.StringValue(scrub(fmt.Sprintf("%T panicked in its own method", v), maxString))
		}
	}()
	switch x := (&cleaner{left: 1000}).any(v, 0).(type) {
	case string:
		return slog.StringValue(x)
	default:
		return slog.AnyValue(x)
	}
}

// cleaner walks one value; left bounds its size, depth its nesting, so cycles end too.
type cleaner struct{ left int }

const maxDepth = 8

func (c *cleaner) any(v any, depth int) any {
	if c.left--; c.left < 0 || depth > maxDepth {
		return "…"
	}
	if rv := reflect.ValueOf(v); rv.Kind() == reflect.Pointer && rv.IsNil() {
		return nil
	}
	switch x := v.(type) {
	case nil, bool, int, int64, float64, json.Number:
		return x
	case string:
		return scrub(x, maxString)
	case []byte:
		return scrub(string(x), maxString)
	case time.Time:
		return x.UTC().Format(time.RFC3339Nano)
	case time.Duration:
		return milliseconds(x)
	case slog.LogValuer:
		return c.any(slog.AnyValue(x).Resolve().Any(), depth+1)
	case slog.Value:
		return c.any(x.Resolve().Any(), depth+1)
	case []slog.Attr:
		return c.attrs(x, depth)
	case error:
		return scrub(x.Error(), maxString)
	case json.Marshaler:
		return c.marshalled(x, depth)
	case encoding.TextMarshaler:
		text, err := x.MarshalText()
		if err != nil {
			return scrub(err.Error(), maxString)
		}
		return scrub(string(text), maxString)
	case fmt.Stringer:
		return scrub(x.String(), maxString)
	}
	return c.reflected(reflect.ValueOf(v), depth)
}

func (c *cleaner) attrs(attrs []slog.Attr, depth int) any {
	out := make(map[string]any, len(attrs))
	for _, a := range attrs {
		c.put(out, a.Key, a.Key, a.Value.Resolve().Any(), depth)
	}
	return out
}

func (c *cleaner) marshalled(m json.Marshaler, depth int) any {
	text, err := m.MarshalJSON()
	if err != nil {
		return scrub(err.Error(), maxString)
	}
	var plain any
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.UseNumber()
	if err := d.Decode(&plain); err != nil {
		return scrub(string(text), maxString)
	}
	return c.any(plain, depth+1)
}

func (c *cleaner) reflected(v reflect.Value, depth int) any {
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		return c.any(v.Elem().Interface(), depth+1)
	case reflect.Struct:
		out := make(map[string]any, v.NumField())
		c.fields(out, v, depth)
		return out
	case reflect.Map:
		return c.entries(v, depth)
	case reflect.Slice, reflect.Array:
		return c.list(v, depth)
	case reflect.String:
		return scrub(v.String(), maxString)
	case reflect.Func, reflect.Chan, reflect.UnsafePointer, reflect.Complex64, reflect.Complex128:
		return v.Type().String()
	default:
		return v.Interface()
	}
}

func (c *cleaner) fields(out map[string]any, v reflect.Value, depth int) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		name, _, _ := strings.Cut(field.Tag.Get("json"), ",")
		switch {
		case name == "-":
		case field.Anonymous && name == "" && field.Type.Kind() == reflect.Struct:
			c.fields(out, v.Field(i), depth+1)
		case !field.IsExported():
		case name == "":
			c.put(out, field.Name, field.Name, v.Field(i).Interface(), depth)
		default:
			c.put(out, name, field.Name, v.Field(i).Interface(), depth)
		}
	}
}

func (c *cleaner) entries(v reflect.Value, depth int) any {
	out := make(map[string]any, min(v.Len(), 100))
	for entries := v.MapRange(); entries.Next() && c.left > 0; {
		name := fmt.Sprint(entries.Key().Interface())
		c.put(out, name, name, entries.Value().Interface(), depth)
	}
	return out
}

func (c *cleaner) list(v reflect.Value, depth int) any {
	if v.Type().Elem().Kind() == reflect.Uint8 {
		raw := make([]byte, v.Len())
		reflect.Copy(reflect.ValueOf(raw), v)
		return scrub(string(raw), maxString)
	}
	out := make([]any, 0, min(v.Len(), 100))
	for i := range v.Len() {
		if c.left <= 0 {
			return append(out, "…")
		}
		out = append(out, c.any(v.Index(i).Interface(), depth+1))
	}
	return out
}

// put stores value under name, redacted if either name of it, the one in Go or the one in JSON, is sensitive.
func (c *cleaner) put(out map[string]any, name, alias string, value any, depth int) {
	if _, isBool := value.(bool); !isBool && (isSensitive(name) || isSensitive(alias)) {
		out[scrub(name, 128)] = redacted
		return
	}
	out[scrub(name, 128)] = c.any(value, depth+1)
}
