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
	p, err := Prepare(page)
	if err != nil {
		return err
	}
	return p.Write(w, page.Node)
}

// Prepared is a page that is complete but for the node.
type Prepared struct{ before, between, after string }

// Prepare makes a page, whose Node it does not look at.
func Prepare(page Page) (*Prepared, error) {
	if page.Usage == nil && page.Document == nil && page.Node == nil {
		return nil, errors.New("an HTML page needs a usage, a plan, a report or a node")
	}
	// encoding/json writes <, >, & and U+2028/9 as escapes, so that nothing
	// in a name can end the block or begin another.
	data, err := json.Marshal(build(page))
	if err != nil {
		return nil, fmt.Errorf("encoding the page: %w", err)
	}
	shell, err := shell()
	if err != nil {
		return nil, fmt.Errorf("putting the page together: %w", err)
	}
	before, rest, _ := strings.Cut(shell, "{{data}}")
	between, after, _ := strings.Cut(rest, "{{node}}")
	return &Prepared{before + string(data), between, after}, nil
}

// Write writes the page with what is true of the node now, nil if it is about none.
func (p *Prepared) Write(w io.Writer, node *Node) error {
	b, err := node.encoded()
	if err != nil {
		return fmt.Errorf("encoding the node: %w", err)
	}
	for _, part := range []string{p.before, p.between, string(b), p.after} {
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
