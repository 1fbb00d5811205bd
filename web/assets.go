package web

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"strings"

	"github.com/klauspost/compress/gzip"
	"github.com/labstack/echo/v4"
)

// assets are the files that pages load, by name.
type assets map[string]asset

type asset struct {
	body []byte
	zip  []byte // body, compressed as far as it goes
	typ  string
	hash string // of the body; part of the address and the ETag
}

// contentTypes are those of our own files. The machine's table would make answers differ between machines.
var contentTypes = map[string]string{
	".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
	".png": "image/png", ".ico": "image/x-icon", ".woff2": "font/woff2", ".json": "application/json",
	".map": "application/json", ".txt": "text/plain; charset=utf-8",
}

func newAssets(files fs.FS) (assets, error) {
	entries, err := fs.ReadDir(files, "assets")
	if err != nil {
		return nil, fmt.Errorf("web: assets: %w", err)
	}
	a := assets{}
	for _, e := range entries {
		body, err := fs.ReadFile(files, path.Join("assets", e.Name()))
		if err != nil {
			return nil, fmt.Errorf("web: assets: %w", err)
		}
		typ := contentTypes[path.Ext(e.Name())]
		if typ == "" {
			typ = "application/octet-stream"
		}
		sum := sha256.Sum256(body)
		zip, err := compressed(body)
		if err != nil {
			return nil, fmt.Errorf("web: compress %s: %w", e.Name(), err)
		}
		a[e.Name()] = asset{body: body, zip: zip, typ: typ, hash: hex.EncodeToString(sum[:8])}
	}
	return a, nil
}

// url is the address of a file as it is now. A template that names a file which is not there fails.
func (a assets) url(name string) (string, error) {
	f, ok := a[name]
	if !ok {
		return "", fmt.Errorf("there is no asset %s", name)
	}
	return "/assets/" + name + "?v=" + f.hash, nil
}

func (a assets) serve(c echo.Context) error {
	f, ok := a[c.Param("file")]
	if !ok {
		return refuse(http.StatusNotFound, "there is no such file")
	}
	h, tag := c.Response().Header(), `"`+f.hash+`"`
	h.Set("ETag", tag)
	h.Set("Cache-Control", "no-cache") // kept, but asked about each time
	if c.QueryParam("v") == f.hash {
		h.Set("Cache-Control", "public, max-age=31536000, immutable")
	}
	if c.Request().Header.Get("If-None-Match") == tag {
		return c.NoContent(http.StatusNotModified)
	}
	h.Set("Vary", "Accept-Encoding")
	if acceptsGzip(c.Request()) {
		h.Set("Content-Encoding", "gzip")
		return c.Blob(http.StatusOK, f.typ, f.zip)
	}
	return c.Blob(http.StatusOK, f.typ, f.body)
}

func compressed(body []byte) ([]byte, error) {
	var b bytes.Buffer
	w, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		return nil, err
	}
	if _, err := w.Write(body); err != nil {
		return nil, err
	}
	err = w.Close()
	return b.Bytes(), err
}

// acceptsGzip is simple: browsers say "gzip, deflate, br", and who says anything odder gets what is not compressed.
func acceptsGzip(r *http.Request) bool {
	for part := range strings.SplitSeq(r.Header.Get("Accept-Encoding"), ",") {
		if strings.TrimSpace(part) == "gzip" {
			return true
		}
	}
	return false
}
