// Package docs is the documentation, for the host to show beside its pages.
package docs

import "embed"

// Files are the Markdown files of this folder, and their pictures.
//
//go:embed *.md format/*.md images/*.webp
var Files embed.FS
