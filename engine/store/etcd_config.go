package store

import (
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	"go.etcd.io/etcd/client/pkg/v3/types"
	"go.etcd.io/etcd/server/v3/config"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3compactor"
	"go.etcd.io/etcd/server/v3/features"
	"go.etcd.io/etcd/server/v3/storage/wal"
	"go.uber.org/zap"
)

// memberName and memberURL identify the only member. etcd wants an address to tell
// its peers; there are none, nothing listens on it and nothing dials it.
const (
	memberName = "ferry"
	memberURL  = "http://127.0.0.1:0"
)

// smallSegments makes etcd allocate its log in pieces of 1 MiB instead of 64 MB,
// which a small estate would never fill and every start would have to write out.
// etcd has only a variable of its package for it; it is set once, before the first
// member, and read at a member's start and whenever a segment is begun.
var smallSegments = sync.OnceFunc(func() { wal.SegmentSizeBytes = 1 << 20 })

// serverConfig describes a member without any listener: the server is made directly,
// without the package that would bind client, peer and metrics sockets for it.
func serverConfig(o Options, log *zap.Logger) config.ServerConfig {
	urls := types.MustNewURLs([]string{memberURL})
	return config.ServerConfig{
		Name:                memberName,
		DataDir:             o.Dir,
		PeerURLs:            urls,
		ClientURLs:          urls,
		InitialPeerURLsMap:  types.URLsMap{memberName: urls},
		InitialClusterToken: memberName,
		NewCluster:          true,
		Logger:              log,
		ServerFeatureGate:   features.NewDefaultServerFeatureGate(memberName, log),
		V2Deprecation:       config.V2DeprDefault,
		LocalAddress:        "127.0.0.1",
		AuthToken:           "simple",
		TokenTTL:            300,
		BcryptCost:          4,

		// A member alone elects itself as soon as it may: after one election timeout.
		TickMs:        10,
		ElectionTicks: 5,
		PreVote:       true,

		// Snapshots often and few old files: the log that a start has to read stays
		// short and the directory small (two segments of 1 MiB and the database).
		SnapshotCount:          1000,
		SnapshotCatchUpEntries: 100,
		MaxSnapFiles:           2,
		MaxWALFiles:            2,

		QuotaBackendBytes:                 o.Quota,
		BootstrapDefragThresholdMegabytes: 64,
		BackendFreelistType:               bolt.FreelistMapType,
		MaxTxnOps:                         MaxOps,
		MaxRequestBytes:                   MaxBytes + MaxBytes/4, // keys and framing on top of what valid counts
		AutoCompactionMode:                v3compactor.ModeRevision,
		AutoCompactionRetention:           time.Duration(o.Keep), // etcd keeps a count in a duration
		UnsafeNoFsync:                     o.NoSync,

		WarningApplyDuration:        time.Second,
		WarningUnaryRequestDuration: time.Second,
		DowngradeCheckTime:          time.Hour,
		MaxLearners:                 1,
		StrictReconfigCheck:         true,
	}
}
