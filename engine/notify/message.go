package notify

import (
	"fmt"
	"strings"
	"time"
	"unicode"

	"github.com/ferry-ha/ferry/engine/api"
	"github.com/ferry-ha/ferry/kits"
)

// Message is what is delivered: the document that exec gets on its standard input and
// a webhook as its body.
type Message struct {
	Version string `json:"version"` // api.Version
	Kind    string `json:"kind"`    // "Notification"
	// ID is the same for every delivery of the same event over the same channel.
	ID       string    `json:"id"`
	Channel  string    `json:"channel"` // the name in the definition
	Estate   string    `json:"estate"`
	Engine   string    `json:"engine"`   // who leads: user@host (pid)
	Event    string    `json:"event"`    // one of hierarchy.NotifyKinds, or "test"
	Severity string    `json:"severity"` // info, warning, error
	At       time.Time `json:"at"`
	Seq      int64     `json:"seq"` // the event's number in the engine's log; 0 for a test
	Tag      string    `json:"tag,omitempty"`
	Node     string    `json:"node,omitempty"`
	Op       string    `json:"op,omitempty"`
	Question string    `json:"question,omitempty"`
	By       string    `json:"by,omitempty"`
	// Title is one short line, Text whole sentences, both in the channel's language.
	Title  string      `json:"title"`
	Text   string      `json:"text"`
	Reason kits.Reason `json:"reason"` // the same as data
}

// Speaker says a reason in a language; English where it has no other words.
type Speaker func(lang string, r kits.Reason) string

// inEnglish says what the reason says itself.
func inEnglish(_ string, r kits.Reason) string { return r.Text }

// origin is what messages are composed from.
type origin struct {
	estate, engineID, who string
	say                   Speaker
}

// maxText bounds a message's text, in runes: what a node said may be in it, and an SMS
// or a chat line is no place for more.
const maxText = 1500

// compose makes the message of an event for a channel.
func (o origin) compose(channel, lang, kind, severity string, e api.Event) Message {
	m := Message{
		Version: api.Version, Kind: "Notification", ID: fmt.Sprintf("%s-%d-%s", o.engineID, e.Seq, channel), Channel: channel,
		Estate: o.estate, Engine: o.who, Event: kind, Severity: severity, At: e.At.UTC(), Seq: e.Seq,
		Tag: string(e.Tag), Node: e.Node, Op: e.Op, Question: e.Question, By: e.By, Reason: e.Reason,
	}
	m.Title = title(lang, m)
	m.Text = clean(o.say(lang, e.Reason), maxText)
	if e.Reason.Code == "question-asked" {
		m.Text += " " + word(lang, "answer-it")
	}
	return m
}

// test is the message of `ferry notify test`.
func (o origin) test(channel, lang string, now time.Time) Message {
	m := Message{
		Version: api.Version, Kind: "Notification", ID: fmt.Sprintf("%s-test-%d-%s", o.engineID, now.UnixNano(), channel), Channel: channel,
		Estate: o.estate, Engine: o.who, Event: "test", Severity: "info", At: now.UTC(),
		Reason: kits.Why("notify-test", word("en", "test"), "channel", channel),
	}
	m.Title, m.Text = title(lang, m), word(lang, "test")
	return m
}

// title is "ferry two-nodes: failover, warning: www on LK_P_B".
func title(lang string, m Message) string {
	s := fmt.Sprintf("ferry %s: %s", m.Estate, word(lang, m.Event))
	if m.Severity != "info" {
		s += ", " + word(lang, m.Severity)
	}
	what := m.Tag
	if m.Node != "" {
		what = strings.TrimSpace(what + " @ " + m.Node)
	}
	if what != "" {
		s += ": " + strings.TrimPrefix(what, "@ ")
	}
	return clean(s, 120)
}

// clean takes control and direction characters out and bounds the length.
func clean(s string, limit int) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case r == '\n' || r == '\t':
			return ' '
		case unicode.IsControl(r), unicode.Is(unicode.Cf, r), r == unicode.ReplacementChar:
			return -1
		}
		return r
	}, s)
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}

// word is a word of the templates. The words of events themselves come from the Speaker.
func word(lang, id string) string {
	if w, ok := japanese[id]; lang == "ja" && ok {
		return w
	}
	if w, ok := english[id]; ok {
		return w
	}
	return id
}

var english = map[string]string{
	"answer-it": "Somebody has to answer: `ferry confirm list` shows the question.",
	"test":      "This is a test: messages of ferry arrive here.",
	"failure":   "trouble", "data": "replicated data", "confirmation": "a person is asked",
}

var japanese = map[string]string{
	"answer-it": "回答が必要です。`ferry confirm list` で質問を確認してください。",
	"test":      "これはテストです。ferry の通知はここに届きます。",
	"failover":  "フェイルオーバー", "switchover": "スイッチオーバー", "confirmation": "確認待ち", "failure": "障害", "node": "ノード",
	"data": "レプリケーション", "engine": "エンジン", "hold": "メンテナンス", "definition": "定義", "notification": "通知",
	"warning": "警告", "error": "エラー",
}
