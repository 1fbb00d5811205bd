package feed

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/google/uuid"
)

// ping is one file of a tree and what its place in it says.
type ping struct {
	path      string // within the tree
	namespace string
	docType   string
	version   string
}

// verdictName is <docType>.<version>.<name>.<pass|fail>.json.
var (
	verdictName = regexp.MustCompile(`^([^./]+)\.(\d{1,9})\.(.+\.)?(pass|fail)\.json$`)
	number      = regexp.MustCompile(`^\d{1,9}$`)
)

// recognise reads the place of a file: <namespace>/<docType>.<version>.<name>.<pass|fail>.json in any depth, or
// <namespace>/<docType>/<version>/...json. root is the name of the folder that the tree is in; it counts as
// the namespace when the path has none.
func recognise(root, name string) (ping, bool) {
	if path.Ext(name) != ".json" {
		return ping{}, false
	}
	for _, full := range []string{name, path.Join(root, name)} {
		parts := strings.Split(full, "/")
		last := len(parts) - 1
		if m := verdictName.FindStringSubmatch(parts[last]); m != nil && last >= 1 {
			return ping{path: name, namespace: parts[last-1], docType: m[1], version: m[2]}, true
		}
		if last >= 3 && number.MatchString(parts[2]) {
			return ping{path: name, namespace: parts[0], docType: parts[1], version: parts[2]}, true
		}
	}
	return ping{}, false
}

// scan lists the pings of a tree in the order of their names, and the .json files that are none.
func scan(tree fs.FS, root string) (pings []ping, unknown []string, err error) {
	err = fs.WalkDir(tree, ".", func(name string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if e.IsDir() || path.Ext(name) != ".json" {
			return nil
		}
		if p, ok := recognise(root, name); ok {
			pings = append(pings, p)
		} else {
			unknown = append(unknown, name)
		}
		return nil
	})
	if err != nil {
		return nil, nil, fmt.Errorf("looking for ping files: %w", err)
	}
	return pings, unknown, nil
}

// letterhead is what the URI of a submission takes from its document.
type letterhead struct {
	ID          string `json:"id"`
	Application struct {
		Name    string `json:"name"`
		Version string `json:"version"`
		Channel string `json:"channel"`
		BuildID string `json:"buildId"`
	} `json:"application"`
}

// addressee gives submissions their URIs. No document id is given twice: many test files share one, and the
// host would drop all but the first.
type addressee struct{ used map[string]bool }

func (a *addressee) uri(p ping, document []byte) string {
	var h letterhead
	_ = json.Unmarshal(document, &h) // a broken document is sent too: what can be read is enough
	id := a.id(p, h.ID)
	parts := []string{"", "submit", p.namespace, p.docType, p.version, id}
	args := ""
	if p.namespace == "telemetry" {
		app := h.Application
		parts = []string{
			"", "submit", p.namespace, id, p.docType, or(app.Name, "Unknown"), or(app.Version, "0"), or(app.Channel, "default"), or(app.BuildID, "00000000000000"),
		}
		args = "?v=4"
	}
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return strings.Join(parts, "/") + args
}

// id is the document's own when it is a UUID that was not given yet, else one made of the file's path:
// sending a tree again gives the same ids.
func (a *addressee) id(p ping, own string) string {
	key := strings.ToLower(own)
	if _, err := uuid.Parse(own); err != nil || len(own) != 36 || a.used[key] {
		made := uuid.NewSHA1(uuid.NameSpaceURL, []byte("sandbar:"+p.path))
		own, key = made.String(), made.String()
	}
	a.used[key] = true
	return own
}

// or is the value when it can stand in a URI as one segment, else the default.
func or(value, def string) string {
	unfit := slices.Contains([]string{"", ".", ".."}, value) || len(value) > 100 || strings.ContainsFunc(value, func(r rune) bool { return r == '/' || r < ' ' || r == 0x7f || r == '\ufffd' })
	if unfit {
		return def
	}
	return value
}
