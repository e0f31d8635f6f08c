package mail

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"text/template/parse"
	"unicode"

	template "github.com/DataDog/datadog-agent/pkg/template/text"
)

// letter is one parsed file: every piece of it is a template of its own, so that what
// is a button or a paragraph is settled before any value is known.
type letter struct {
	subject *template.Template
	preview *template.Template
	blocks  []block
}

type block struct {
	kind  blockKind
	lines []*template.Template // a list has one per item, the others have one
	link  *template.Template   // of a button
}

type blockKind string

const (
	paragraph blockKind = "paragraph"
	button    blockKind = "button"
	code      blockKind = "code"
	list      blockKind = "list"
	small     blockKind = "small"
)

// filledLetter is what the layouts lay out.
type filledLetter struct {
	Brand   Branding
	Locale  string
	Dir     string
	Subject string
	Preview string
	Blocks  []filledBlock
}

type filledBlock struct {
	Kind  blockKind
	Text  string
	Items []string
	URL   string
}

var (
	buttonForm    = regexp.MustCompile(`^\[([^\]\n]+)\]\(([^)\n]+)\)$`)
	trailingSpace = regexp.MustCompile(`[ \t]+\n`)
)

func parseLetter(content string, brand Branding) (*letter, error) {
	content = trailingSpace.ReplaceAllString(content, "\n")
	head, body, ok := strings.Cut(strings.TrimSpace(content), "\n\n")
	if !ok {
		return nil, errors.New("want the subject, an empty line and the letter")
	}
	l := &letter{}
	for line := range strings.Lines(head) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		parsed, err := parseText(strings.TrimSpace(value), brand)
		if err != nil {
			return nil, err
		}
		switch name {
		case "Subject":
			l.subject = parsed
		case "Preview":
			l.preview = parsed
		default:
			return nil, fmt.Errorf("%q is neither a Subject nor a Preview", name)
		}
	}
	if l.subject == nil {
		return nil, errors.New("the letter has no Subject")
	}
	for chunk := range strings.SplitSeq(body, "\n\n") {
		if chunk = strings.TrimSpace(chunk); chunk == "" {
			continue
		}
		b, err := parseBlock(chunk, brand)
		if err != nil {
			return nil, err
		}
		l.blocks = append(l.blocks, b)
	}
	return l, nil
}

func parseBlock(chunk string, brand Branding) (b block, err error) {
	lines := []string{strings.Join(strings.Split(chunk, "\n"), " ")}
	switch found := buttonForm.FindStringSubmatch(chunk); {
	case found != nil:
		b.kind, lines = button, found[1:2]
		if b.link, err = parseValue(found[2], brand); err != nil {
			return b, err
		}
	case len(chunk) > 2 && chunk[0] == '`' && strings.IndexByte(chunk[1:], '`') == len(chunk)-2:
		b.kind, lines = code, []string{chunk[1 : len(chunk)-1]}
	case everyLineBegins(chunk, "- "):
		b.kind, lines = list, strings.Split(chunk[2:], "\n- ")
	case everyLineBegins(chunk, "> "):
		b.kind, lines = small, []string{strings.ReplaceAll(chunk[2:], "\n> ", " ")}
	default:
		b.kind = paragraph
	}
	for _, line := range lines {
		parsed, err := parseText(line, brand)
		if err != nil {
			return b, err
		}
		b.lines = append(b.lines, parsed)
	}
	return b, nil
}

func everyLineBegins(chunk, prefix string) bool {
	for line := range strings.Lines(chunk) {
		if !strings.HasPrefix(line, prefix) {
			return false
		}
	}
	return true
}

// parseText parses a piece of which every value is to be harmless text, see quiet.
func parseText(source string, brand Branding) (*template.Template, error) {
	t, err := parseValue(source, brand)
	if err != nil {
		return nil, err
	}
	escapeActions(t.Root)
	return t, nil
}

func parseValue(source string, brand Branding) (*template.Template, error) {
	return template.New("letter").Option("missingkey=error").Funcs(template.FuncMap{
		"product": func() string { return brand.ProductName },
		quietName: func(v any) string { return quiet(fmt.Sprint(v)) },
	}).Parse(source)
}

// quietName cannot be written in a template by hand, nor collide with a function of one.
const quietName = "quiet_"

