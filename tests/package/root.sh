# Sourced by run.sh --root: the package in a root of Debian 12 that has nothing but what Debian needs.
[ "$(id -u)" = 0 ] || die "a root of one's own wants to be root"
say "a clean root"
clean=$work/clean-root
leave_root() {
    for mounted in dev/pts dev/shm dev sys proc; do umount -l "$clean/$mounted" 2>/dev/null || true; done
}
trap leave_root EXIT
leave_root
rm -rf --one-file-system "$clean"
if [ -n "${DWCLEAN_TEST_ROOT:-}" ]; then
    cp -a "$DWCLEAN_TEST_ROOT" "$clean"
else
    command -v debootstrap >/dev/null || die "debootstrap is not installed"
    debootstrap --variant=minbase bookworm "$clean" "${DWCLEAN_TEST_MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1 ||
        { tail "$work/debootstrap.log" >&2; die "debootstrap"; }
fi
# the sources of packages and the way to them, as this machine has them
cp /etc/resolv.conf /etc/hosts "$clean/etc/"
rm -rf "$clean/etc/apt/sources.list" "$clean/etc/apt/sources.list.d"
mkdir -p "$clean/etc/apt/sources.list.d" "$clean/usr/share/keyrings"
for list in /etc/apt/sources.list /etc/apt/sources.list.d/debian*; do
    [ ! -f "$list" ] || cp "$list" "$clean/etc/apt/sources.list.d/"
done
cp /usr/share/keyrings/debian* "$clean/usr/share/keyrings/"
for file in /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf.d/99*; do
    [ ! -f "$file" ] || cp "$file" "$clean/etc/apt/apt.conf.d/"
done
mount -t proc proc "$clean/proc"
mount --rbind /sys "$clean/sys"
mount --rbind /dev "$clean/dev"
mount --make-rslave "$clean/dev"
mount --make-rslave "$clean/sys"
inside() {
    chroot "$clean" /usr/bin/env -i HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
        PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$@" </dev/null
}
inside dpkg -l >"$work/before.txt"
! grep -q libsybdb5 "$work/before.txt" || die "the root is not clean: FreeTDS is there already"

say "installation with its dependencies, and nothing that was not asked for"
mkdir -p "$clean/srv/dwclean"
cp "$package" "$symbols" "$clean/srv/"
inside apt-get update -q >"$work/apt.log" 2>&1 || { tail "$work/apt.log" >&2; die "apt-get update"; }
inside dpkg -i "/srv/${package##*/}" >"$work/dpkg.log" 2>&1 && die "dpkg installed it without its dependencies"
grep -q 'depends on libsybdb5' "$work/dpkg.log" || die "dpkg did not miss libsybdb5"
inside apt-get install -q -y --no-install-recommends --fix-broken >>"$work/apt.log" 2>&1 || { tail "$work/apt.log" >&2; die "apt-get install"; }
inside dpkg -i "/srv/${symbols##*/}" >>"$work/dpkg.log" 2>&1 || die "the debug symbols"
inside dpkg --audit >"$work/audit.txt" && [ ! -s "$work/audit.txt" ] || die "dpkg --audit: $(cat "$work/audit.txt")"
inside dpkg --verify dwclean >"$work/audit.txt" && [ ! -s "$work/audit.txt" ] || die "dpkg --verify: $(cat "$work/audit.txt")"
[ ! -e "$clean/var/lib/dwclean" ] && [ ! -e "$clean/etc/dwclean" ] || die "a directory that nobody asked for"

say "the program there"
inside dwclean version
inside dwclean help >/dev/null
for schema in outcome plan history lists; do [ -f "$clean/usr/share/dwclean/schemas/$schema.schema.json" ] || die "no $schema.schema.json"; done

say "the demo there, with the program that was installed"
(cd "$SOURCE_DIR" && git ls-files -z --cached --others --exclude-standard fixtures tests/support | tar -c --null -T -) | tar -x -C "$clean/srv/dwclean"
cmake -S "$first" -B "$work/sandbox" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo -DDWCLEAN_BUILD_TESTS=OFF \
    -DDWCLEAN_BUILD_SANDBOX=ON >"$work/sandbox.log" 2>&1 && ninja -C "$work/sandbox" dwclean-sandbox >>"$work/sandbox.log" 2>&1 ||
    { tail "$work/sandbox.log" >&2; die "the sandbox"; }
cp "$work/sandbox/tests/sandbox/dwclean-sandbox" "$clean/srv/"
# what the stand-in needs and dwclean does not
inside apt-get install -q -y --no-install-recommends libmicrohttpd12 libsqlite3-0 openssl >>"$work/apt.log" 2>&1 || die "libraries of the sandbox"
inside env DWCLEAN=/usr/bin/dwclean SANDBOX_BINARY=/srv/dwclean-sandbox DWCLEAN_DEMO_DIR=/srv/demo sh /srv/dwclean/fixtures/demo.sh \
    >"$work/demo.log" 2>&1 || { tail -n 30 "$work/demo.log" >&2; die "the demo"; }
tail -n 1 "$work/demo.log"

say "a run of root keeps its backups where the manual says"
stat -c '%a %U' "$clean/srv/demo/runs" | grep -qx '700 root' || die "the runs directory is $(stat -c '%a %U' "$clean/srv/demo/runs")"

say "and away again"
inside dpkg --purge dwclean-dbgsym dwclean >>"$work/dpkg.log" 2>&1 || die "dpkg --purge"
find "$clean/usr" "$clean/etc" "$clean/var/lib/dwclean" -path '*dwclean*' 2>/dev/null | grep -v /var/lib/dpkg >"$work/left" || true
[ ! -s "$work/left" ] || die "left behind: $(cat "$work/left")"
