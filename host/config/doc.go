package config

import (
	"fmt"
	"reflect"
	"strings"
)

// key is one key of the file, or a table when it has no value.
type key struct {
	name  string // "edge.max_path"
	doc   string
	kind  string // for people
	value string // the default as TOML; "" for a table
}

// keys lists the keys in the order of the struct, each table before its own.
func keys() []key { return keysOf(reflect.ValueOf(Default()), "") }

func keysOf(v reflect.Value, prefix string) []key {
	var plain, tables []key
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Tag.Get("toml") == "-" {
			continue
		}
		k := key{name: prefix + f.Tag.Get("toml"), doc: f.Tag.Get("doc")}
		switch x := v.Field(i).Interface().(type) {
		case string:
			k.kind, k.value = "text", fmt.Sprintf("%q", x)
		case bool:
			k.kind, k.value = "true or false", fmt.Sprint(x)
		case []string:
			k.kind, k.value = "list of texts", "[]"
		case []Network:
			k.kind, k.value = "list of addresses", "[]"
		case Size:
			k.kind, k.value = "size", fmt.Sprintf("%q", x)
		case Count:
			k.kind, k.value = "number", fmt.Sprint(x)
		case Duration:
			k.kind, k.value = "duration", fmt.Sprintf("%q", x)
		default:
			tables = append(tables, k)
			tables = append(tables, keysOf(v.Field(i), k.name+".")...)
			continue
		}
		plain = append(plain, k)
	}
	return append(plain, tables...)
}

// Sample is a config file with every key, its documentation and its default, commented out.
func Sample() string {
	var b strings.Builder
	b.WriteString("# Sandbar's host. Every key is shown with its default; take away the # to change one.\n")
	for _, k := range keys() {
		fmt.Fprintf(&b, "\n# %s\n", k.doc)
		if k.value == "" {
			fmt.Fprintf(&b, "[%s]\n", k.name)
			continue
		}
		fmt.Fprintf(&b, "#%s = %s\n", k.name[strings.LastIndexByte(k.name, '.')+1:], k.value)
	}
	return b.String()
}

// Markdown is the table of all keys for docs/configuration.md.
func Markdown() string {
	var b strings.Builder
	b.WriteString("| key | what it is | default | meaning |\n|---|---|---|---|\n")
	for _, k := range keys() {
		if k.value == "" {
			fmt.Fprintf(&b, "| **[%s]** | | | %s |\n", k.name, k.doc)
			continue
		}
		fmt.Fprintf(&b, "| `%s` | %s | `%s` | %s |\n", k.name, k.kind, k.value, k.doc)
	}
	return b.String()
}
