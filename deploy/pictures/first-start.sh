#!/bin/sh
# The pictures of the first-start guide, of the program itself with a simulated camera: `make picture`.
#
#   deploy/pictures/first-start.sh PROGRAM OUT
set -eu

program=$(realpath "$1") out=$(realpath "$2")
people=$(realpath "$(dirname "$0")/dashboard.toml")
work=$(mktemp -d)
running=
trap 'kill $running 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"

# The page as it is after four seconds.
shot() { # PAGE FILE SIZE
    chromium --headless --no-sandbox --disable-gpu --hide-scrollbars --window-size="$3" --timeout=4000 \
        --screenshot="$out/$2" "$1" 2>/dev/null
}
until_there() { until curl -s -o /dev/null "$1"; do sleep 0.2; done; }

# 1: the page on which the first account is made.
cat >site.toml <<'SITE'
[camera]
source = "simulator"
scenario = "empty"
[reference]
present = true
set_point_c = 37.0
[web]
listen = "127.73.0.1:8080"
[store]
folder = "data"
disk_floor_mib = 0
SITE
"$program" run --config site.toml 2>log &
running=$!
until_there http://127.73.0.1:8080/readyz
shot http://127.73.0.1:8080/setup setup.png 900,760
kill $running
wait $running || true

# 2 and 3: the guard's page and the visitor screen, with people.
"$program" demo --port 8479 --folder demo --seconds 60 --scenario "$people" >demo.log 2>&1 &
running=$!
until grep -q ALERT demo.log; do sleep 0.3; done
shot http://127.0.0.1:8479/ guard.png 1280,900
shot http://127.0.0.1:8479/visitor visitor.png 1280,720
