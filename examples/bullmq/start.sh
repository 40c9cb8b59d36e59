#!/bin/sh
# A Redis of the sender's own, and the sender; both end together.
set -eu
cd "$(dirname "$0")"
dir=$(mktemp -d)
trap 'kill $redis $node 2>/dev/null; wait; rm -rf "$dir"' EXIT
trap 'exit 0' TERM INT
export REDIS_SOCKET="$dir/redis.sock"
# Redis cannot run with libfaketime, which --compress loads into the sender: its allocator asks for the time too early.
env -u LD_PRELOAD redis-server --port 0 --unixsocket "$REDIS_SOCKET" --save '' --appendonly no --dir "$dir" --loglevel warning &
redis=$! node=
while [ ! -S "$REDIS_SOCKET" ]; do sleep 0.1; done
node app.mjs &
node=$!
wait "$node"
