package policy

import (
	"maps"
	"strings"

	"github.com/ferry-ha/ferry/kits"
)

// texts is the list of reason codes with their English: complete sentences that
// say what is so, on which node, and what follows or can be done. {name} is an
// argument. Other languages render the same codes and arguments at the edge.
var texts = map[string]string{
	// States of resources.
	"not-yet-checked":  "It has not been checked yet.",
	"check-unknown":    "The check of {tag} on {node} gave no result; what is known of it grows old, and nothing follows from that.",
	"state-ISP":        "{tag} is in service on {node}.",
	"state-ISU":        "{tag} is in service on {node}, but impaired.",
	"state-OSU":        "{tag} is out of service on {node}.",
	"state-OSF":        "{tag} has failed on {node}.",
	"state-ILLSTATE":   "The state of {tag} on {node} is not known.",
	"state-absent":     "{tag} should be in service on {node} and is not there.",
	"state-unclaimed":  "Something of {tag} runs on {node}, which does not hold it.",
	"state-node-lost":  "{node} is lost, so nothing is known of what runs there.",
	"state-graceful":   "{node} was shut down in good order.",
	"held-storm":       "It has failed three times within half an hour, so it is held on {node}: it is repaired there, but a failing resource moves it no further until a person acts on it.",
	"held-dual":        "Two claims cannot be ordered. Automation for this hierarchy stops: look which side holds the right data, and put it in service on that node.",
	"held-back-failed": "A move failed and going back to {node} failed too (operation {op}). It stays as it is until a person acts.",
	"held-no-way-back": "The move to {node} failed and {from} is not there to go back to. It stays as it is until a person acts.",
	"stuck-stop":       "{tag} could not be stopped on {node}, so it cannot be started anywhere else. Stop it there by hand, then put it in service where you want it.",

	// Evidence and verdicts on nodes.
	"evidence-missed":        "The engine has missed {n} heartbeats of {node} in a row.",
	"evidence-hung":          "{node} answers on the network, but has not run anything for {n} heartbeats.",
	"evidence-path-missing":  "{peer} does not reach {node}.",
	"evidence-path-partly":   "{peer} reaches {node}, but not over {paths}.",
	"evidence-peer-reaches":  "Its peers reach {node}: {peers}.",
	"evidence-peers-miss":    "Asked, and not reaching it either: {peers}.",
	"evidence-no-peer":       "No other node could be asked about {node}: the engine may be the one that is cut off.",
	"evidence-via":           "All that could be asked about {node} would reach it over {via}, which is not steadily in service.",
	"hold-via":               "Nothing crosses on this evidence: all that do not reach {node} would reach it over {via}, which is not steadily in service.",
	"evidence-shared-hop":    "Nothing behind {hop} answers: that hop may be what is missing, not {node}.",
	"evidence-cloud-silent":  "EC2 has not said anything about {node}.",
	"evidence-cloud-error":   "EC2 could not be asked about {node}: {error}",
	"evidence-cloud-says":    "EC2 says {node} is {state}, which may be a minute old.",
	"evidence-cloud-stopped": "EC2 says {node} is {state}.",
	"evidence-cloud-old":     "EC2 says {node} is {state}, but it was back at {at}: that may still be about its last stop.",
	"evidence-heartbeat":     "The last heartbeat: {error}", // the engine says it, beside its snapshot
	"evidence-fenced":        "{node} was fenced, and EC2 says it is stopped.",
	"clock-jumped":           "The clock jumped; what was seen before says nothing now.",
	"clock-jump":             "The clock jumped by {gap} or the machine slept. All observations are void; nothing moves until nodes have been seen again.",
	"node-alive":             "{node} is alive.",
	"node-degraded":          "{node} is alive, but not on every path.",
	"node-hung":              "{node} hangs.",
	"node-presumed-dead":     "{node} is presumed dead; that is not proof.",
	"node-dead":              "{node} is dead.",
	"node-unknown":           "It is not known whether {node} is alive; nothing moves because of it.",
	"node-graceful":          "{node} is being shut down in good order.",

	// Why something is done.
	"cause-presumed-dead": "{node} is presumed dead.",
	"cause-dead":          "{node} is dead.",
	"cause-hung":          "{node} hangs: it may still work, so nothing moves without a person.",
	"cause-hung-fence":    "{node} hangs: it may still work, so nothing moves unless it is fenced first, or a person has made sure that it is off.",
	"cause-graceful":      "{node} is being shut down, and its shutdown strategy is to switch over.",
	"cause-repair-failed": "{tag} has failed on {node} and could not be repaired there.",
	"cause-storm":         "{tag} has failed on {node} for the {n}rd time within half an hour.",
	"cause-landed":        "{tag} could not be started on {node} either.",
	"cause-stale":         "{tag} runs on {node}, but {holder} holds it: {node}'s claim is stale.",
	"cause-adopt":         "{tag} runs on {node} and nobody holds it yet.",
	"cause-dual-decided":  "{by} decides that {node} holds the right one.",
	"cause-command":       "{by} asked for it.",
	"cause-going-back":    "The move did not succeed, so it returns to {node}.",
	"cause-taking-out":    "Taking it into service did not succeed, so what was started is stopped again.",
	"cause-switchback":    "{node} has a better priority ({priority}), is back since {back}, and {tag} is to return there by itself.",
	"decision-switchback": "{tag} returns from {from} to {to}.",
	"back-stable":         "{node} has to be there for {minutes} minutes without a missed beat first: not before {at}.",
	"back-replicated":     "{tag} holds replicated data: it returns by a person's command only.",
	"back-region":         "{node} is in another region: it returns by a person's command only.",
	"back-flag":           "{node} takes nothing over from {peer} without a person's yes: it returns by a person's command only.",
	"back-held":           "It is held on {node} until a person acts.",
	"back-not-well":       "{tag} is not known to be well on {node}.",
	"back-not-ready":      "{tag} is not known to be out of service and unimpaired on {node}.",
	"back-failed":         "The last try did not succeed; the next one is at {at} at the earliest.",
	"repair-again":        "{tag} is not known to work on another node. It is repaired on {node} again, and so with each check, for as long as it takes.",
	"repair-held":         "{tag} is held on {node}: it is repaired there again, and so with each check.",
	"repair-standby":      "{tag} must be ready on {node}, too, and is not: it is repaired there.",
	"repair":              "This is recovery {n} of {tag} on {node} within half an hour.",

	// Why a node is chosen or not.
	"chosen":                  "{node} has the best priority ({priority}) of those that may take it.",
	"not-lower-priority":      "{node} could take it, but {chosen} has the better priority.",
	"not-extended":            "{tag} is not extended to {node}.",
	"not-extended-anywhere":   "{tag} is on {node} alone: there is no other node to go to.",
	"not-tried":               "It was tried on {node} during this trouble and did not succeed.",
	"not-seen-yet":            "{node} has not been seen yet.",
	"not-graceful":            "{node} is being shut down.",
	"not-presumed-dead":       "{node} is presumed dead.",
	"not-dead":                "{node} is dead.",
	"not-hung":                "{node} hangs.",
	"not-unknown":             "It is not known whether {node} is alive.",
	"not-unreached":           "The engine does not reach {node}, though other nodes do.",
	"not-blocked":             "A failed resource on {peer} is not to be moved to {node} (block flag).",
	"not-quorum-failed":       "{node} has no quorum, so it takes nothing over by itself. It is asked again.",
	"not-quorum-unknown":      "{node} could not tell whether it has quorum, so it takes nothing over by itself. It is asked again.",
	"not-looked":              "Whether {tag} works on {node} is not known: it gave no answer since the trouble began.",
	"not-working":             "{tag} does not work on {node} either.",
	"not-held":                "{node} is held by {by} until {until}: nothing is moved there.",
	"hold-fencing":            "Operation {op} is fencing {node}; this waits for its end.",
	"hold-fence-retry":        "Fencing {node} did not say how it ended; it is tried again at {at}.",
	"evidence-fence-failed":   "{node} could not be fenced, so nothing is taken over from it by itself.",
	"evidence-fence-unknown":  "Fencing {node} did not say how it ended, so nothing is taken over from it by itself.",
	"hold-quorum":             "Quorum is being asked at {node}.",
	"held-by":                 "{by} holds {scope} until {until}: {action} of {tag} on {node} is left to people.",
	"evidence-quorum-ok":      "{node} has quorum, it said at {at}.",
	"evidence-quorum-failed":  "{node} has no quorum, it said at {at}.",
	"evidence-quorum-unknown": "{node} could not tell at {at} whether it has quorum.",
	"quorum-unjudged":         "Cluster {cluster} has quorum mode tcp_remote and no quorum hosts, so nobody is asked: a node that is itself cut off may take over. List at least three hosts outside under quorum_hosts.",

	// Maintenance holds.
	"hold-set":           "{by} holds {scope} until {until}: automation starts nothing there.",
	"hold-changed":       "{by} now holds {scope} until {until}.",
	"hold-released":      "{by} releases {scope}: automation goes on.",
	"hold-ends":          "The hold on {scope} by {by} ends in five minutes, at {until}: what is wrong by then is acted on.",
	"hold-ended":         "The hold on {scope} by {by} has ended: automation goes on.",
	"hold-no-scope":      "There is no cluster, node or resource {scope} to hold.",
	"hold-past":          "{until} is past: give a time in the future.",
	"hold-none":          "There is no hold on {scope}.",
	"hold-no-name":       "A hold needs the name of who holds it.",
	"not-refused":        "{node} would need a person's yes, which was not given for this loss.",
	"none-works-nowhere": "{tag} is not known to work on another node, so no move would help: it stays on {node} and is repaired with each check until it works again.",
	"none-node-unknown":  "Whether {node} is alive is not known, so nothing moves by itself. Who knows that it is off can move it by command.",
	"none-child-unknown": "{tag} has failed on {node}, but it is not known whether {child}, which it needs, is in service there.",
	"none-graceful":      "{node} was shut down in good order, and its shutdown strategy is not to switch over.",
	"none-unreached":     "{node} is alive, but the engine does not reach it: what it holds is not known and stays as it is.",
	"brake":              "It has been repaired often enough: the next repair on {node} comes at {at} at the earliest.",
	"hold-retry":         "The last try did not say how it ended; {node} is tried again at {at}.",
	"automation-off":     "Automation is off: {action} of {tag} on {node} is left to a person.",

	// Decisions.
	"decision-none":           "Nothing is done about {tag}.",
	"decision-recover":        "{tag} is repaired on {from}.",
	"decision-failover":       "{tag} goes from {from} to {to}.",
	"decision-confirm":        "A person is asked whether {tag} goes from {from} to {to}.",
	"decision-hold":           "{tag} stays as it is.",
	"automation-on":           "Automation is on.",
	"automation-switched-off": "Automation is off: nothing is recovered or moved unless a person asks for it.",
	"defined":                 "{by} put a new definition in force.",

	// Questions and answers.
	"question-asked":              "May {tag} go from {from} to {to} in {region}? {until}.",
	"question-well-again":         "There is no reason for the question any more.",
	"question-peers-reach":        "{node} is alive: its peers reach it, only the engine does not.",
	"question-node-unknown":       "It is not known any more whether {node} is alive.",
	"question-graceful":           "{node} is being shut down in good order.",
	"question-no-target":          "There is no node any more that could take it.",
	"question-changed":            "What is the matter with {from} has changed, so it is asked anew.",
	"question-replaced":           "Another node, {node}, is the one to ask about now.",
	"question-person-acts":        "A person gave a command instead of an answer.",
	"question-overtaken":          "Operation {op} makes the question pointless.",
	"question-definition-changed": "{by} changed the definition.",
	"question-proven":             "{from} is now proven dead, or answers: a plain yes is enough.",
	"question-not-proven":         "{from} is not proven dead any more: a plain yes is not enough.",
	"question-expired-no":         "Nobody answered in time whether {tag} goes from {from} to {to}. It does not ({rule}). It can still be put in service there by command.",
	"question-expired-yes":        "Nobody answered in time whether {tag} goes from {from} to {to}. CONFIRMSODEF=0: it goes.",
	"question-ended-answered":     "Question {id} has been answered already: {answer}, by {by}.",
	"question-ended-expired":      "Question {id} has expired; use a command instead.",
	"question-ended-withdrawn":    "Question {id} was withdrawn.",
	"no-such-question":            "There is no question {id}.",
	"answer-unknown":              "There is no answer {kind}; answer yes, off, fence or no.",
	"answer-not-typed":            "This needs the name of the target region, typed out: {region}.",
	"answer-not-yet":              "It is not known yet how {from} is; try again in a few heartbeats.",
	"answer-not-proven":           "{from} is not proven dead, so a plain yes is not enough: make sure that it is off and answer off, or have it fenced.",
	"answer-off-but-answers":      "{from} answers, so it is not off.",
	"fence-not-configured":        "Fencing is not configured for the cluster of {from}.",
	"answered-yes":                "{by} says yes: {tag} goes from {from} to {to}.",
	"answered-off":                "{by} has made sure that {from} is off: {tag} goes to {to}.",
	"answered-fence":              "{by} says: fence {from} and go on to {to} once that is verified.",
	"answered-no":                 "{by} says no: {tag} does not go from {from} to {to}.",
	"question-price":              "DATA LOSS if it goes there: {node} has no complete copy of {tag}.",
	"question-no-price":           "Nothing of the data of {tag} is lost any more if it goes to {node}.",
	"question-stays-open":         "No silence accepts a loss of data: although CONFIRMSODEF=0, the question whether {tag} goes from {from} to {to} waits until somebody answers.",
	"answer-price":                "This would lose data of {tag} on {node}, so a yes has to accept that in so many words.",
	"answer-price-changed":        "What {tag} would lose on {node} is not what was shown; look at the question again.",
	"answered-price":              "{by} accepts that what the copy of {tag} on {node} lacks is lost for good.",
	"refused-by":                  "{by} said no.",

	// Refusals of commands.
	"no-such-resource":          "There is no resource {tag} in this estate.",
	"no-such-node":              "There is no node {node} in this estate.",
	"busy":                      "Operation {op} works on the hierarchy of {tag}; wait for its end.",
	"not-a-wish":                "A {goal} cannot be asked for.",
	"not-active":                "{tag} is not in service anywhere.",
	"active-elsewhere":          "{tag} is in service on {at}, not on {node}.",
	"child-not-in-service":      "{tag} needs {child}, which is not known to be in service on {node}: recover that first.",
	"not-known-yet":             "It is not known yet how {node} is; try again in a few heartbeats.",
	"holder-not-alive":          "{tag} is held by {node}, which cannot be reached.",
	"target-not-alive":          "{node} cannot be reached, so nothing can be put in service there.",
	"confirm-region":            "This crosses regions, from {from} to {node}: the name of the target region must be typed to confirm it ({region}).",
	"from-alive-unreached":      "{from} holds it and is alive: its peers reach it, only the engine does not, so it cannot be stopped there first.",
	"from-not-proven":           "{from} holds it and is not proven dead: starting it elsewhere could make two. Make sure that {from} is off, then use --force.",
	"never-claimed-not-seen":    "{tag} was never in service under this engine, and {node}, where it might run, cannot be reached. If you are sure that it does not run there, use --force.",
	"never-claimed-not-checked": "{tag} was never in service under this engine, and it is not known yet whether it runs on {node}. Try again after the next check.",
	"runs-twice":                "{tag} runs on {node} and on {other}, and nobody holds it. Stop one of them by hand first.",
	"no-plan-now":               "No plan can be made for {tag} any more; the log says why.",

	"simulated": "It fails in this simulation.",

	// Claims.
	"dual-runs":             "{tag} runs on {nodes} at the same time, and nobody holds it.",
	"dual-records":          "The records of {node} and {other} both have claim {number} on {tag}, and nobody holds it here.",
	"record-ahead":          "{node}'s own record has claim {number} on {tag}, the store had {held}: the record is right.",
	"record-newer-released": "{node}'s record has claim {number} on {tag}, which was taken out of service here: the next claim is higher.",
	"dual-equal":            "{node} and {holder} both have claim {number} on {tag}.",
	"dual-newer":            "{node} has claim {number} on {tag}, which is newer than claim {held} of {holder} and was not given by this engine.",

	// Records of replicated data.
	"keep-doubt":       "What is on record of {tag} was read from a copy, and a newer one may be missing: nothing rests on it until the node in service proves it, or a person forces a start.",
	"keep-proven":      "What {node} says agrees with what is on record of {tag}: it is in doubt no longer.",
	"keep-note":        "On record for {tag} is now, for {node}, what follows.",
	"keep-promoted":    "The data of {tag} is that of {node} from now on.",
	"keep-overwrites":  "{tag} makes these disks copies of {source} on {node}: {disks}. What is on them now is OVERWRITTEN and lost for good.",
	"keep-forced":      "{by} forced {tag} into service on {node}: its data counts from now on, whatever others have. Against it stood what follows.",
	"keep-task-began":  "{task} of {node} begins for {tag}.",
	"keep-task-done":   "{task} of {node} is done for {tag}; it took {took}.",
	"keep-task-failed": "{task} of {node} for {tag} did not succeed; it is tried again.",

	// Operations.
	"op-began-in-service":     "{tag} is put in service on {node}.",
	"op-began-out-of-service": "{tag} is taken out of service on {from}.",
	"op-began-failover":       "{tag} moves from {from} to {node}.",
	"op-began-recover":        "{tag} is repaired on {node}.",
	"op-began-stop-stale":     "What runs of {tag} on {node} without right is stopped.",
	"op-began-adopt":          "{tag} is claimed for {node}, where it was found running.",
	"op-interrupted":          "Operation {op} was interrupted by the gap. It goes on from where it is: a step that did not end well before its point of no return is taken back.",
	"op-done":                 "Operation {op} ({goal} {tag}) is done; it took {took}.",
	"op-rolled-back":          "Operation {op} ({goal} {tag}) was taken back; all is as it was before.",
	"op-failed":               "Operation {op} ({goal} {tag}) failed.",

	// The engine itself, and those who tell people about it. The engine says them (Say).
	"engine-started":       "The engine of {who} has started and acts from now on.",
	"engine-started-again": "The engine of {who} has started; the one before, which ran since {since}, did not end in good order.",
	"engine-stopped":       "The engine of {who} was stopped in good order: until one runs again, nothing is recovered or moved by itself.",
	"notify-failed":        "Notifications over {channel} do not arrive, and one was given up: {error}.",
	"notify-works-again":   "Notifications over {channel} arrive again.",
	"notify-dropped":       "{n} notifications over {channel} were given up without a try: too many at a time, or too old.",
}

