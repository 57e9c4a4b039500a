package hierarchy

import (
	"net/url"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// Notify is one channel over which people, or their programs, are told what happens:
// a table [notify.NAME] of the definition. Which of its fields count depends on the
// channel. No secret stands in a definition; the fields that end in File name files on
// the machine on which the engine runs.
type Notify struct {
	Name    string `json:"name"`
	Channel string `json:"channel"` // one of Channels
	// Events are the kinds that are told, of NotifyKinds; none = all of them.
	Events []string `json:"events,omitempty"`
	// Severity is the least that is told: "info" (also when empty), "warning" or "error".
	Severity string `json:"severity,omitempty"`
	Language string `json:"language,omitempty"` // "en" (also when empty) or "ja"
	Timeout  int    `json:"timeout,omitempty"`  // seconds for one try; 0 = 10

	Command []string `json:"command,omitempty"` // exec: the program and its arguments

	URL        string `json:"url,omitempty"`        // webhook
	URLFile    string `json:"urlFile,omitempty"`    // webhook: the same from a file, where the URL itself is a secret
	SecretFile string `json:"secretFile,omitempty"` // webhook: the key that signs what is sent

	SMTP         string   `json:"smtp,omitempty"` // mail: host:port
	TLS          string   `json:"tls,omitempty"`  // mail: "starttls" (also when empty), "tls" or "none"
	From         string   `json:"from,omitempty"` // mail
	To           []string `json:"to,omitempty"`   // mail
	User         string   `json:"user,omitempty"` // mail
	PasswordFile string   `json:"passwordFile,omitempty"`

	Topic    string `json:"topic,omitempty"`    // sns: the topic's ARN
	Profile  string `json:"profile,omitempty"`  // sns: AWS profile; empty = the SDK's default chain
	Endpoint string `json:"endpoint,omitempty"` // sns: when it is not AWS's own
}

// The channels.
const (
	NotifyExec    = "exec"
	NotifyWebhook = "webhook"
	NotifyMail    = "mail"
	NotifySNS     = "sns"
)

// Channels lists the kinds of channel.
func Channels() []string { return []string{NotifyExec, NotifyWebhook, NotifyMail, NotifySNS} }

// The kinds of what is told.
const (
	KindFailover     = "failover"     // automation, or an answer, moves something: begun and ended
	KindSwitchover   = "switchover"   // a person moves, starts or stops something: begun and ended
	KindConfirmation = "confirmation" // a question was asked, answered, withdrawn, or nobody answered
	KindFailure      = "failure"      // a resource has failed or is impaired, a repair, a decision not to act
	KindNode         = "node"         // a server is lost, hangs, is back, or is shut down in good order
	KindData         = "data"         // replicated data: a copy out of sync, followed again, forced
	KindEngine       = "engine"       // the engine started, stopped, or another one leads
	KindHold         = "hold"         // a maintenance hold was set, released, or has ended
	KindDefinition   = "definition"   // a definition was put in force
	KindNotification = "notification" // another channel does not work, or works again
)

// NotifyKinds lists the kinds of what is told.
func NotifyKinds() []string {
	return []string{KindFailover, KindSwitchover, KindConfirmation, KindFailure, KindNode, KindData, KindEngine, KindHold, KindDefinition, KindNotification}
}

// Severities lists how bad an event may be, the least first.
func Severities() []string { return []string{"info", "warning", "error"} }

// NotifyLanguages lists the languages in which people are told.
func NotifyLanguages() []string { return []string{"en", "ja"} }

// NotifyTLS lists how a mail server is spoken to.
func NotifyTLS() []string { return []string{"starttls", "tls", "none"} }

// MaxNotifyTimeout bounds one try, in seconds.
const MaxNotifyTimeout = 300

// Wants tells whether the channel is told of an event of this kind and severity.
func (n *Notify) Wants(kind, severity string) bool {
	if len(n.Events) > 0 && !slices.Contains(n.Events, kind) {
		return false
	}
	return slices.Index(Severities(), severity) >= max(slices.Index(Severities(), n.Severity), 0)
}

// TopicRegion is the region in a topic's ARN; false when it is none.
func TopicRegion(arn string) (string, bool) {
	p := strings.Split(arn, ":")
	ok := len(p) == 6 && p[0] == "arn" && strings.HasPrefix(p[1], "aws") && p[2] == "sns" && p[3] != "" && p[4] != "" && p[5] != ""
	if !ok {
		return "", false
	}
	return p[3], true
}

// notifyFields are the fields with their values, by the channels to which they belong.
func (n *Notify) fields() []struct{ channel, key, value string } {
	return []struct{ channel, key, value string }{
		{NotifyExec, "command", strings.Join(n.Command, " ")},
		{NotifyWebhook, "url", n.URL}, {NotifyWebhook, "url_file", n.URLFile}, {NotifyWebhook, "secret_file", n.SecretFile},
		{NotifyMail, "smtp", n.SMTP}, {NotifyMail, "tls", n.TLS}, {NotifyMail, "from", n.From}, {NotifyMail, "to", list(n.To)},
		{NotifyMail, "user", n.User}, {NotifyMail, "password_file", n.PasswordFile},
		{NotifySNS, "topic", n.Topic}, {NotifySNS, "profile", n.Profile}, {NotifySNS, "endpoint", n.Endpoint},
	}
}

func notifyItem(n Notify) item {
	v := map[string]string{"channel": n.Channel, "events": list(n.Events), "severity": n.Severity, "language": n.Language, "timeout": ""}
	if n.Timeout != 0 {
		v["timeout"] = strconv.Itoa(n.Timeout)
	}
	for _, f := range n.fields() {
		v[f.key] = f.value
	}
	return item{what: "notify " + n.Name, summary: n.Channel, values: v}
}

// notifies judges the channels.
func (c *checker) notifies() {
	for i := range c.e.Notify {
		n := &c.e.Notify[i]
		here := at("notify", n.Name)
		title := "notify " + strconv.Quote(n.Name)
		if !c.name(here, "a notify table", n.Name) {
			continue
		}
		if !slices.Contains(Channels(), n.Channel) {
			c.add(append(here, "channel"), "write channel = "+quoted(Channels()), "%s: %q is not a channel", title, n.Channel)
			continue
		}
		c.notifyWords(here, title, n)
		c.notifyForeign(here, title, n)
		switch n.Channel {
		case NotifyExec:
			c.notifyExec(here, title, n)
		case NotifyWebhook:
			c.notifyWebhook(here, title, n)
		case NotifyMail:
			c.notifyMail(here, title, n)
		case NotifySNS:
			c.notifySNS(here, title, n)
		}
	}
}

// quoted lists words as they are written in the file.
func quoted(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = strconv.Quote(w)
	}
	if len(all) < 2 {
		return strings.Join(all, "")
	}
	return strings.Join(all[:len(all)-1], ", ") + " or " + all[len(all)-1]
}

