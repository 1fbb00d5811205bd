package validator

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/net/idna"
)

// Formats are those that are checked more strictly than the library does; it has the others: date, date-time, time, duration, uuid, ipv6, json-pointer, relative-json-pointer, regex.
func Formats() []*jsonschema.Format {
	text := func(name string, check func(s string) error) *jsonschema.Format {
		return &jsonschema.Format{Name: name, Validate: func(v any) error {
			s, ok := v.(string)
			if !ok {
				return nil
			}
			return check(s)
		}}
	}
	return []*jsonschema.Format{
		text("ipv4", ipv4), text("hostname", hostname), text("idn-hostname", idnHostname),
		text("email", func(s string) error { return email(s, hostname, false) }), text("idn-email", func(s string) error { return email(s, idnHostname, true) }),
		text("uri", func(s string) error { return uri(s, true, false) }), text("iri", func(s string) error { return uri(s, true, true) }),
		text("uri-reference", func(s string) error { return uri(s, false, false) }), text("iri-reference", func(s string) error { return uri(s, false, true) }),
		text("uri-template", uriTemplate),
	}
}

func ipv4(s string) error {
	a, err := netip.ParseAddr(s)
	if err != nil {
		return err
	}
	if !a.Is4() {
		return errors.New("it is no address of version 4")
	}
	return nil
}

// Bounds of names, RFC 1035.
const (
	maxHostname = 253
	maxLabel    = 63
)

// hostname is RFC 1123's: letters, digits and hyphens; a label that begins with xn-- has to be one of RFC 5890.
func hostname(s string) error {
	if len(s) > maxHostname {
		return fmt.Errorf("it has more than %d characters", maxHostname)
	}
	for label := range strings.SplitSeq(s, ".") {
		if err := asciiLabel(label); err != nil {
			return err
		}
	}
	return nil
}

func asciiLabel(label string) error {
	if label == "" || len(label) > maxLabel {
		return fmt.Errorf("a label has 1 to %d characters", maxLabel)
	}
	for i := range len(label) {
		if c := label[i]; c != '-' && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return fmt.Errorf("%q may not stand in a label", rune(c))
		}
	}
	if label[0] == '-' || label[len(label)-1] == '-' {
		return errors.New("a label begins or ends with a hyphen")
	}
	if len(label) > 3 && label[2:4] == "--" {
		return unicodeLabel(strings.ToLower(label))
	}
	return nil
}

// labels checks what RFC 5891 wants of a label, but for the rules of contextual.
func labels() *idna.Profile {
	return idna.New(idna.ValidateLabels(true), idna.CheckHyphens(true), idna.CheckJoiners(true), idna.BidiRule(), idna.StrictDomainName(true))
}

// idnHostname is RFC 5890's.
func idnHostname(s string) error {
	length := 0
	for label := range strings.SplitSeq(strings.Map(dots, s), ".") {
		ascii := !strings.ContainsFunc(label, func(r rune) bool { return r >= utf8.RuneSelf })
		if ascii {
			if err := asciiLabel(label); err != nil {
				return err
			}
			length += len(label) + 1
			continue
		}
		if err := unicodeLabel(label); err != nil {
			return err
		}
		encoded, err := labels().ToASCII(label)
		if err != nil {
			return err
		}
		if length += len(encoded) + 1; len(encoded) > maxLabel {
			return fmt.Errorf("a label has more than %d characters as it is sent", maxLabel)
		}
	}
	if length > maxHostname+1 {
		return fmt.Errorf("it has more than %d characters as it is sent", maxHostname)
	}
	return nil
}

// dots makes a full stop of what separates labels.
func dots(r rune) rune {
	switch r {
	case '\u3002', '\uff0e', '\uff61':
		return '.'
	}
	return r
}

// unicodeLabel checks a label that has characters beyond ASCII, or that is encoded.
func unicodeLabel(label string) error {
	text, err := labels().ToUnicode(label)
	if err != nil {
		return err
	}
	runes := []rune(text)
	if len(runes) == 0 || unicode.Is(unicode.M, runes[0]) {
		return errors.New("a label begins with a mark")
	}
	return contextual(runes)
}

// contextual are the rules of RFC 5892, appendix A.3 to A.9, and its exceptions that are never allowed.
func contextual(label []rune) error {
	at := func(i int) rune {
		if i < 0 || i >= len(label) {
			return 0
		}
		return label[i]
	}
	arabic, extended := false, false
	for i, r := range label {
		ok := true
		switch {
		case strings.ContainsRune("\u0640\u07fa\u302e\u302f\u3031\u3032\u3033\u3034\u3035\u303b", r):
			ok = false
		case r == '\u00b7':
			ok = at(i-1) == 'l' && at(i+1) == 'l'
		case r == '\u0375':
			ok = unicode.Is(unicode.Greek, at(i+1))
		case r == '\u05f3', r == '\u05f4':
			ok = unicode.Is(unicode.Hebrew, at(i-1))
		case r == '\u30fb':
			ok = strings.ContainsFunc(string(label), func(o rune) bool { return o != r && unicode.In(o, unicode.Hiragana, unicode.Katakana, unicode.Han) })
		}
		if !ok {
			return fmt.Errorf("%q may not stand there in a label", r)
		}
		arabic, extended = arabic || r >= '\u0660' && r <= '\u0669', extended || r >= '\u06f0' && r <= '\u06f9'
	}
	if arabic && extended {
		return errors.New("a label has digits of two kinds")
	}
	return nil
}

