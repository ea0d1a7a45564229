package terminal

import (
	"regexp"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestMarkdown(t *testing.T) {
	for in, want := range map[string]string{
		"Removed 7 of 11 image records and reclaimed 36.5MB (content 7.9MB).": "Removed 7 of 11 image records and reclaimed 36.5MB (content 7.9MB).",
		"in use by container web (nerdctl)":                                   "in use by container web (nerdctl)",
		"docker.io/library/nginx:1.27: unused":                                "`docker.io/library/nginx:1.27`: unused",
		"@everyone www.evil.example https://evil.example #1 GH-1 abcdef0":     "`@everyone` `www.evil.example` `https://evil.example` `#1` `GH-1` `abcdef0`",
		"<script> a*b* _c_ [x](y) !z":                                         "`<script>` `a*b*` `_c_` `[x](y)` `!z`",
		"a`b c|d e\\f":                                                        "<code>a&#96;b</code> <code>c&#124;d</code> <code>e&#92;f</code>",
		"two\nlines":                                                          "<code>two&#92;nlines</code>",
		"":                                                                    "",
		"...":                                                                 "...",
	} {
		if got := Markdown(in); got != want {
			t.Errorf("%q:\n got %s\nwant %s", in, got, want)
		}
	}
}

// Whatever a name is, outside of code there is nothing that could be markup, and code
// does not end early.
func TestMarkdownIsNoMarkup(t *testing.T) {
	element := regexp.MustCompile("<code>[^<>`|\\\\]*</code>|`[^`|\\\\]+`")
	rapid.Check(t, func(t *rapid.T) {
		in := rapid.OneOf(rapid.String(), rapid.StringMatching("[`|\\\\<>&*_@#:./ a-z0-9-]*")).Draw(t, "text")
		rest := element.ReplaceAllString(Markdown(in), "")
		if strings.ContainsAny(rest, "`|\\<>&*_[]#@/~$=!\"\n\r\x1b") {
			t.Fatalf("%q became %s", in, Markdown(in))
		}
	})
}

// Tables are tables, and the rest is text in which nothing is markup.
func TestInMarkdown(t *testing.T) {
	got, err := New(nil).InMarkdown(func(out *Printer) {
		table := Table{Columns: []Column{{Title: "NAME", Middle: true, Least: 1}, {Title: "SIZE", Right: true}}}
		table.Add("a|b", "1MB")
		table.Print(out)
		table.Print(out)
		out.Sentence("</pre><b>&")
	})
	rows := "\n| NAME | SIZE |\n| --- | --: |\n| <code>a&#124;b</code> | 1MB |\n\n"
	if want := rows + rows + "<pre>\n&lt;/pre&gt;&lt;b&gt;&amp;\n</pre>\n"; err != nil || got != want {
		t.Errorf("%v\n got %s\nwant %s", err, got, want)
	}
	if cut, missing := CutMarkdown(got, len(got)-10); !missing || !strings.HasSuffix(cut, "<pre>\n</pre>\n") {
		t.Errorf("cut: %v %s", missing, cut)
	}
}
