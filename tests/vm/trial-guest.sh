#!/bin/bash
# In the guest: installs the package, and does to it what happens to a device in a lobby. Begins on a Debian that has
# never seen it, and goes on after the power cut that it asks for.

state=/root/trial-state
fail() {
    echo "trial: FAILED: $*"
    journalctl -u menshen -n 40 -o cat --no-pager
    journalctl -u trial-camera -n 10 -o cat --no-pager
    systemctl status menshen.service --no-pager -n 0
    poweroff -f
    exit 1
}
ok() { echo "trial: ok: $* (after $((SECONDS)) s)"; }
# Until a command succeeds; 10 minutes of a slow processor at most.
until_ok() {
    local what=$1
    shift
    for second in $(seq 600); do
        "$@" > /dev/null 2>&1 && return 0
        [ $((second % 60)) != 0 ] || echo "trial: waits for $what: $(journalctl -u menshen -n 1 -o cat --no-pager)"
        sleep 1
    done
    fail "$what did not come"
}
ready() { [ "$(curl -s -m 10 -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/readyz)" = 200 ]; }
alerts() { grep -c '/event/alert .*"kind":"raised"' /root/heard; }
more_alerts() { [ "$(alerts)" -gt "$1" ]; }
pid() { systemctl show -p MainPID --value menshen.service; }
hear() {
    mosquitto_sub -t 'menshen/#' -q 1 -v >> /root/heard &
}
setcap_free() { grep -E '^(CapEff|NoNewPrivs|Seccomp):' "/proc/$(pid)/status" | tr -s '\t\n' ' '; }

touch /root/heard
systemctl start mosquitto || fail "the broker"
hear

if [ ! -e $state ]; then
    ok "a Debian of its own: $(. /etc/os-release; echo "$PRETTY_NAME"), systemd $(systemctl --version | sed -n '1s/systemd \([0-9]*\).*/\1/p'), Linux $(uname -r)"
    id menshen > /dev/null 2>&1 && fail "there is a menshen already"
    dpkg -i /root/menshen.deb > /root/dpkg.log 2>&1 || { cat /root/dpkg.log; fail "the package does not install"; }
    id menshen > /dev/null || fail "no user"
    [ "$(stat -c '%a %U' /var/lib/menshen)" = "700 menshen" ] || fail "the data folder"
    systemctl is-active --quiet menshen.service || fail "the service does not run"
    systemctl is-enabled --quiet menshen.service || fail "the service is not enabled"
    ok "installed, and the service runs"
    systemctl is-active --quiet trial-camera || fail "the virtual camera is not plugged in"
    cat >> /etc/menshen/menshen.toml << 'SITE'
[camera]
rotate_degrees = 90
[mqtt]
enabled = true
SITE
    systemctl restart menshen.service || fail "the service does not start again"
    until_ok "a screened frame" ready
    ls -l /dev/menshen-camera > /dev/null || fail "the udev rule gave the camera no name"
    ok "the camera is screened: $(systemctl show -p StatusText --value menshen.service)"
    [ "$(setcap_free)" = "CapEff: 0000000000000000 NoNewPrivs: 1 Seccomp: 2 " ] || fail "it has rights: $(setcap_free)"
    [ "$(ps -o user= -p "$(pid)")" = menshen ] || fail "it is not menshen"
    [ "$(systemd-analyze security --no-pager menshen.service | sed -n 's/.*exposure level for .*: \([0-9.]*\) .*/\1/p')" = 1.4 ] ||
        fail "$(systemd-analyze security --no-pager menshen.service | tail -n 1)"
    ok "under every restriction of its unit: $(setcap_free)exposure 1.4"
    until_ok "an alert" more_alerts 0
    ok "an alert went out: $(grep -m 1 '/event/alert .*"kind":"raised"' /root/heard | cut -c 1-300)"

    before=$(pid)
    kill -9 "$before"
    until_ok "a new process" test "$(pid)" != "$before"
    sleep 3
    until_ok "a screened frame after kill -9" ready
    [ "$(systemctl show -p NRestarts --value menshen.service)" -ge 1 ] || fail "systemd did not start it anew"
    ok "killed with -9, and screens again"

    dpkg -i /root/good.deb > /root/dpkg.log 2>&1 && fail "an upgrade with open alerts was not refused"
    grep -q 'alerts have no outcome yet' /root/dpkg.log || { cat /root/dpkg.log; fail "why is it refused?"; }
    ok "an upgrade is refused: $(grep 'no outcome yet' /root/dpkg.log)"
    export MENSHEN_UPGRADE_ANYWAY=1
    dpkg -i /root/good.deb > /root/dpkg.log 2>&1 || { cat /root/dpkg.log; fail "a good version was not kept"; }
    ready || fail "the good version does not screen"
    [ ! -e /var/lib/menshen-previous/note.json ] || fail "still to be judged"
    ok "a good version is kept: $(journalctl -u menshen-upgrade -n 20 -o cat --no-pager | grep 'it is kept')"
    dpkg -i /root/bad.deb > /root/dpkg.log 2>&1 && fail "a bad version was kept"
    until_ok "a screened frame after going back" ready
    file=$(head -c 4 /usr/bin/menshen | tail -c 3)
    [ "$file" = ELF ] || fail "the program is not the one before"
    ok "a bad version is taken back: $(grep -m 1 'is back' /root/dpkg.log)"
    dpkg -i --force-downgrade /root/good.deb > /root/dpkg.log 2>&1 || { cat /root/dpkg.log; fail "no way out"; }

    before=$(pid) count=$(alerts)
    fallocate -l "$(($(stat -f -c '%a * %S' /) - 65536))" /fill 2> /dev/null
    dd if=/dev/zero of=/fill2 bs=4096 2> /dev/null
    sleep 60
    [ "$(df --output=avail / | tail -n 1)" -lt 64 ] || fail "the disk is not full: $(df /)"
    [ "$(curl -s -m 10 -o /dev/null -w '%{http_code}' http://127.0.0.1:8080/sign-in)" != 000 ] || fail "no page with the disk full"
    [ "$(pid)" = "$before" ] || fail "a full disk ended it"
    ok "the disk is full, and it runs: $(systemctl show -p StatusText --value menshen.service)"
    rm -f /fill /fill2
    until_ok "an alert after there is room" more_alerts "$count"
    ok "there is room, and alerts go out"

    alerts > $state
    sync
    # Alerts go on while the power is cut.
    until_ok "an alert before the cut" more_alerts "$(cat $state)"
    alerts > $state
    sync
    sleep 5
    echo "trial: cut the power"
    sleep 600
    fail "the power was not cut"
fi

ok "the machine is up again"
until_ok "a screened frame after the power cut" ready
[ -s $state ] || fail "the trial's own note is gone"
raised=$(setpriv --reuid menshen --regid menshen --init-groups /usr/bin/menshen doctor --json --config /etc/menshen/menshen.toml)
case $raised in
*'"check":"database","state":"well"'*) ;;
*) fail "the doctor says $raised" ;;
esac
ok "it screens, and the database is whole"
journalctl -b -u menshen -o cat --no-pager | grep -q 'was not stopped in order; checking' || fail "it did not see that it was cut off"
journalctl -b -u menshen -o cat --no-pager | grep -qE 'salvag|damaged' && fail "the database was damaged"
count=$(alerts)
until_ok "an alert after the power cut" more_alerts "$count"
ok "alerts go out again"
(cd /root && menshen support --config /etc/menshen/menshen.toml --out /root/bundle.zip) || fail "no bundle"
echo "trial: passed"
sync
poweroff -f
