#!/usr/bin/env bash
# fuzz.sh SECONDS: tries every fuzz target there is for so long, and fails when one of them finds something.
set -uo pipefail
seconds=$1 found=()
targets=$(go test -run xxx -list '^Fuzz' ./... | awk '/^Fuzz/ {t[++n]=$1} /^ok/ {for (i=1; i<=n; i++) print $2, t[i]; n=0}') || exit 1
while read -r pkg target; do
	out=$(go test -run xxx -fuzz "^$target\$" -fuzztime "${seconds}s" -fuzzminimizetime 10x "$pkg" 2>&1)
	code=$?
	echo "$target: $(grep -o 'execs: [0-9]*' <<<"$out" | tail -1), $pkg"
	# The go command may fail when time is up in the middle of a step, and has then found nothing.
	if [ $code != 0 ] && { grep -q 'Failing input' <<<"$out" || ! grep -q 'context deadline exceeded' <<<"$out"; }; then
		echo "$out"
		found+=("$target")
	fi
done <<<"$targets"
echo
if [ ${#found[@]} -gt 0 ]; then
	echo "FOUND by: ${found[*]}"
	exit 1
fi
echo "$(wc -l <<<"$targets") targets found nothing"
