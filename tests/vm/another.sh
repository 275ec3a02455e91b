#!/bin/sh
# Another version of a package, to try an upgrade with: the same under a higher number, or one whose program runs
# and serves nothing.
#
#   another.sh PACKAGE VERSION good|bad OUT
set -eu

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
dpkg-deb -R "$1" "$work/package"
sed -i "s/^Version: .*/Version: $2/" "$work/package/DEBIAN/control"
if [ "$3" = bad ]; then
    cat > "$work/package/usr/bin/menshen" <<'PROGRAM'
#!/bin/sh
# Screens nobody.
exec sleep 1000000
PROGRAM
    chmod 0755 "$work/package/usr/bin/menshen"
    (cd "$work/package" && find usr etc -type f -exec md5sum {} + > DEBIAN/md5sums)
fi
dpkg-deb --root-owner-group -Znone -b "$work/package" "$4" > /dev/null
