#!/bin/sh
# The package: built twice and compared, looked at by lintian and file by file. See README.md.
# sh tests/package/run.sh [--root | --image]: with --root installed into a root that debootstrap makes, where the demo runs;
# with --image as the Containerfile has it. DWCLEAN_TEST_ROOT: a root of Debian 12 to copy instead of making one.
set -eu
SOURCE_DIR=$(cd "$(dirname "$0")/../.." && pwd)
work=$SOURCE_DIR/build/package-test
case ${1:-} in
"" | --root | --image) ;;
*)
    echo "usage: sh tests/package/run.sh [--root | --image]" >&2
    exit 64
    ;;
esac
mkdir -p "$work"
PACKAGES_LOG=$work/packages.log
. "$SOURCE_DIR/tests/support/packages.sh"
need_packages build package

say() { printf '== %s\n' "$*"; }
die() {
    printf 'FAILED: %s\n' "$*" >&2
    exit 1
}

# sources DIR: what is tracked, as it stands in this tree, without its history.
sources() {
    rm -rf "$1"
    mkdir -p "$1"
    (cd "$SOURCE_DIR" && git ls-files -z --cached --others --exclude-standard | tar -c --null --ignore-failed-read -T - 2>/dev/null) |
        tar -x -C "$1"
}

# build DIR: the package, in the caller's environment; no cache of objects may stand in for the compiler.
build() {
    (cd "$1" && env -u CMAKE_C_COMPILER_LAUNCHER cmake --workflow --preset package >package.log 2>&1) ||
        { tail -n 30 "$1/package.log" >&2; die "the build in $1"; }
}

if [ -z "${SOURCE_DATE_EPOCH:-}" ]; then
    SOURCE_DATE_EPOCH=$(git -C "$SOURCE_DIR" log -1 --format=%ct)
fi
export SOURCE_DATE_EPOCH

say "two builds: other folders, time, zone, language and umask"
first=$work/first second="$work/second and other/folder"
sources "$first"
build "$first"
rm -rf "$work/second and other"
(
    umask 077
    export TZ=Asia/Kathmandu LC_ALL=C.UTF-8 LANG=de_DE.UTF-8 HOME=/nonexistent
    sources "$second"
    build "$second"
)
version=$(sed -n 's/^project(dwclean VERSION \([0-9.]*\).*/\1/p' "$SOURCE_DIR/CMakeLists.txt")
architecture=$(dpkg --print-architecture)
package=$first/build/package/dwclean_${version}_$architecture.deb
symbols=$first/build/package/dwclean-dbgsym_${version}_$architecture.deb
for file in dwclean sbom.cdx.json "${package##*/}" "${symbols##*/}"; do
    cmp "$first/build/package/$file" "$second/build/package/$file" || die "two builds of $file are not the same"
done
sha256sum "$package" "$symbols" | sed 's| .*/| |'
for file in "$package" "$symbols"; do
    rm -rf "$work/root.${file##*/}"
    dpkg-deb -R "$file" "$work/root.${file##*/}"
    ! grep -rqaF "$work" "$work/root.${file##*/}" || die "${file##*/} names the folder that it was built in"
done
root=$work/root.${package##*/}
debug_root=$work/root.${symbols##*/}

say "lintian"
as_user=
[ "$(id -u)" != 0 ] || as_user="--allow-root"
lintian $as_user --fail-on error,warning "$package" "$symbols" || die "lintian"

say "every file, with mode and owner"
dpkg-deb -c "$package" | awk '{ print $1, $2, $6 }' | sed "s/ \.\// \//" >"$work/contents"
diff -u "$SOURCE_DIR/tests/package/contents.txt" "$work/contents" || die "the files are not those of contents.txt"
! dpkg-deb -c "$package" | grep -q '^-..s\|^-.....s' || die "setuid or setgid"
[ ! -e "$root/DEBIAN/conffiles" ] && [ ! -e "$root/DEBIAN/postinst" ] || die "conffiles or scripts that nobody asked for"
for each in "$root" "$debug_root"; do
    (cd "$each" && md5sum --quiet -c DEBIAN/md5sums && find usr -type f | sort >"$work/files" &&
        awk '{ print $2 }' DEBIAN/md5sums | sort | diff - "$work/files") || die "md5sums of $each"
done

say "what it depends on"
depends=$(sed -n 's/^Depends: //p' "$root/DEBIAN/control")
later=$(readelf -p .note.dlopen "$root/usr/bin/dwclean" | sed -n 's/.*"soname":\["\([^"]*\)"\].*/\1/p')
[ -n "$later" ] || die "the note of what is loaded later is missing"
for soname in $(readelf -d "$root/usr/bin/dwclean" | sed -n 's/.*Shared library: \[\(.*\)\]/\1/p') $later; do
    path=$({ ldd "$root/usr/bin/dwclean" && /sbin/ldconfig -p | sed 's/ (.*) / /'; } | awk -v name="$soname" '$1 == name { print $3; exit }')
    owner=$(dpkg-query -S "$path" "/usr$path" 2>/dev/null | sed -n '1s/:.*//p')
    case ", $depends," in
    *", $owner ("* | *", $owner,"*) ;;
    *) die "$soname comes from $owner, which is not in Depends: $depends" ;;
    esac
