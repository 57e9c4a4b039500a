package store

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"
	"sync"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// health remembers why etcd broke down. etcd's answer to trouble with its disk is to
// log the reason and end the process, which would take the engine with it, in the
// middle of an operation and without a word. Here only the goroutine ends, and
// everybody who waits for the store learns why.
type health struct {
	once   sync.Once
	mu     sync.Mutex
	reason error
	broken <-chan struct{} // closed when etcd broke down
	// ctx ends then, too: it is no caller's context but the member's own life.
	ctx context.Context
	end context.CancelFunc
}

func newHealth() *health {
	h := &health{}
	h.ctx, h.end = context.WithCancel(context.Background())
	h.broken = h.ctx.Done()
	return h
}

// fail records the first reason.
func (h *health) fail(reason error) {
	h.once.Do(func() {
		h.mu.Lock()
		h.reason = reason
		h.mu.Unlock()
		h.end()
	})
}

// cause is why etcd broke down, or nil.
func (h *health) cause() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.reason
}

// onFailure calls f when etcd breaks down, until stop is called.
func (h *health) onFailure(f func()) (stop func() bool) {
	return context.AfterFunc(h.ctx, f)
}

// OnWrite is called by zap in place of os.Exit and panic.
func (h *health) OnWrite(entry *zapcore.CheckedEntry, fields []zapcore.Field) {
	reason := fmt.Errorf("%s", entry.Message)
	for _, f := range fields {
		if err, ok := f.Interface.(error); ok && f.Type == zapcore.ErrorType {
			reason = fmt.Errorf("%s: %w", entry.Message, err)
		}
	}
	h.fail(reason)
	runtime.Goexit()
}

// zapLogger hands etcd's warnings to slog, or to nobody.
func zapLogger(log *slog.Logger, h *health) *zap.Logger {
	core := zapcore.NewNopCore()
	if log != nil {
		core = &slogCore{handler: log.Handler()}
	}
	return zap.New(core, zap.WithFatalHook(h), zap.WithPanicHook(h))
}

// slogCore is a zap core that writes to slog.
type slogCore struct{ handler slog.Handler }

// Enabled drops everything below a warning: etcd tells a lot about itself.
func (c *slogCore) Enabled(l zapcore.Level) bool {
	return l >= zapcore.WarnLevel && c.handler.Enabled(context.Background(), level(l))
}

// With keeps the fields.
func (c *slogCore) With(fields []zapcore.Field) zapcore.Core {
	return &slogCore{handler: c.handler.WithAttrs(attrs(fields))}
}

// Check adds this core when it takes the level.
func (c *slogCore) Check(e zapcore.Entry, ce *zapcore.CheckedEntry) *zapcore.CheckedEntry {
	if harmless(e.Message) {
		return ce
	}
	if c.Enabled(e.Level) {
		return ce.AddCore(e, c)
	}
	return ce
}

// Write passes one entry on.
func (c *slogCore) Write(e zapcore.Entry, fields []zapcore.Field) error {
	r := slog.NewRecord(e.Time, level(e.Level), "etcd: "+e.Message, 0)
	r.AddAttrs(attrs(fields)...)
	return c.handler.Handle(context.Background(), r)
}

// Sync has nothing to do.
func (c *slogCore) Sync() error { return nil }

// level translates zap's levels.
func level(l zapcore.Level) slog.Level {
	if l >= zapcore.ErrorLevel {
		return slog.LevelError
	}
	return slog.LevelWarn
}

// attrs translates zap's fields.
func attrs(fields []zapcore.Field) []slog.Attr {
	enc := zapcore.NewMapObjectEncoder()
	out := make([]slog.Attr, 0, len(fields))
	for _, f := range fields {
		f.AddTo(enc)
		out = append(out, slog.Any(f.Key, enc.Fields[f.Key]))
	}
	return out
}

// harmless are complaints that every member makes at its first start, or that are
// about listeners we do not have.
func harmless(message string) bool {
	switch message {
	case "simple token is not cryptographically signed", "Failed to detect schema version", "failed to update storage version":
		return true
	}
	return false
}
