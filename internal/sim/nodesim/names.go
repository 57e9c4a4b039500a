package nodesim

// SetNames tells what the world's name servers answer: the addresses of a name. /etc/hosts of a node comes first. nil, as
// it is in the beginning, is a network without name servers.
func (w *World) SetNames(resolve func(name string) []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.resolver = resolve
}

// askName asks the name servers.
func (w *World) askName(name string) []string {
	w.mu.Lock()
	f := w.resolver
	w.mu.Unlock()
	if f == nil {
		return nil
	}
	return f(name)
}
