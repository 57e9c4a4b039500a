package fleet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"

	"github.com/ferry-ha/ferry/kits"
	"github.com/ferry-ha/ferry/sshexec"
)

// connectScript tries one TCP connection from the node: $1 host, $2 port, $3 seconds.
// Exit 0 connected, 1 not, 3 nothing on the node can try. Each of the tools is missing
// somewhere; a distribution without any of them was not seen.
const connectScript = `if command -v bash >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
	timeout "$3" bash -c 'exec 3<>"/dev/tcp/$1/$2"' bash "$1" "$2" 2>/dev/null
elif command -v nc >/dev/null 2>&1; then
	nc -z -w "$3" "$1" "$2" >/dev/null 2>&1
elif command -v python3 >/dev/null 2>&1; then
	python3 -c 'import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), float(sys.argv[3]))' "$@" 2>/dev/null
else
	exit 3
fi
[ $? = 0 ] || exit 1
`

// witness is what came of one connection.
type witness struct {
	host string
	said kits.Outcome
	err  error
}

// Witnesses asks the node to connect to each host:port and answers as soon as a
// majority of them is reached, or cannot be any more: a dead witness delays nobody
// when the others suffice. reached and missed are those that answered until then;
// unknown are those about which the node could not say anything, with the first error.
func (f *Fleet) Witnesses(ctx context.Context, node string, hosts []string, limit time.Duration) (reached, missed []string, err error) {
	ctx, cancel := context.WithTimeout(ctx, limit+2*time.Second)
	defer cancel()
	said := make(chan witness, len(hosts))
	for _, h := range hosts {
		go func() { said <- f.witness(ctx, node, h, limit) }()
	}
	need := len(hosts)/2 + 1
	for range hosts {
		w := <-said
		switch w.said {
		case kits.OK:
			reached = append(reached, w.host)
		case kits.Failed:
			missed = append(missed, w.host)
		default:
			err = errors.Join(err, w.err)
		}
		if len(reached) >= need || len(missed) > len(hosts)-need {
			break
		}
	}
	return reached, missed, err
}

func (f *Fleet) witness(ctx context.Context, node, hostport string, limit time.Duration) witness {
	host, port, err := net.SplitHostPort(hostport)
	if err != nil {
		return witness{hostport, kits.Unknown, fmt.Errorf("witness %q: %w; write host:port", hostport, err)}
	}
	secs := strconv.Itoa(max(1, int(limit.Seconds())))
	res, err := f.Host(node).Run(ctx, kits.Script{Name: "quorum", Body: connectScript, Args: []string{host, port, secs}, Deadline: limit + time.Second})
	switch {
	case err != nil:
		return witness{hostport, kits.Unknown, err}
	case res.Exit == 0:
		return witness{hostport, kits.OK, nil}
	case res.Exit == 1:
		return witness{hostport, kits.Failed, nil}
	case res.Exit == 3:
		return witness{hostport, kits.Unknown, fmt.Errorf("%s has neither bash, nc nor python3 to try a connection with; install one", node)}
	}
	return witness{hostport, kits.Unknown, fmt.Errorf("asking %s to connect to %s: exit %d: %s", node, hostport, res.Exit, sshexec.Clean([]byte(res.Stderr), 200))}
}
