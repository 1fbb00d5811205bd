package cmd

import (
	"fmt"
	"os"
	"path/filepath"

	"sandbar/plugins"
	"sandbar/plugins/sdk"
)

type pluginNewCmd struct {
	Lang string `default:"lua" enum:"lua,go,rust,c,as" help:"Language: lua, go, rust, c or as (AssemblyScript)."`
	Name string `arg:"" help:"Its name; a folder of this name is made."`
}

// Run writes the folder and says how it is built.
func (n *pluginNewCmd) Run(con console) error {
	if err := plugins.CheckName(n.Name); err != nil {
		return err
	}
	l, err := sdk.Find(n.Lang)
	if err != nil {
		return err
	}
	files, err := l.Files(n.Name)
	if err != nil {
		return err
	}
	if err := os.Mkdir(n.Name, 0o755); err != nil {
		return fmt.Errorf("make the folder of the plugin: %w", err)
	}
	for _, path := range sdk.Paths(files) {
		to := filepath.Join(n.Name, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(to), 0o755); err != nil {
			return fmt.Errorf("make the folder of the plugin: %w", err)
		}
		if err := os.WriteFile(to, files[path], 0o644); err != nil {
			return fmt.Errorf("write the plugin: %w", err)
		}
	}
	fmt.Fprintf(con.out, "%s is a plugin in %s that counts messages. Next:\n\n", n.Name, l.Title)
	if l.Build != "" {
		fmt.Fprintf(con.out, "  (cd %s && %s)   # needs %s\n", n.Name, l.Command(n.Name), l.Needs)
	}
	fmt.Fprintf(con.out, "  sandbar test %s\n  sandbar plugin deploy %s/analysis/%s.cfg\n", n.Name, n.Name, n.Name)
	return nil
}