// Say makes a reason of this package's list for those parts of the engine that have
// something of their own to tell. An unknown code gives an empty text.
func Say(code string, pairs ...string) kits.Reason { return why(code, pairs...) }

// why makes a reason of this package from its code and pairs of arguments.
func why(code string, pairs ...string) kits.Reason {
	return kits.Why(code, render(texts[code], pairs), pairs...)
}

// because is why with another reason behind it, whose text follows its own.
func because(code string, r kits.Reason, pairs ...string) kits.Reason {
	w := why(code, pairs...)
	if r.Text != "" {
		w.Text += " " + r.Text
		w.Because = &r
	}
	return w
}

// Texts is a copy of the list of reason codes with their English, in which {name} is an
// argument: what every other language has to say, too.
func Texts() map[string]string { return maps.Clone(texts) }

// render fills {name} in a text. An argument that is missing shows as it stands.
func render(text string, pairs []string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	var b strings.Builder
	b.Grow(len(text) + 16*len(pairs))
	for {
		open := strings.IndexByte(text, '{')
		if open < 0 {
			break
		}
		end := strings.IndexByte(text[open:], '}')
		if end < 0 {
			break
		}
		b.WriteString(text[:open])
		name := text[open+1 : open+end]
		value := text[open : open+end+1]
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				value = pairs[i+1]
				break
			}
		}
		b.WriteString(value)
		text = text[open+end+1:]
	}
	b.WriteString(text)
	return b.String()
}