func (c *checker) notifyWords(here []string, title string, n *Notify) {
	for _, k := range n.Events {
		if !slices.Contains(NotifyKinds(), k) {
			c.add(append(here, "events"), didYouMean(k, NotifyKinds(), "known: "+list(NotifyKinds())), "%s: %q is not a kind of event", title, k)
		}
	}
	for _, w := range []struct {
		key, value string
		words      []string
	}{{"severity", n.Severity, Severities()}, {"language", n.Language, NotifyLanguages()}, {"tls", n.TLS, NotifyTLS()}} {
		if w.value != "" && !slices.Contains(w.words, w.value) {
			c.add(append(here, w.key), "write "+quoted(w.words), "%s: %q is no %s", title, w.value, w.key)
		}
	}
	if n.Timeout < 0 || n.Timeout > MaxNotifyTimeout {
		c.add(append(here, "timeout"), "write seconds from 1 to "+strconv.Itoa(MaxNotifyTimeout), "%s: a timeout of %d cannot be", title, n.Timeout)
	}
}

// notifyForeign finds fields that another channel has: set here, they would do nothing.
func (c *checker) notifyForeign(here []string, title string, n *Notify) {
	for _, f := range n.fields() {
		if f.value == "" {
			continue
		}
		if f.channel != n.Channel {
			c.add(append(here, f.key), "leave it out, or write channel = "+strconv.Quote(f.channel), "%s: the channel %s has no %s", title, n.Channel, f.key)
			continue
		}
		c.plainAll(here, title, f.key, f.value)
		if strings.HasSuffix(f.key, "_file") && !filepath.IsAbs(f.value) {
			c.add(append(here, f.key), "write the whole path, from /", "%s: %s is not an absolute path: %q", title, f.key, f.value)
		}
	}
}

