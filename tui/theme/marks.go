package theme

// Marks are the characters that stand for something; each is one cell wide.
type Marks struct {
	InService, Impaired, Standby, Failed, Unknown string // states of a resource
	Alive, Degraded, Dead, NotKnown               string // verdicts on a node
	Done, Running, Waiting, Skipped               string // steps
	On, Off                                       string // check boxes, without brackets
	Open, Closed                                  string // a branch that is open or folded
	Branch, Last, Through                         string // the tree's lines, two cells each
	Arrow, Up, Down, Left, Bullet, Ellipsis       string
	Ask, Attention, Held, Lock                    string

	// Of frames and drawings.
	H, V, TL, TR, BL, BR, Cross, TeeDown, TeeUp, TeeLeft, TeeRight string
	HeavyH, HeavyV, DashH, DashV                                   string // the way that carries traffic; one that is cut
	HeavyTL, HeavyTR, HeavyBL, HeavyBR, HeavyTee                   string // corners of that way, and where it branches to the right
	HeavyTeeLeft, HeavyTeeUp, Head, HeadLeft                       string
	Levels                                                         []string // fill levels, empty to full
	Spin                                                           []string
}

func unicodeMarks() Marks {
	return Marks{
		InService: "●", Impaired: "◐", Standby: "○", Failed: "✖", Unknown: "?",
		Alive: "●", Degraded: "◐", Dead: "✖", NotKnown: "?",
		Done: "✔", Running: "▶", Waiting: "·", Skipped: "–",
		On: "x", Off: " ", Open: "▾", Closed: "▸",
		Branch: "├─", Last: "└─", Through: "│ ",
		Arrow: "→", Up: "↑", Down: "↓", Left: "←", Bullet: "•", Ellipsis: "…",
		Ask: "?", Attention: "!", Held: "‖", Lock: "∎",
		H: "─", V: "│", TL: "╭", TR: "╮", BL: "╰", BR: "╯", Cross: "┼", TeeDown: "┬", TeeUp: "┴", TeeLeft: "┤", TeeRight: "├",
		HeavyH: "━", HeavyV: "┃", DashH: "╌", DashV: "┆",
		HeavyTL: "┏", HeavyTR: "┓", HeavyBL: "┗", HeavyBR: "┛", HeavyTee: "┣", HeavyTeeLeft: "┫", HeavyTeeUp: "┻", Head: "▶", HeadLeft: "◀",
		Levels: []string{" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"},
		Spin:   []string{"⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"},
	}
}

func asciiMarks() Marks {
	return Marks{
		InService: "*", Impaired: "%", Standby: "o", Failed: "X", Unknown: "?",
		Alive: "*", Degraded: "%", Dead: "X", NotKnown: "?",
		Done: "+", Running: ">", Waiting: ".", Skipped: "-",
		On: "x", Off: " ", Open: "v", Closed: ">",
		Branch: "|-", Last: "`-", Through: "| ",
		Arrow: ">", Up: "^", Down: "v", Left: "<", Bullet: "*", Ellipsis: "~",
		Ask: "?", Attention: "!", Held: "=", Lock: "#",
		H: "-", V: "|", TL: "+", TR: "+", BL: "+", BR: "+", Cross: "+", TeeDown: "+", TeeUp: "+", TeeLeft: "+", TeeRight: "+",
		HeavyH: "=", HeavyV: "H", DashH: ".", DashV: ":",
		HeavyTL: "#", HeavyTR: "#", HeavyBL: "#", HeavyBR: "#", HeavyTee: "#", HeavyTeeLeft: "#", HeavyTeeUp: "#", Head: ">", HeadLeft: "<",
		Levels: []string{" ", "#"},
		Spin:   []string{"|", "/", "-", "\\"},
	}
}
