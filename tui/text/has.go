package text

// Has tells whether there is a text without arguments for an id, for texts that have
// another place to come from when no catalog has them.
func (p *Printer) Has(id string) bool {
	_, ok := p.plain[id]
	return ok
}