// escapeActions appends quiet to everything that prints a value, as html/template does with its escapers.
func escapeActions(n parse.Node) {
	switch n := n.(type) {
	case *parse.ListNode:
		if n == nil {
			return
		}
		for _, child := range n.Nodes {
			escapeActions(child)
		}
	case *parse.ActionNode:
		if len(n.Pipe.Decl) == 0 {
			n.Pipe.Cmds = append(n.Pipe.Cmds, &parse.CommandNode{
				NodeType: parse.NodeCommand,
				Args:     []parse.Node{parse.NewIdentifier(quietName).SetPos(n.Pos)},
			})
		}
	case *parse.IfNode:
		escapeActions(n.List)
		escapeActions(n.ElseList)
	case *parse.RangeNode:
		escapeActions(n.List)
		escapeActions(n.ElseList)
	case *parse.WithNode:
		escapeActions(n.List)
		escapeActions(n.ElseList)
	}
}

func (l *letter) fill(data any) (*filledLetter, error) {
	var failed error
	run := func(t *template.Template) string {
		var out strings.Builder
		if err := t.Execute(&out, data); err != nil && failed == nil {
			failed = err
		}
		return plain(out.String())
	}
	f := &filledLetter{Subject: run(l.subject)}
	if l.preview != nil {
		f.Preview = run(l.preview)
	}
	for _, b := range l.blocks {
		filled := filledBlock{Kind: b.kind}
		for _, line := range b.lines {
			if text := run(line); text != "" {
				filled.Items = append(filled.Items, text)
			}
		}
		if len(filled.Items) == 0 {
			continue
		}
		filled.Text = filled.Items[0]
		if b.link != nil {
			if filled.URL = run(b.link); failed == nil && !isLink(filled.URL) {
				failed = errors.New("the button leads to no http or https URL")
			}
		}
		f.Blocks = append(f.Blocks, filled)
	}
	if failed == nil && f.Subject == "" {
		failed = errors.New("the subject is empty")
	}
	return f, failed
}

// sample gives every field that the letter mentions its own name as value, and links a link.
func (l *letter) sample() map[string]any {
	fields := map[string]any{}
	pieces := []*template.Template{l.subject, l.preview}
	for _, b := range l.blocks {
		pieces = append(append(pieces, b.lines...), b.link)
	}
	for _, piece := range pieces {
		if piece == nil {
			continue
		}
		for _, field := range fieldsOf(piece.Root) {
			fields[field] = "‹" + field + "›"
		}
	}
	for _, b := range l.blocks {
		if b.link == nil {
			continue
		}
		for _, field := range fieldsOf(b.link.Root) {
			fields[field] = "https://example.com/" + strings.ToLower(field)
		}
	}
	return fields
}

var fieldForm = regexp.MustCompile(`\{\{[^}]*?\}\}`)

func fieldsOf(root *parse.ListNode) (fields []string) {
	for _, action := range fieldForm.FindAllString(root.String(), -1) {
		for _, word := range strings.FieldsFunc(action, func(r rune) bool { return r != '.' && r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) }) {
			if name, ok := strings.CutPrefix(word, "."); ok && name != "" && !slices.Contains(fields, name) {
				fields = append(fields, name)
			}
		}
	}
	return fields
}

// quiet makes a value harmless: one line, without what mail programs turn into links by
// themselves. A word joiner, which nobody sees, stands inside "://" and after "www.".
func quiet(s string) string {
	s = plain(s)
	s = strings.ReplaceAll(s, "://", ":\u2060//")
	return wwwForm.ReplaceAllString(s, "${1}\u2060.")
}

var wwwForm = regexp.MustCompile(`(?i)\b(www)\.`)

// plain makes s one line of printable text: whitespace and controls of any kind become
// single spaces; invisible marks that reorder text go.
func plain(s string) string {
	var out strings.Builder
	space := false
	for _, r := range s {
		switch {
		case unicode.IsSpace(r) || unicode.IsControl(r) || r == '\u2028' || r == '\u2029':
			space = out.Len() > 0
		case r == '\u200e' || r == '\u200f' || r >= '\u202a' && r <= '\u202e' || r >= '\u2066' && r <= '\u2069' || r == '\ufeff':
		default:
			if space {
				out.WriteByte(' ')
				space = false
			}
			out.WriteRune(r)
		}
	}
	return out.String()
}
