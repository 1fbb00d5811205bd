// Package docs is the documentation, for the host to show beside its pages.
package docs

import "embed"

// Files are the Markdown files of this folder.
//
//go:embed *.md format/*.md
var Files embed.FS
