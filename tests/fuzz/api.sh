#!/bin/sh
# Tries the interface for programs against deploy/api/openapi.json with schemathesis, which makes requests of every
# kind from the description and looks at each answer: status, type, form. Twice: at a gateway where nobody has signed
# in, which must let nobody in; and at a demonstration, which lets everybody in and has no /metrics.
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
address=http://127.0.0.1:8478
gateway=
end() {
    [ -z "$gateway" ] || { kill "$gateway" 2>/dev/null; wait "$gateway" 2>/dev/null; } || true
    gateway=
}
trap 'end; rm -rf "$data"' EXIT

# try LOG-MARK OPTIONS… : until the gateway that was started has said so, and then all requests.
try() {
    until grep -q "$1" "$data/log"; do
        kill -0 "$gateway" 2>/dev/null || { cat "$data/log"; exit 1; }
        sleep 0.2
    done
    shift
    $home/bin/st run $address/api/openapi.json --url $address --header "Origin: $address" \
        --exclude-path /api/v1/events --exclude-path /live \
        --checks all --max-examples "${EXAMPLES:-200}" "$@"
    end
}

echo 'a-token-of-no-real-gateway-0123456789' >"$data/token"
chmod 600 "$data/token"
cat >"$data/menshen.toml" <<CONFIG
[camera]
source = "simulator"
scenario = "lobby"
[web]
listen = "127.0.0.1:8478"
metrics_token_file = "$data/token"
[store]
folder = "$data/closed"
CONFIG
target/debug/menshen run --config "$data/menshen.toml" >"$data/log" 2>&1 &
gateway=$!
try "dashboard on"

target/debug/menshen demo --port 8478 --folder "$data/open" >"$data/log" 2>&1 &
gateway=$!
try "^stop" --exclude-path /metrics \
    --exclude-checks ignored_auth,missing_required_header,negative_data_rejection
