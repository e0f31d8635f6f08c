package main

import "testing"

func TestThePageMatchesTheStructs(t *testing.T) {
	if err := run("../..", true); err != nil {
		t.Error(err)
	}
}

func TestADocCommentBecomesASentence(t *testing.T) {
	for doc, want := range map[string]string{
		"Addr is where to\nlisten.":   "Where to listen.",
		"Addr takes connections":      "Takes connections.",
		"of buttons, as #rrggbb":      "Of buttons, as #rrggbb.",
		`Addr is "on", or "off".`:     `"on", or "off".`,
		"Addresses are listened to.":  "Addresses are listened to.",
		"Addr says how it is reached": "How it is reached.",
	} {
		if got := sentence(doc, "Addr"); got != want {
			t.Errorf("sentence(%q) = %q, want %q", doc, got, want)
		}
	}
}
