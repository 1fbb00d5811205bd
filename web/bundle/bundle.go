package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/evanw/esbuild/pkg/api"
)

// licences of the libraries in the bundles. Their terms ask for them in every copy.
const (
	licence       = "uplot-license.txt"
	editorLicence = "editor-license.txt"
)

// build returns the files of web/assets by name.
func build(web string) (map[string][]byte, error) {
	abs, err := filepath.Abs(web)
	if err != nil {
		return nil, err
	}
	terms, err := licences(filepath.Join(abs, "node_modules"))
	if err != nil {
		return nil, err
	}
	res := api.Build(api.BuildOptions{
		AbsWorkingDir: abs,
		EntryPointsAdvanced: []api.EntryPoint{{InputPath: "src/app.js", OutputPath: "app"}, {InputPath: "src/theme.js", OutputPath: "theme"}, {InputPath: "src/code/entry.js", OutputPath: "editor"},
			{InputPath: "src/app.css", OutputPath: "app"}, {InputPath: "src/favicon.svg", OutputPath: "favicon"}},
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
	files := terms
	for _, f := range res.OutputFiles {
		files[filepath.Base(f.Path)] = f.Contents
	}
	app := "/* Contains uPlot, MIT licence: see " + licence + " beside this file. */\n" + string(files["app.js"])
	files["app.js"] = []byte(app)
	files["editor.js"] = []byte("/* Contains CodeMirror, MIT licence: see " + editorLicence + " beside this file. */\n" + string(files["editor.js"]))
	return files, nil
}

// licences gathers the terms of the libraries, by the name of the file that they are to be in.
func licences(modules string) (map[string][]byte, error) {
	files := map[string][]byte{}
	for name, patterns := range map[string][]string{
		licence:       {"uplot/LICENSE"},
		editorLicence: {"@codemirror/*/LICENSE", "@lezer/*/LICENSE", "@marijn/*/LICENSE", "crelt/LICENSE", "style-mod/LICENSE", "w3c-keyname/LICENSE"},
	} {
		for _, p := range patterns {
			found, err := filepath.Glob(filepath.Join(modules, filepath.FromSlash(p)))
			if err != nil || len(found) == 0 {
				return nil, fmt.Errorf("bundle: node_modules has no %s; run npm ci in the folder web first", p)
			}
			for _, path := range found {
				text, err := os.ReadFile(path)
				if err != nil {
					return nil, fmt.Errorf("bundle: %w", err)
				}
				library, _ := filepath.Rel(modules, filepath.Dir(path)) // both are absolute
				if name == editorLicence {
					text = append([]byte(filepath.ToSlash(library)+"\n\n"), append(text, '\n')...)
				}
				files[name] = append(files[name], text...)
			}
		}
	}
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
