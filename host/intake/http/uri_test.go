package httpdoor

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

const (
	id        = "0fdac909-d2ec-454c-b625-261a3e5d5c9b"
	generic   = "/submit/shop/cart/1/" + id
	telemetry = "/submit/telemetry/" + id + "/main/Firefox/128.0/release/20260706103020"
)

func TestParseURI(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		path, args string
		want       submission
		err        error
	}{
		{generic, "", submission{"shop", "cart", "1", id}, nil},
		{generic, "anything=goes&v=3", submission{"shop", "cart", "1", id}, nil},
		{"/submit/shop/cart/1/" + strings.ToUpper(id), "", submission{"shop", "cart", "1", strings.ToUpper(id)}, nil},
		{"/submit/%73hop/c%20art/%31/" + id, "", submission{"shop", "c art", "1", id}, nil},
		{"/submit/sh%C3%B6p/cart/1/" + id, "", submission{"shöp", "cart", "1", id}, nil},
		{telemetry, "v=4", submission{"telemetry", "main", "", id}, nil},
		{telemetry, "a=b&v=4&v=3", submission{"telemetry", "main", "", id}, nil},
		{"/submit/telemetry/core/10/" + id, "", submission{"telemetry", "core", "10", id}, nil},

		{"/", "", submission{}, errElsewhere},
		{"", "", submission{}, errElsewhere},
		{"/submit", "", submission{}, errElsewhere},
		{"/submit/", "", submission{}, errElsewhere},
		{"/Submit/shop/cart/1/" + id, "", submission{}, errElsewhere},
		{"/status", "", submission{}, errElsewhere},
		{"/submit//cart/1/" + id, "", submission{}, errSegment},
		{"/submit/a%2Fb/cart/1/" + id, "", submission{}, errSegment},
		{"/submit/%zz/cart/1/" + id, "", submission{}, errSegment},
		{"/submit/../cart/1/" + id, "", submission{}, errSegment},

		{"/submit/shop", "", submission{namespace: "shop"}, errGeneric},
		{"/submit/shop/cart/1", "", submission{"shop", "cart", "1", ""}, errGeneric},
		{generic + "/more", "", submission{"shop", "cart", "1", id}, errGeneric},
		{"/submit/shop" + strings.Repeat("/a", 100), "", submission{"shop", "a", "a", "a"}, errGeneric},
		{"/submit/shop/cart/one/" + id, "", submission{"shop", "cart", "one", id}, errVersion},
		{"/submit/shop/cart/-1/" + id, "", submission{"shop", "cart", "-1", id}, errVersion},
		{"/submit/shop/cart/1.5/" + id, "", submission{"shop", "cart", "1.5", id}, errVersion},
		{"/submit/shop/cart/1234567890/" + id, "", submission{"shop", "cart", "1234567890", id}, errVersion},
		{"/submit/shop/cart/1/" + id[1:], "", submission{"shop", "cart", "1", id[1:]}, errID},
		{"/submit/shop/cart/1/g" + id[1:], "", submission{"shop", "cart", "1", "g" + id[1:]}, errID},
		{"/submit/shop/cart/1/" + strings.ReplaceAll(id, "-", "0"), "", submission{"shop", "cart", "1", strings.ReplaceAll(id, "-", "0")}, errID},
		{"/submit/shop//1/" + id, "", submission{namespace: "shop"}, errSegment},
		{"/submit/shop/./1/" + id, "", submission{namespace: "shop"}, errSegment},
		{"/submit/shop/%2e%2e/1/" + id, "", submission{namespace: "shop"}, errSegment},
		{"/submit/shop/a%00b/1/" + id, "", submission{namespace: "shop"}, errSegment},
		{"/submit/shop/a%0Ab/1/" + id, "", submission{namespace: "shop"}, errSegment},
		{"/submit/shop/a%FFb/1/" + id, "", submission{namespace: "shop"}, errSegment},
		{"/submit/shop/a\xffb/1/" + id, "", submission{namespace: "shop"}, errSegment},
		{"/submit/shop/a\x7fb/1/" + id, "", submission{namespace: "shop"}, errSegment},

		{telemetry, "", submission{"telemetry", "main", "", id}, errV4},
		{telemetry, "v=3", submission{"telemetry", "main", "", id}, errV4},
		{telemetry, "v=44", submission{"telemetry", "main", "", id}, errV4},
		{telemetry, "vv=4", submission{"telemetry", "main", "", id}, errV4},
		{telemetry, "v=3&v=4", submission{"telemetry", "main", "", id}, errV4},
		{telemetry + "/more", "v=4", submission{"telemetry", "main", "", id}, errTelemetry},
		{"/submit/telemetry/" + id + "/main", "v=4", submission{"telemetry", "main", "", id}, errTelemetry},
		{"/submit/telemetry/" + id, "v=4", submission{"telemetry", "", "", id}, errTelemetry},
		{"/submit/telemetry/x/main/Firefox/128.0/release/2026", "v=4", submission{"telemetry", "main", "", "x"}, errID},
		{"/submit/telemetry/" + id + "/main/Firefox//release/2026", "v=4", submission{namespace: "telemetry"}, errSegment},
		{"/submit/telemetry/main/4", "v=4", submission{"telemetry", "main", "4", ""}, errGeneric},
	} {
		got, err := parseURI(tt.path, tt.args)
		if !errors.Is(err, tt.err) || got != tt.want {
			t.Errorf("%s?%s\n gives %+v, %v\n want  %+v, %v", tt.path, tt.args, got, err, tt.want, tt.err)
		}
	}
}

// Whatever passes is safe to use as names: of a schema, a folder, a field.
func FuzzParseURI(f *testing.F) {
	f.Add(generic, "")
	f.Add(telemetry, "v=4")
	f.Add("/submit/a%2fb/%2e%2e/0/"+id, "v=%34")
	f.Add("/submit/telemetry/"+id+"//a/b/c/d", "&&v=4")
	f.Fuzz(func(t *testing.T, path, args string) {
		s, err := parseURI(path, args)
		if again, err2 := parseURI(path, args); s != again || !errors.Is(err2, err) {
			t.Fatalf("%q gives %+v, %v and then %+v, %v", path, s, err, again, err2)
		}
		if err != nil {
			if strings.ContainsAny(err.Error(), "\r\n") {
				t.Fatalf("the error goes to clients and has lines: %q", err)
			}
			return
		}
		for _, name := range []string{s.namespace, s.docType, s.docID} {
			if name == "" || name == "." || name == ".." || strings.ContainsAny(name, "/\x00\n\r") || !utf8.ValidString(name) {
				t.Fatalf("%q is taken with a part %q", path, name)
			}
		}
		if !isUUID(s.docID) || s.docVersion != "" && !isNumber(s.docVersion) || s.docVersion == "" && (s.namespace != "telemetry" || !strings.Contains(args, "v=4")) {
			t.Fatalf("%q?%q is taken as %+v", path, args, s)
		}
	})
}

func BenchmarkParseURI(b *testing.B) {
	for name, uri := range map[string][2]string{"generic": {generic, ""}, "telemetry": {telemetry, "v=4"}} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := parseURI(uri[0], uri[1]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
