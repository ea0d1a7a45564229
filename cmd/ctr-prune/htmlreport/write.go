package htmlreport

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
)

// Write writes the page. The output depends only on the page.
func Write(w io.Writer, page Page) error {
	if page.Usage == nil && page.Document == nil {
		return errors.New("an HTML page needs a usage, a plan or a report")
	}
	// encoding/json writes <, >, & and U+2028/9 as escapes, so that nothing
	// in a name can end the block or begin another.
	data, err := json.Marshal(build(page))
	if err != nil {
		return fmt.Errorf("encoding the page: %w", err)
	}
	shell, err := shell()
	if err != nil {
		return fmt.Errorf("putting the page together: %w", err)
	}
	before, after, _ := strings.Cut(shell, "{{data}}")
	for _, part := range []string{before, string(data), after} {
		if _, err := io.WriteString(w, part); err != nil {
			return fmt.Errorf("writing the page: %w", err)
		}
	}
	return nil
}

// shell is the page without its data. It contains no text from a store.
func shell() (string, error) {
	page, err := asset("index.html")
	if err != nil {
		return "", err
	}
	style, err := join(styles)
	if err != nil {
		return "", err
	}
	library, err := layouter()
	if err != nil {
		return "", err
	}
	script, err := program()
	if err != nil {
		return "", err
	}
	style = "\n" + style
	policy := strings.Join([]string{
		"default-src 'none'", "base-uri 'none'", "form-action 'none'", "img-src data:",
		"style-src " + source(style), "script-src " + source(library) + " " + source(script),
		"require-trusted-types-for 'script'", "trusted-types 'none'",
	}, "; ")
	return strings.NewReplacer("{{policy}}", policy, "{{style}}", style, "{{library}}", library, "{{script}}", script).Replace(page), nil
}