// email is a mailbox of RFC 5321: a local part, quoted or not, and a host or an address in brackets.
func email(s string, host func(string) error, beyondASCII bool) error {
	const maxMailbox, maxLocal = 254, 64
	at := strings.LastIndexByte(s, '@')
	if len(s) > maxMailbox || at < 1 || at > maxLocal {
		return fmt.Errorf("it is no name of 1 to %d characters, an @, and a host", maxLocal)
	}
	local, domain := s[:at], s[at+1:]
	if quoted := len(local) > 2 && local[0] == '"' && local[len(local)-1] == '"'; quoted {
		if strings.ContainsFunc(local[1:len(local)-1], func(r rune) bool {
			return r < ' ' || r == '"' || r == '\\' || r == 0x7f || r >= utf8.RuneSelf && !beyondASCII
		}) {
			return errors.New("the quoted name has a quote, a backslash or a control character in it")
		}
	} else {
		for word := range strings.SplitSeq(local, ".") {
			if word == "" || strings.ContainsFunc(word, func(r rune) bool {
				return r < utf8.RuneSelf && !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("!#$%&'*+-/=?^_`{|}~", r) || r >= utf8.RuneSelf && !beyondASCII
			}) {
				return errors.New("the name before the @ is none")
			}
		}
	}
	if inner, ok := strings.CutPrefix(domain, "["); ok {
		inner, closed := strings.CutSuffix(inner, "]")
		address, six := strings.CutPrefix(inner, "IPv6:")
		if a, err := netip.ParseAddr(address); err != nil || !closed || a.Is4() == six || a.Zone() != "" {
			return errors.New("in the brackets is no address")
		}
		return nil
	}
	return host(domain)
}

// uri is RFC 3986's, or with characters beyond ASCII RFC 3987's.
func uri(s string, absolute, beyondASCII bool) error {
	for _, r := range s {
		if r <= ' ' || r == 0x7f || strings.ContainsRune("\"<>\\^`{|}", r) || r >= utf8.RuneSelf && (!beyondASCII || unicode.IsControl(r) || unicode.IsSpace(r)) || r == utf8.RuneError {
			return fmt.Errorf("%q has to be encoded", r)
		}
	}
	u, err := url.Parse(s)
	if err != nil {
		var fault *url.Error
		if errors.As(err, &fault) {
			err = fault.Err
		}
		return err
	}
	if absolute && !u.IsAbs() {
		return errors.New("it has no scheme")
	}
	if strings.Count(s, "#") > 1 {
		return errors.New("it has two fragments")
	}
	if host := u.Hostname(); strings.Contains(host, ":") { // in brackets
		if a, err := netip.ParseAddr(host); err != nil || !a.Is6() || !strings.Contains(u.Host, "[") {
			return errors.New("its host is no address")
		}
	}
	return percents(s)
}

// percents checks that each % has two hexadecimal digits behind it.
func percents(s string) error {
	for i := 0; i < len(s); i++ {
		if s[i] == '%' && (i+2 >= len(s) || !hex(s[i+1]) || !hex(s[i+2])) {
			return errors.New("a % has no two hexadecimal digits behind it")
		}
	}
	return nil
}

func hex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// uriTemplate is RFC 6570's, of all four levels.
func uriTemplate(s string) error {
	for s != "" {
		i := strings.IndexAny(s, "{}")
		if i < 0 {
			i = len(s)
		}
		if err := literals(s[:i]); err != nil {
			return err
		}
		if s = s[i:]; s == "" {
			return nil
		}
		end := strings.IndexByte(s, '}')
		if s[0] == '}' || end < 0 {
			return errors.New("a brace has no other")
		}
		if err := expression(s[1:end]); err != nil {
			return err
		}
		s = s[end+1:]
	}
	return nil
}

func literals(s string) error {
	for _, r := range s {
		if r <= ' ' || r == 0x7f || r == utf8.RuneError || strings.ContainsRune("\"'<>\\^`|", r) {
			return fmt.Errorf("%q may not stand in a template", r)
		}
	}
	return percents(s)
}

func expression(s string) error {
	if s != "" && strings.IndexByte("+#./;?&=,!@|", s[0]) >= 0 {
		s = s[1:]
	}
	for variable := range strings.SplitSeq(s, ",") {
		name, explode := strings.CutSuffix(variable, "*")
		name, length, prefix := strings.Cut(name, ":")
		if prefix && (explode || len(length) < 1 || len(length) > 4 || length[0] == '0' || strings.Trim(length, "0123456789") != "") {
			return fmt.Errorf("%q is no length", length)
		}
		for part := range strings.SplitSeq(name, ".") {
			if part == "" || strings.ContainsFunc(part, func(r rune) bool {
				return r >= utf8.RuneSelf || r != '_' && r != '%' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
			}) {
				return fmt.Errorf("%q is no name of a variable", name)
			}
		}
		if err := percents(name); err != nil {
			return err
		}
	}
	return nil
}
