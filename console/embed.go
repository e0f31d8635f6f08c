package console

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var built embed.FS

// Built is the web application as this source builds it.
func Built() fs.FS {
	sub, err := fs.Sub(built, "dist")
	if err != nil {
		panic(err) // the directory is named above
	}
	return sub
}
