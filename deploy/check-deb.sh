#!/bin/sh
# Looks into a package: everything that an installation needs is in it, with its mode, and nothing else.
#
#   deploy/check-deb.sh target/debian/menshen_0.1.0-1_amd64.deb
set -eu

package=$1
list=$(dpkg-deb -c "$package")
wrong=0

wanted="
-rwxr-xr-x ./usr/bin/menshen
-rw-r--r-- ./usr/lib/systemd/system/menshen.service
-rw-r--r-- ./usr/lib/systemd/system/menshen-trouble.service
-rw-r--r-- ./usr/lib/sysusers.d/menshen.conf
-rw-r--r-- ./usr/lib/tmpfiles.d/menshen.conf
-rw-r--r-- ./usr/lib/udev/rules.d/99-menshen-camera.rules
-rw-r----- ./etc/menshen/menshen.toml
-rw-r--r-- ./usr/share/doc/menshen/README.md
-rw-r--r-- ./usr/share/doc/menshen/FIRST-START.md
-rw-r--r-- ./usr/share/doc/menshen/SECURITY.md
-rw-r--r-- ./usr/share/doc/menshen/mosquitto/menshen.conf
-rw-r--r-- ./usr/share/doc/menshen/mosquitto/menshen.acl
-rw-r--r-- ./usr/share/doc/menshen/STREET.md
-rw-r--r-- ./usr/share/doc/menshen/nats/nats-server.conf
"
found=$(printf '%s\n' "$list" | awk '$6 !~ /\/$/ { print $1, $6 }')
echo "$wanted" | while read -r mode path; do
    [ -z "$mode" ] || printf '%s\n' "$found" | grep -qxF -- "$mode $path" || echo "missing: $mode $path"
done >"${TMPDIR:-/tmp}/check-deb.$$"
# Beside it only Debian's own papers.
printf '%s\n' "$found" | while read -r mode path; do
    case $path in ./usr/share/doc/menshen/copyright | ./usr/share/doc/menshen/changelog*) continue ;; esac
    echo "$wanted" | grep -qxF -- "$mode $path" || echo "not expected: $mode $path"
done >>"${TMPDIR:-/tmp}/check-deb.$$"
[ -s "${TMPDIR:-/tmp}/check-deb.$$" ] && wrong=1
cat "${TMPDIR:-/tmp}/check-deb.$$"
rm -f "${TMPDIR:-/tmp}/check-deb.$$"

dpkg-deb -I "$package" conffiles | grep -qx /etc/menshen/menshen.toml || {
    echo "an upgrade would overwrite /etc/menshen/menshen.toml"
    wrong=1
}
for script in postinst prerm postrm; do
    dpkg-deb -I "$package" "$script" | sh -n || wrong=1
done
[ $wrong = 0 ] && echo "$package: $(printf '%s\n' "$found" | wc -l) files, as they should be"
exit $wrong
