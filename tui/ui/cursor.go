package ui

// AtEnd tells whether the cursor stands behind the last character.
func (i *Input) AtEnd() bool { return i.m.Position() >= len([]rune(i.m.Value())) }
