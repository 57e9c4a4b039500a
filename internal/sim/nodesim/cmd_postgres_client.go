package nodesim

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"path"
	"strconv"
)

// PostgresWrite is a client's insert of one numbered row, committed: to the node that packets for addr ("10.1.0.10:5432")
// are handed to, as Ask finds it. Without an error the row is acknowledged, and must never be lost; with one it
// may or may not be there.
func (w *World) PostgresWrite(ctx context.Context, route func(netip.Addr) (node string, ok bool), addr string, row int) error {
	n, s, err := w.postgresAt(route, addr)
	if err != nil {
		return err
	}
	return n.postgres.commit(ctx, s, row)
}

// PostgresRead is a client's question for all rows, in the order in which they were committed.
func (w *World) PostgresRead(ctx context.Context, route func(netip.Addr) (node string, ok bool), addr string) ([]int, error) {
	n, s, err := w.postgresAt(route, addr)
	if err != nil {
		return nil, err
	}
	if err := n.postgres.admit(ctx, s); err != nil {
		return nil, err
	}
	return n.postgres.rows(s)
}

func (w *World) postgresAt(route func(netip.Addr) (node string, ok bool), addr string) (*Node, *pgServer, error) {
	name, err := w.Ask(route, addr)
	if err != nil {
		return nil, nil, err
	}
	_, port, err := splitPort(addr)
	if err != nil {
		return nil, nil, err
	}
	n := w.Node(name)
	if s := n.postgres.find(func(s *pgServer) bool { return s.port == port }); s != nil {
		return n, s, nil
	}
	return nil, nil, fmt.Errorf("connection refused by %s on %s", name, addr)
}

// errClosed is what a client is told whose server goes away.
var errClosed = errors.New("server closed the connection unexpectedly")

// admit lets a client in, once the server answers.
func (w *pgWorld) admit(ctx context.Context, s *pgServer) error {
	for {
		if err := w.node.gate(ctx); err != nil {
			return err
		}
		w.mu.Lock()
		hung, status, refuses := s.hung, s.status, w.refuses
		w.mu.Unlock()
		switch {
		case !w.lives(s):
			return errClosed
		case hung != nil:
			select {
			case <-hung:
			case <-ctx.Done():
				return ctx.Err()
			case <-s.ctx.Done():
			}
		case status != pgReady:
			return fmt.Errorf("FATAL:  the database system is %s", map[string]string{pgStarting: "starting up", pgStopping: "shutting down"}[status])
		case refuses != "":
			return errors.New("FATAL:  " + refuses)
		default:
			return nil
		}
	}
}

// commit writes a row down and acknowledges it. The disk is asked first, which may let it wait; a disk that
// fails makes the server panic, as the real one does, because it cannot know what is on it.
func (w *pgWorld) commit(ctx context.Context, s *pgServer, row int) error {
	if err := w.admit(ctx, s); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.ctx, cancel)()
	file := path.Join(s.data, PostgresRows)
	if err := w.node.disks.settlePath(ctx, file, true); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("not acknowledged: %w", ctx.Err())
		}
		return w.panics(s, err)
	}
	if !w.lives(s) || w.node.gate(ctx) != nil {
		return errClosed
	}
	if err := w.node.fs.add(file, []byte(strconv.Itoa(row)+"\n")); err != nil {
		return w.panics(s, err)
	}
	// It is told to the client when it is on the disk, all legs of a mirror included.
	if err := w.node.disks.settlePath(ctx, file, true); err != nil {
		if ctx.Err() != nil {
			return fmt.Errorf("not acknowledged: %w", ctx.Err())
		}
		return w.panics(s, err)
	}
	if !w.lives(s) { // it went meanwhile: nobody can have been told
		return errClosed
	}
	return nil
}

func (w *pgWorld) panics(s *pgServer, err error) error {
	w.kill(s)
	return fmt.Errorf("PANIC:  could not write to log file: %w", err)
}

func (w *pgWorld) rows(s *pgServer) ([]int, error) {
	text, err := w.node.ReadFile(path.Join(s.data, PostgresRows))
	if err != nil {
		return nil, fmt.Errorf("ERROR:  could not read the table: %w", err)
	}
	return PostgresFile(text), nil
}
