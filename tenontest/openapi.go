package tenontest

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/tenonhq/tenon/platform/authz"
)

// document is what a sweep reads of an OpenAPI document.
type document struct {
	Paths      map[string]map[string]operation `json:"paths"`
	Components struct {
		Schemas map[string]*schema `json:"schemas"`
	} `json:"components"`
}

// operation is one operation of the document.
type operation struct {
	ID     string `json:"operationId"`
	Access struct {
		Kind       string           `json:"kind"`
		Permission authz.Permission `json:"permission"`
		Fresh      bool             `json:"fresh"`
		Person     bool             `json:"person"`
	} `json:"x-access"`
	Body *struct {
		Required bool `json:"required"`
		Content  map[string]struct {
			Schema *schema `json:"schema"`
		} `json:"content"`
	} `json:"requestBody"`

	method, path string
}

// params are the path parameters but the organization, as they stand in the path.
func (o operation) params() []string {
	var names []string
	for _, p := range pathParam.FindAllString(o.path, -1) {
		if p != "{org}" {
			names = append(names, strings.Trim(p, "{}"))
		}
	}
	return names
}

// chooses reports whether a header names the organization, and not the path.
func (o operation) chooses() bool {
	return o.Access.Kind == "org" && !strings.Contains(o.path, "{org}")
}

// streams is the media type of a body that is no JSON; empty for all others.
func (o operation) streams() string {
	if o.Body == nil {
		return ""
	}
	for kind := range o.Body.Content {
		if kind != "application/json" {
			return kind
		}
	}
	return ""
}

// schema is what a sweep understands of JSON Schema: enough to make a value.
type schema struct {
	Ref        string             `json:"$ref"`
	Type       any                `json:"type"` // a name, or a list of names
	Format     string             `json:"format"`
	Examples   []json.RawMessage  `json:"examples"`
	Enum       []json.RawMessage  `json:"enum"`
	Minimum    *float64           `json:"minimum"`
	MinLength  *int               `json:"minLength"`
	Required   []string           `json:"required"`
	Properties map[string]*schema `json:"properties"`
}

// readDocument finds the operations, those that make things before those that need them.
func (s *sweep) readDocument() {
	s.t.Helper()
	text, err := s.Web.OpenAPI()
	s.must(err)
	s.must(json.Unmarshal(text, &s.doc))
	for _, path := range slices.Sorted(maps.Keys(s.doc.Paths)) {
		methods := s.doc.Paths[path]
		for _, method := range slices.Sorted(maps.Keys(methods)) {
			op := methods[method]
			op.method, op.path = strings.ToUpper(method), path
			s.ops = append(s.ops, op)
		}
	}
	if len(s.ops) == 0 {
		s.t.Fatal("the OpenAPI document describes no operations")
	}
}

// body makes the JSON object that op takes, from the examples in its schema.
func (s *sweep) body(op operation) map[string]any {
	v, _ := s.value(op.Body.Content["application/json"].Schema).(map[string]any)
	return v
}

// bodyWith is that object with one more member.
func (s *sweep) bodyWith(op operation, key string) string {
	b := s.body(op)
	if b == nil {
		b = map[string]any{}
	}
	b[key] = 1
	return mustJSON(b)
}

func firstKey(body map[string]any) string {
	keys := slices.Sorted(maps.Keys(body))
	if len(keys) == 0 {
		return ""
	}
	return keys[0]
}

// value makes a value that a schema allows, as far as it can be seen from it.
func (s *sweep) value(of *schema) any {
	if of == nil {
		return nil
	}
	if name, ok := strings.CutPrefix(of.Ref, "#/components/schemas/"); ok {
		return s.value(s.doc.Components.Schemas[name])
	}
	for _, list := range [][]json.RawMessage{of.Examples, of.Enum} {
		if len(list) > 0 {
			return list[0]
		}
	}
	switch of.kind() {
	case "object":
		object := map[string]any{}
		for _, name := range of.Required {
			if name != "$schema" {
				object[name] = s.value(of.Properties[name])
			}
		}
		return object
	case "array":
		return []any{}
	case "integer", "number":
		if of.Minimum != nil {
			return *of.Minimum
		}
		return 1
	case "boolean":
		return false
	case "string":
		return text(of)
	}
	return nil
}

func (o *schema) kind() string {
	switch t := o.Type.(type) {
	case string:
		return t
	case []any:
		name, _ := t[0].(string)
		return name
	}
	return ""
}

func text(of *schema) string {
	if of.Format == "date-time" {
		return "2030-01-01T00:00:00Z"
	}
	word := "sweep"
	if of.MinLength != nil {
		word += strings.Repeat("p", max(0, *of.MinLength-len(word)))
	}
	return word
}
