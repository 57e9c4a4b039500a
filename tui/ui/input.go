package ui

import (
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
)

// Input is one line of text with a cursor.
type Input struct {
	c *Context
	m textinput.Model
}

// NewInput makes an empty input that has the focus.
func NewInput(c *Context) *Input {
	m := textinput.New()
	m.Prompt = ""
	m.SetVirtualCursor(true)
	m.Focus()
	i := &Input{c: c, m: m}
	i.look()
	return i
}

// look takes the styles of the theme that holds now. The cursor does not blink: that
// would be a timer for every key.
func (i *Input) look() {
	st := textinput.DefaultStyles(i.c.Kind != "light")
	st.Focused.Text, st.Blurred.Text = i.c.Field, i.c.Text
	st.Focused.Placeholder, st.Blurred.Placeholder = i.c.Dim, i.c.Dim
	st.Cursor.Blink = false
	i.m.SetStyles(st)
}

// Secret shows bullets instead of what is typed.
func (i *Input) Secret() { i.m.EchoMode = textinput.EchoPassword }

// Hint stands in the empty field.
func (i *Input) Hint(s string) { i.m.Placeholder = s }

// Value is what stands there.
func (i *Input) Value() string { return i.m.Value() }

// Set replaces it.
func (i *Input) Set(s string) { i.m.SetValue(s); i.m.CursorEnd() }

// Focus and Blur give and take the cursor.
func (i *Input) Focus() { i.m.Focus() }
func (i *Input) Blur()  { i.m.Blur() }

// Update takes keys and pasted text, of which line breaks are left out.
func (i *Input) Update(msg tea.Msg) tea.Cmd {
	if p, ok := msg.(tea.PasteMsg); ok {
		p.Content = strings.Join(strings.Fields(p.Content), " ")
		msg = p
	}
	var cmd tea.Cmd
	i.m, cmd = i.m.Update(msg)
	return cmd
}

// View draws it in w cells.
func (i *Input) View(w int) string {
	i.m.SetWidth(max(1, w-1))
	i.look()
	// A placeholder that is shorter than the field comes with NULs behind it.
	return Fit(strings.ReplaceAll(i.m.View(), "\x00", ""), w)
}
