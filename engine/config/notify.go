package config

import (
	"strconv"

	"github.com/ferry-ha/ferry/engine/hierarchy"
)

func notifyKeys() []key {
	return []key{
		{name: "channel", kind: kWord, words: hierarchy.Channels(), help: "how it is told"},
		{name: "events", kind: kList, words: hierarchy.NotifyKinds(), help: "the kinds of events that are told; left out: all"},
		{name: "severity", kind: kWord, words: hierarchy.Severities(), help: "the least that is told; left out: info"},
		{name: "language", kind: kWord, words: hierarchy.NotifyLanguages(), help: "left out: en"},
		{name: "timeout", kind: kNumber, help: "seconds for one try; left out: 10"},
		{name: "command", kind: kList, help: "exec: the program, by its whole path, and its arguments; the event is its standard input, as JSON"},
		{name: "url", kind: kText, help: "webhook: where the event is posted, as JSON"},
		{name: "url_file", kind: kText, help: "webhook: file on the engine's machine that holds the URL, where it is a secret"},
		{name: "secret_file", kind: kText, help: "webhook: file on the engine's machine with the key that signs what is posted"},
		{name: "smtp", kind: kText, help: "mail: host:port of the mail server"},
		{name: "tls", kind: kWord, words: hierarchy.NotifyTLS(), help: "mail: left out: starttls"},
		{name: "from", kind: kText, help: "mail: the sender's address"},
		{name: "to", kind: kList, help: "mail: addresses"},
		{name: "user", kind: kText, help: "mail: user to log in as"},
		{name: "password_file", kind: kText, help: "mail: file on the engine's machine that holds the user's password"},
		{name: "topic", kind: kText, help: "sns: the topic's ARN"},
		{name: "profile", kind: kText, help: "sns: AWS profile of the machine on which the engine runs"},
		{name: "endpoint", kind: kText, help: "sns: endpoint, when it is not AWS's own"},
	}
}

// notify reads a channel; what its words mean, Validate judges.
func (t *table) notify() hierarchy.Notify {
	t.onlyKnown(names(notifyKeys()))
	timeout, _ := t.number("timeout")
	return hierarchy.Notify{
		Name: t.name(), Channel: t.text("channel"), Events: t.list("events"), Severity: t.text("severity"),
		Language: t.text("language"), Timeout: timeout, Command: t.list("command"),
		URL: t.text("url"), URLFile: t.text("url_file"), SecretFile: t.text("secret_file"),
		SMTP: t.text("smtp"), TLS: t.text("tls"), From: t.text("from"), To: t.list("to"),
		User: t.text("user"), PasswordFile: t.text("password_file"),
		Topic: t.text("topic"), Profile: t.text("profile"), Endpoint: t.text("endpoint"),
	}
}

func (w *writer) notify(n hierarchy.Notify) {
	w.table("notify", n.Name)
	w.text("channel", n.Channel)
	w.list("events", n.Events)
	w.text("severity", n.Severity)
	w.text("language", n.Language)
	if n.Timeout != 0 {
		w.line("timeout", strconv.Itoa(n.Timeout))
	}
	w.list("command", n.Command)
	w.text("url", n.URL)
	w.text("url_file", n.URLFile)
	w.text("secret_file", n.SecretFile)
	w.text("smtp", n.SMTP)
	w.text("tls", n.TLS)
	w.text("from", n.From)
	w.list("to", n.To)
	w.text("user", n.User)
	w.text("password_file", n.PasswordFile)
	w.text("topic", n.Topic)
	w.text("profile", n.Profile)
	w.text("endpoint", n.Endpoint)
}

func notifySchema() object {
	p := keyed(notifyKeys())
	p["events"].(object)["items"] = object{"enum": hierarchy.NotifyKinds()}
	return closed(p, "channel")
}
