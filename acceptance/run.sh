#!/usr/bin/env bash
# Drives fakewa with four clients that others wrote. Skips with a reason where npm is missing; fails otherwise.
#   acceptance/run.sh                 builds aftershock first
#   AFTERSHOCK=/path/to/aftershock acceptance/run.sh
set -euo pipefail
cd "$(dirname "$0")"

if ! command -v npm >/dev/null || ! command -v node >/dev/null; then
  echo "acceptance: skipped: npm and node are not installed"
  exit 0
fi

if [ -z "${AFTERSHOCK:-}" ]; then
  build=$(mktemp -d)
  trap 'rm -rf "$build"' EXIT
  (cd .. && go build -o "$build/aftershock" ./cmd/aftershock)
  AFTERSHOCK=$build/aftershock
fi
export AFTERSHOCK

npm ci --ignore-scripts --no-audit --no-fund --loglevel=error

echo "== github.com/piusalfred/whatsapp"
go test -count=1 .
for client in kapso great-detail; do
  echo "== $client"
  node --test --test-reporter=spec "$client.test.mjs"
done

echo "== Meta's SDK, TLS on port 443"
if [ "$(id -u)" = 0 ] || [ "$(cat /proc/sys/net/ipv4/ip_unprivileged_port_start 2>/dev/null || echo 1024)" -le 443 ]; then
  node --test --test-reporter=spec --test-concurrency=1 meta.test.mjs
elif command -v unshare >/dev/null && command -v ip >/dev/null && unshare --user --map-root-user --net true 2>/dev/null; then
  unshare --user --map-root-user --net sh -c 'ip link set lo up && exec node --test --test-reporter=spec --test-concurrency=1 meta.test.mjs'
else
  echo "acceptance: Meta's SDK skipped: port 443 needs root, or user namespaces with iproute2"
fi
