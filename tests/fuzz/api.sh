#!/bin/sh
# Tries a demonstration's interface for programs against deploy/api/openapi.json with schemathesis, which makes
# requests of every kind from the description and looks at each answer: status, type, form.
#
# The streams (/api/v1/events, /live) do not end by themselves and are left out; tests/api.rs and tests/web.rs
# have them.
set -eu
cd "$(dirname "$0")/../.."

home=target/schemathesis
[ -x $home/bin/st ] || {
    python3 -m venv $home && $home/bin/pip --quiet install "schemathesis==$SCHEMATHESIS_VERSION"
}
data=$(mktemp -d)
log=$data/log
target/debug/menshen demo --port 8478 --folder "$data/data" >"$log" 2>&1 &
gateway=$!
trap 'kill $gateway 2>/dev/null; wait $gateway 2>/dev/null; rm -rf "$data"' EXIT
until grep -q "^stop" "$log"; do
    kill -0 $gateway 2>/dev/null || { cat "$log"; exit 1; }
    sleep 0.2
done
address=http://127.0.0.1:8478
$home/bin/st run $address/api/openapi.json --url $address --header "Origin: $address" \
    --exclude-path /api/v1/events --exclude-path /live \
    --checks all --max-examples "${EXAMPLES:-200}"
