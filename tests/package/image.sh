# Sourced by run.sh --image: the Containerfile by buildah, on a root of debootstrap in place of the image of a registry.
[ "$(id -u)" = 0 ] || die "a root of one's own wants to be root"
command -v buildah >/dev/null || die "buildah is not installed"
say "a base image"
base=$work/base-root
if [ ! -f "$base.done" ]; then
    rm -rf --one-file-system "$base"
    if [ -n "${DWCLEAN_TEST_ROOT:-}" ]; then
        cp -a "$DWCLEAN_TEST_ROOT" "$base"
    else
        debootstrap --variant=minbase bookworm "$base" "${DWCLEAN_TEST_MIRROR:-http://deb.debian.org/debian}" >"$work/debootstrap.log" 2>&1 ||
            { tail "$work/debootstrap.log" >&2; die "debootstrap"; }
    fi
    rm -rf "$base/etc/apt/sources.list" "$base/etc/apt/sources.list.d"
    mkdir -p "$base/etc/apt/sources.list.d" "$base/usr/share/keyrings"
    for list in /etc/apt/sources.list /etc/apt/sources.list.d/debian*; do
        [ ! -f "$list" ] || cp "$list" "$base/etc/apt/sources.list.d/"
    done
    cp /usr/share/keyrings/debian* "$base/usr/share/keyrings/"
    for file in /etc/apt/apt.conf.d/*proxy* /etc/apt/apt.conf.d/99*; do
        [ ! -f "$file" ] || cp "$file" "$base/etc/apt/apt.conf.d/"
    done
    touch "$base.done"
fi
store() { buildah --root "$work/images" --runroot "$work/images-run" --storage-driver vfs "$@"; }
container=$(store from scratch)
store add -q "$container" "$base" / >/dev/null
store commit -q "$container" dwclean-base >/dev/null
store rm "$container" >/dev/null

say "the image"
sources "$work/image-source"
store build --isolation chroot --network host --layers=false -q --build-arg BASE=localhost/dwclean-base \
    --build-arg SOURCE_DATE_EPOCH="$SOURCE_DATE_EPOCH" -t dwclean -f "$work/image-source/fixtures/examples/Containerfile" \
    "$work/image-source" >"$work/image.log" 2>&1 || { tail -n 30 "$work/image.log" >&2; die "buildah build"; }
container=$(store from localhost/dwclean)
[ "$(store run --isolation chroot "$container" /usr/bin/id -u)" = 65532 ] || die "the image does not run as a user of its own"
store run --isolation chroot "$container" /usr/bin/dwclean version
store run --isolation chroot "$container" /usr/bin/stat -c '%a %u' /var/lib/dwclean/runs | grep -qx '700 65532' || die "the runs directory"
entry=$(store inspect --format '{{.OCIv1.Config.Entrypoint}} {{.OCIv1.Config.Cmd}} {{.OCIv1.Config.User}}' "$container")
[ "$entry" = "[/usr/bin/dwclean] [help] 65532:65532" ] || die "the image starts $entry"
store rm "$container" >/dev/null
