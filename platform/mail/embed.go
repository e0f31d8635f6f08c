package mail

import "embed"

//go:embed layout/layout.html layout/layout.txt
var layouts embed.FS