done

say "debug symbols apart"
file "$root/usr/bin/dwclean" | grep -q 'stripped' && ! file "$root/usr/bin/dwclean" | grep -q 'not stripped' || die "not stripped"
id=$(readelf -n "$root/usr/bin/dwclean" | sed -n 's/.*Build ID: //p')
debug_file=$debug_root/usr/lib/debug/.build-id/$(printf '%s' "$id" | cut -c1-2)/$(printf '%s' "$id" | cut -c3-).debug
[ -f "$debug_file" ] || die "no debug symbols for build id $id"
main=$(nm "$debug_file" | awk '$3 == "main" { print $1 }')
addr2line -e "$debug_file" "$main" | grep -qE '^(\./)*src/main\.c:[0-9]+$' || die "the symbols do not lead to src/main.c: $(addr2line -e "$debug_file" "$main")"

say "hardening"
sh "$SOURCE_DIR/tests/package/hardening.sh" --self-test || die "hardening.sh finds nothing"
sh "$SOURCE_DIR/tests/package/hardening.sh" "$root/usr/bin/dwclean" || die "not hardened"

say "it runs from where it lies"
"$root/usr/bin/dwclean" version | grep -qx "dwclean $version" || die "dwclean version"
"$root/usr/bin/dwclean" env list --config "$root/usr/share/doc/dwclean/examples/config.ini" >/dev/null || die "its example"

say "the list of libraries"
NPM_DIR=$work/npm
mkdir -p "$NPM_DIR"
(cd "$SOURCE_DIR/tests/package" && cp package.json package-lock.json .npmrc "$NPM_DIR")
[ -f "$NPM_DIR/done" ] && cmp -s "$NPM_DIR/package-lock.json" "$NPM_DIR/done" || {
    (cd "$NPM_DIR" && npm ci) >"$work/npm.log" 2>&1 || { tail "$work/npm.log" >&2; die "npm ci"; }
    cp "$NPM_DIR/package-lock.json" "$NPM_DIR/done"
}
export NPM_DIR
node "$SOURCE_DIR/tests/package/sbom.mjs" "$root/usr/share/doc/dwclean/sbom.cdx.json" "$root/usr/bin/dwclean" || die "sbom.cdx.json"
sed 's/"LGPL-2.1-or-later"/"LGPL-2.1-or-whatever"/' "$root/usr/share/doc/dwclean/sbom.cdx.json" >"$work/wrong.json"
! node "$SOURCE_DIR/tests/package/sbom.mjs" "$work/wrong.json" "$root/usr/bin/dwclean" >/dev/null 2>&1 || die "a wrong licence is not found"

say "cmake --install"
rm -rf "$work/install"
cmake --install "$first/build/package" --prefix "$work/install" >"$work/install.log" || die "cmake --install"
for file in bin/dwclean share/doc/dwclean/README.md share/doc/dwclean/copyright share/doc/dwclean/examples/config.ini \
    share/dwclean/schemas/outcome.schema.json; do
    [ -f "$work/install/$file" ] || die "no $file"
done

case ${1:-} in
--root) . "$SOURCE_DIR/tests/package/root.sh" ;;
--image) . "$SOURCE_DIR/tests/package/image.sh" ;;
esac
echo "package passed"
