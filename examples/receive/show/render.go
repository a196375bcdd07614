package show

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"mime"
	"strings"
	"sync"
	"time"

	"github.com/mailverdict/mailverdict/dmarc/explain"
	"github.com/mailverdict/mailverdict/internal/visible"
)

//go:embed message.html
var files embed.FS

// Templates returns the templates of messages anew, for pages to add theirs to.
func Templates() *template.Template {
	return template.Must(template.New("").Funcs(template.FuncMap{"rfc": rfc, "shown": visible.Value}).ParseFS(files, "*.html"))
}

var templates = sync.OnceValue(Templates)

// render executes a template. The templates are ours and write to memory: a failure is a fault of this
// package.
func render(name string, data any) template.HTML {
	var b bytes.Buffer
	if err := templates().ExecuteTemplate(&b, name, data); err != nil {
		panic(fmt.Sprintf("show: %v", err))
	}
	return template.HTML(b.String())
}

// stepHTML lays out an explanation by its own package.
func stepHTML(e *explain.Explanation) template.HTML {
	var b bytes.Buffer
	if err := e.HTML(&b); err != nil {
		panic(fmt.Sprintf("show: %v", err))
	}
	return template.HTML(b.String())
}

// rfc returns the address of a section such as "RFC 7208, section 4.6.2".
func rfc(section string) string {
	number, at, _ := strings.Cut(strings.TrimPrefix(section, "RFC "), ", section ")
	return "https://www.rfc-editor.org/rfc/rfc" + number + "#section-" + at
}

// after returns the time that has passed, for people.
func after(start time.Time) string { return took(time.Since(start)) }

// took returns a duration for people.
func took(d time.Duration) string {
	switch {
	case d < 10*time.Millisecond:
		return fmt.Sprintf("%.1f ms", float64(d)/float64(time.Millisecond))
	case d < time.Second:
		return fmt.Sprintf("%d ms", d.Milliseconds())
	}
	return fmt.Sprintf("%.1f s", d.Seconds())
}

// decoded returns the text of an unstructured field with its encoded-words decoded, to be shown.
func decoded(text string) string {
	if plain, err := new(mime.WordDecoder).DecodeHeader(text); err == nil {
		text = plain
	}
	return visible.Line(strings.TrimSpace(text))
}
