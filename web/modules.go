package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"mime"
	"net/http"

	"github.com/labstack/echo/v4"

	"sandbar/host/deploy"
	"sandbar/sandbox/wasm/meter"
)

// module is what is shown of a WASM module.
type module struct {
	Size      int      `json:"size"`
	SHA256    string   `json:"sha256"`
	Functions int      `json:"functions"`
	Memory    int64    `json:"memory"` // bytes that it begins with
	Imports   []string `json:"imports"`
	Exports   []string `json:"exports"`
}

// describe says what a module asks for and offers. Errors have the byte and the section that are at fault.
func describe(source []byte) (*module, error) {
	m, err := meter.Rewrite(source, meter.Options{Pages: 1 << 16, Entries: 1 << 30})
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(source)
	d := &module{Size: len(source), SHA256: hex.EncodeToString(sum[:]), Functions: m.Functions, Memory: int64(m.Memory) << 16, Imports: []string{}, Exports: []string{}}
	for _, i := range m.Imports {
		d.Imports = append(d.Imports, fmt.Sprintf("%s.%s%v", i.Module, i.Name, i.Type))
	}
	for _, x := range m.Exports {
		text := x.Name
		if x.Kind == 0 {
			text += x.Type.String()
		}
		d.Exports = append(d.Exports, text)
	}
	return d, nil
}

// luaOf is a plugin's source, "" of a module.
func luaOf(d *deploy.Detail) string {
	if d.Module {
		return ""
	}
	return string(d.Source)
}

// moduleSize is that of a plugin's module, 0 of Lua.
func moduleSize(d *deploy.Detail) int {
	if d.Module {
		return len(d.Source)
	}
	return 0
}

// isModule says whether a submission's config names a module; it was parsed before.
func (s *Site) isModule(sub deploy.Submission) bool {
	cfg, err := s.opt.Parse(sub.Kind, sub.Name, []byte(sub.Config))
	return err == nil && cfg.IsModule()
}

// pluginSource sends the source as it was submitted.
func (s *Site) pluginSource(c echo.Context) error {
	name, d, err := s.detail(c)
	if err != nil {
		return err
	}
	ending, typ := ".lua", "text/plain; charset=utf-8"
	if d.Module {
		ending, typ = ".wasm", "application/wasm"
	}
	c.Response().Header().Set("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": name + ending}))
	return c.Blob(http.StatusOK, typ, d.Source)
}

// pluginModule says what a plugin's module asks for and offers.
func (s *Site) pluginModule(c echo.Context) error {
	_, d, err := s.detail(c)
	if err != nil {
		return err
	}
	if !d.Module {
		return refuse(http.StatusNotFound, "the plugin is no WASM module")
	}
	m, err := describe(d.Source)
	if err != nil {
		return blame("source", err)
	}
	return answer(c, http.StatusOK, m)
}

// detail is the plugin that the path names.
func (s *Site) detail(c echo.Context) (string, *deploy.Detail, error) {
	name, err := s.resolve(c)
	if err != nil {
		return "", nil, err
	}
	d, err := s.opt.Plugins.Get(c.Request().Context(), name)
	return name, &d, err
}
