package validator

import (
	"testing"
)

// TestFormats: what the formats take and refuse, beyond the public suite.
func TestFormats(t *testing.T) {
	t.Parallel()
	for format, c := range map[string]struct{ yes, no []string }{
		"ipv4":          {[]string{"1.2.3.4", "255.255.255.255"}, []string{"+1.2.3.4", "01.2.3.4", "1.2.3", "256.1.1.1", "::1", "1.2.3.4/8", "1.2.3.४"}},
		"hostname":      {[]string{"a", "a-b.example", "xn--4gbwdl.xn--wgbh1c", "1.2", "A.B"}, []string{"", ".", "a.", ".a", "a..b", "a_b", "-a", "a-", "ab--c", "xn--X", "xn--", "é.example", "a b"}},
		"idn-hostname":  {[]string{"실례.테스트", "a.example", "例え。テスト", "l·l"}, []string{"", "〮실례", "a·l", "\u0300a", "٠۰", "-é", "a..é"}},
		"email":         {[]string{"a@b.example", `"a b"@b.example`, "a.b+c@[127.0.0.1]", "a@[IPv6:::1]", "~@b"}, []string{"@x", "x@", "a", "a..b@c", ".a@c", "a@b=c.example", `"a"b"@c`, "a@[1.2.3]", "a@[IPv6:1.2.3.4]", "é@b.example", "a b@c"}},
		"idn-email":     {[]string{"실례@실례.테스트", "a@b"}, []string{"2962", "@실례"}},
		"uri":           {[]string{"http://a.example/?b=c#d", "mailto:a@b.example", "urn:a:b", "http://[::1]:80/"}, []string{"/a", "a", "http://a b", `http://a"b`, "http://a/<b>", `http://a\b`, "http://é.example", "http://a/%zz", "http://a/{b}", "http://[1.2.3.4]/", "http://a/#b#c"}},
		"iri":           {[]string{"http://é.example/ü"}, []string{"é", "http://a\u00a0b", "http://2001:db8::1"}},
		"uri-reference": {[]string{"", "/a", "a?b#c", "//a.example"}, []string{`\a`, "a b", "é", "%"}},
		"uri-template": {[]string{"", "a/{b}", "{?x,y}", "{/x*}", "{#x:3}", "{+a.b}", "http://a/{b}{&c}", "{a%20b}", "é{a}"},
			[]string{"{", "}", "{}", "{a", "a}", "{a b}", "{a:}", "{a:0}", "{a:12345}", "{a:1*}", "{{a}}", "a b", "%z", "{$a}"}},
	} {
		var check func(v any) error
		for _, f := range Formats() {
			if f.Name == format {
				check = f.Validate
			}
		}
		for _, s := range c.yes {
			if err := check(s); err != nil {
				t.Errorf("%s refuses %q: %v", format, s, err)
			}
		}
		for _, s := range c.no {
			if check(s) == nil {
				t.Errorf("%s takes %q", format, s)
			}
		}
		if check(5) != nil {
			t.Errorf("%s has something against a number", format)
		}
	}
}

func FuzzFormats(f *testing.F) {
	f.Add("a@[IPv6:::1]")
	f.Add("xn--4gbwdl.{?a:3}")
	f.Fuzz(func(_ *testing.T, s string) {
		if len(s) > 1000 {
			return
		}
		for _, format := range Formats() {
			format.Validate(s)
		}
	})
}
