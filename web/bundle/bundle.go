package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// licence of the one library in the bundle. Its terms ask for it in every copy.
const licence = "uplot-license.txt"

// build returns the files of web/assets by name.
func build(web string) (map[string][]byte, error) {
	abs, err := filepath.Abs(web)
	if err != nil {
		return nil, err
	}
	text, err := os.ReadFile(filepath.Join(abs, "node_modules", "uplot", "LICENSE"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, errors.New("bundle: node_modules has no uPlot; run npm ci in the folder web first")
	}
	if err != nil {
		return nil, fmt.Errorf("bundle: %w", err)
	}
	res := api.Build(api.BuildOptions{
		AbsWorkingDir:     abs,
		EntryPoints:       []string{"src/app.js", "src/theme.js", "src/app.css", "src/favicon.svg"},
		Outdir:            "assets",
		Bundle:            true,
		Format:            api.FormatIIFE,
		Charset:           api.CharsetUTF8,
		Loader:            map[string]api.Loader{".svg": api.LoaderCopy},
		Engines:           []api.Engine{{Name: api.EngineChrome, Version: "123"}, {Name: api.EngineFirefox, Version: "121"}, {Name: api.EngineSafari, Version: "17.5"}},
		MinifyWhitespace:  true,
		MinifySyntax:      true,
		MinifyIdentifiers: true,
		Banner:            map[string]string{"js": "/* Made by go generate in web. */", "css": "/* Made by go generate in web. */"},
		Write:             false,
	})
	if len(res.Errors) > 0 {
		return nil, fmt.Errorf("bundle:\n%s", strings.Join(api.FormatMessages(res.Errors, api.FormatMessagesOptions{}), ""))
	}
	files := map[string][]byte{licence: text}
	for _, f := range res.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	app := "/* Contains uPlot, MIT licence: see " + licence + " beside this file. */\n" + string(files["app.js"])
	files["app.js"] = []byte(app)
	return files, nil
}

// write makes web/assets hold these files and no others.
func write(web string, files map[string][]byte) error {
	dir := filepath.Join(web, "assets")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	old, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("bundle: %w", err)
	}
	for _, e := range old {
		if _, kept := files[e.Name()]; kept {
			continue
		}
		if err := os.Remove(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("bundle: a file that is no longer made: %w", err)
		}
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o644); err != nil {
			return fmt.Errorf("bundle: %w", err)
		}
	}
	return nil
}