func (c *checker) notifyExec(here []string, title string, n *Notify) {
	if len(n.Command) == 0 {
		c.add(append(here, "command"), `write command = ["/usr/local/bin/page", "…"]`, "%s has no command", title)
	} else if !filepath.IsAbs(n.Command[0]) {
		c.add(append(here, "command"), "write the program's whole path, from /; a shell is not used", "%s: the program %q is not an absolute path", title, n.Command[0])
	}
}

func (c *checker) notifyWebhook(here []string, title string, n *Notify) {
	switch {
	case n.URL == "" && n.URLFile == "":
		c.add(append(here, "url"), `write url = "https://…", or url_file with a file that holds it`, "%s has no url", title)
		return
	case n.URL != "" && n.URLFile != "":
		c.add(append(here, "url_file"), "keep one of the two", "%s has a url and a url_file", title)
		return
	case n.URL == "":
		return
	}
	u, err := url.Parse(n.URL)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		c.add(append(here, "url"), `write url = "https://host/path"`, "%s: this is no URL of a webhook: %.60q", title, n.URL)
	} else if u.User != nil {
		c.add(append(here, "url"), "put the whole URL into a file and write url_file: secrets are not kept in definitions", "%s: the url holds a user or password", title)
	}
}

func (c *checker) notifyMail(here []string, title string, n *Notify) {
	host, port, ok := strings.Cut(n.SMTP, ":")
	if p, err := strconv.Atoi(port); !ok || host == "" || err != nil || p < 1 || p > 65535 {
		c.add(append(here, "smtp"), `write smtp = "mail.example.com:587"`, "%s: this is no mail server: %q", title, n.SMTP)
	}
	if !strings.Contains(n.From, "@") {
		c.add(append(here, "from"), `write from = "ferry@example.com"`, "%s: this is no sender: %q", title, n.From)
	}
	if len(n.To) == 0 {
		c.add(append(here, "to"), `write to = ["oncall@example.com"]`, "%s is for nobody", title)
	}
	for _, to := range n.To {
		if !strings.Contains(to, "@") {
			c.add(append(here, "to"), `write addresses like "oncall@example.com"`, "%s: this is no address: %q", title, to)
		}
	}
	if (n.User == "") != (n.PasswordFile == "") {
		c.add(append(here, "user"), "write both, or neither", "%s has one of user and password_file, and not the other", title)
	}
	if n.User != "" && n.TLS == "none" {
		c.add(append(here, "tls"), `write tls = "starttls" or "tls"`, "%s: the password would be sent in clear", title)
	}
}

func (c *checker) notifySNS(here []string, title string, n *Notify) {
	if _, ok := TopicRegion(n.Topic); !ok {
		c.add(append(here, "topic"), `write topic = "arn:aws:sns:REGION:ACCOUNT:NAME"`, "%s: this is no ARN of a topic: %q", title, n.Topic)
	}
}
