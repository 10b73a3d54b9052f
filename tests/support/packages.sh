# Sourced by fixtures/demo.sh and tests/run.sh: installs what is missing from Debian's packages.
# need_packages GROUP...: build (compiler and libraries of dwclean and the sandbox), test (what only tests need), package (what
# the tests of the package and the examples need), fuzz (libFuzzer).

packages_of() {
    case $1 in
    build) echo gcc libc6-dev cmake ninja-build pkg-config ca-certificates \
        freetds-dev libcurl4-openssl-dev libcjson-dev libinih-dev libsmartcols-dev \
        libzstd-dev libsodium-dev libarchive-dev uuid-dev libssl-dev libmicrohttpd-dev libsqlite3-dev ;;
    test) echo git libcmocka-dev clang clang-format clang-tidy bats curl freetds-bin nodejs npm \
        openssl zstd nginx-light gcovr procps spin tmux util-linux iproute2 jq systemd \
        libxml2-utils python3 valgrind bsdutils groff-base man-db mandoc zsh fish ;;
    fuzz) echo clang libclang-rt-14-dev ;;
    package) echo dpkg-dev lintian binutils file ;;
    *) echo "unknown package group: $1" >&2; return 1 ;;
    esac
}

package_is_installed() {
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

need_packages() {
    missing=
    for group in "$@"; do
        for package in $(packages_of "$group"); do
            package_is_installed "$package" || missing="$missing $package"
        done
    done
    # node and npm may have come from elsewhere than Debian's packages
    command -v node >/dev/null 2>&1 && missing=$(printf '%s' "$missing" | sed 's/ nodejs//')
    command -v npm >/dev/null 2>&1 && missing=$(printf '%s' "$missing" | sed 's/ npm//')
    [ -n "$missing" ] || return 0
    as_root=
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || {
            echo "these packages are missing, and there is neither root nor sudo:$missing" >&2
            return 1
        }
        as_root=sudo
    fi
    echo "installing:$missing"
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get update -q </dev/null >"$PACKAGES_LOG" 2>&1 &&
        $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends \
            $missing </dev/null >>"$PACKAGES_LOG" 2>&1 || {
        tail -n 20 "$PACKAGES_LOG" >&2
        echo "could not install:$missing" >&2
        return 1
    }
}
