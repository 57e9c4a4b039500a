package form

import (
	"slices"
	"strconv"

	tea "charm.land/bubbletea/v2"

	"github.com/ferry-ha/ferry/tui/ui"
)

// maxRank is three digits, the customary range of a priority.
const maxRank = 999

// Update takes keys, pasted text, clicks and the wheel. It tells whether the message was
// for the form; answers may then be different.
func (f *Form) Update(msg tea.Msg) bool {
	x := f.At()
	if x == nil {
		return false
	}
	switch msg := msg.(type) {
	case ui.Wheel:
		f.step(msg.By, false)
		return true
	case ui.Click:
		return f.click(msg.X, msg.Y)
	case tea.PasteMsg:
		if x.Kind != Text {
			return false
		}
		f.typeIn(x, msg)
		return true
	case tea.KeyPressMsg:
		return f.key(x, msg)
	}
	return false
}

func (f *Form) key(x *Field, k tea.KeyPressMsg) bool {
	switch k.String() {
	case "tab":
		f.step(1, true)
		return true
	case "shift+tab":
		f.step(-1, true)
		return true
	case "down":
		f.step(1, false)
		return true
	case "up":
		f.step(-1, false)
		return true
	}
	switch x.Kind {
	case Text:
		if f.pick(x, k.String()) {
			return true
		}
		f.typeIn(x, k)
		return true
	case Choice:
		return f.turn(x, k.String())
	case Check:
		return f.tick(x, k.String())
	case Rank:
		return f.rank(x, k.String())
	}
	return false
}

// step goes to the next question in a direction, from the last to the first when round.
func (f *Form) step(by int, round bool) {
	f.leave()
	n := len(f.fields)
	for i := f.at + by; round || i >= 0 && i < n; i += by {
		i = (i + n) % n
		if f.fields[i].Kind != Note || i == f.at {
			f.at = i
			return
		}
	}
}

// typeIn gives a key or pasted text to the line. What the line would send to itself is
// for a cursor that blinks, which ours does not.
func (f *Form) typeIn(x *Field, msg tea.Msg) {
	in := f.input(x.ID)
	in.Update(msg)
	if v := ui.Printable(in.Value()); v != in.Value() {
		in.Set(v)
	}
	if v := in.Value(); v != f.values[x.ID] {
		f.Set(x.ID, v)
	}
}

// pick takes what is offered: the arrows go through the offers from the end of what is
// typed; before its end they move the cursor.
func (f *Form) pick(x *Field, key string) bool {
	all := f.Offers(x)
	if len(all) == 0 || !f.input(x.ID).AtEnd() {
		return false
	}
	i := slices.Index(all, f.values[x.ID])
	switch {
	case key == "right":
		i = (i + 1) % len(all)
	case key == "left" && (i >= 0 || f.values[x.ID] == ""):
		i = (max(i, 0) + len(all) - 1) % len(all)
	default:
		return false
	}
	f.put(x.ID, all[i])
	return true
}

func (f *Form) turn(x *Field, key string) bool {
	by := 0
	switch key {
	case "right", "space":
		by = 1
	case "left":
		by = len(x.Items) - 1
	}
	if by == 0 || len(x.Items) == 0 {
		return false
	}
	i := max(0, slices.Index(x.Items, f.Value(*x)))
	f.Set(x.ID, x.Items[(i+by)%len(x.Items)])
	return true
}

func (f *Form) tick(x *Field, key string) bool {
	switch key {
	case "left", "right", "space":
		f.Set(x.ID, strconv.FormatBool(f.Value(*x) != "true"))
		return true
	}
	return false
}

// rank lets a place be taken and given up by space, and its number be typed or turned.
func (f *Form) rank(x *Field, key string) bool {
	v := f.values[x.ID]
	n, _ := strconv.Atoi(v)
	switch {
	case key == "space" && v == "":
		v = f.nextRank()
	case key == "space":
		v = ""
	case key == "right" && v == "":
		v = f.nextRank()
	case key == "right":
		v = strconv.Itoa(min(n+1, maxRank))
	case key == "left" && n > 1:
		v = strconv.Itoa(n - 1)
	case key == "left":
		v = ""
	case key == "backspace" && v != "":
		v = v[:len(v)-1]
	case len(key) == 1 && key >= "0" && key <= "9":
		if m, err := strconv.Atoi(v + key); err == nil && m >= 1 && m <= maxRank {
			v = strconv.Itoa(m)
		}
	default:
		return false
	}
	f.Set(x.ID, v)
	return true
}
