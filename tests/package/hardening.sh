#!/bin/sh
# sh tests/package/hardening.sh BINARY: is the program built as a release is? Each property with what shows it; exit 1 when one
# is missing. With --self-test it must find each of them missing in programs that are built without.
set -eu

failed=0
# has WHAT COMMAND...: succeeds
has() {
    what=$1
    shift
    if "$@" >/dev/null 2>&1; then
        printf '  %-24s ok\n' "$what"
    else
        printf '  %-24s MISSING\n' "$what"
        failed=1
    fi
}

dynamic() { readelf -W -d "$1" | grep -qE "$2"; }
no_dynamic() { ! readelf -W -d "$1" | grep -qE "$2"; }
calls() { readelf -W --dyn-syms "$1" | grep -qE " UND $2(@| |\$)"; }
position_independent() { readelf -W -h "$1" | grep -qE 'Type:.*DYN' && dynamic "$1" 'FLAGS_1.*PIE'; }
relro() { readelf -W -l "$1" | grep -q GNU_RELRO; }
stack_is_data() { readelf -W -l "$1" | grep GNU_STACK | grep -q ' RW '; }
# A segment that can be written and run.
no_writable_code() { ! readelf -W -l "$1" | awk '$1 == "LOAD"' | grep -q 'RWE'; }
# Its own calls of what FORTIFY has a checked form of, where the compiler knows the size.
fortified() { [ "$(readelf -W --dyn-syms "$1" | grep -cE ' UND __[a-z0-9_]+_chk')" -ge 3 ]; }
# Large frames are touched page by page (stack-clash): the compiler leaves `or QWORD PTR [rsp...],0` behind on this machine.
probes_stack() {
    case $(uname -m) in
    x86_64) [ "$(objdump -d --no-show-raw-insn "$1" | grep -cE 'or[ql]? +\$0x0,.*\(%rsp')" -ge 1 ] ;;
    *) true ;;
    esac
}

check() {
    has "PIE" position_independent "$1"
    has "RELRO" relro "$1"
    has "BIND_NOW" dynamic "$1" 'BIND_NOW|FLAGS.*NOW'
    has "no text relocations" no_dynamic "$1" TEXTREL
    has "no search path" no_dynamic "$1" 'RPATH|RUNPATH'
    has "stack is data" stack_is_data "$1"
    has "no writable code" no_writable_code "$1"
    has "stack protector" calls "$1" __stack_chk_fail
    has "FORTIFY_SOURCE" fortified "$1"
    has "stack clash" probes_stack "$1"
}

self_test() {
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    printf 'int main(void) { return 0; }\n' >"$work/a.c"
    # finds NAME COUNT FLAG...: with these flags, so many of the properties are missing, NAME among them
    finds() {
        name=$1
        shift
        "${CC:-cc}" "$@" -o "$work/a" "$work/a.c"
        (check "$work/a") >"$work/out" || true
        grep -q "^  $name  *MISSING" "$work/out" || {
            echo "not found to be missing: $name" >&2
            cat "$work/out" >&2
            exit 1
        }
    }
    finds "PIE" -no-pie
    finds "RELRO" -Wl,-z,norelro
    finds "BIND_NOW" -Wl,-z,lazy
    finds "no search path" -Wl,-rpath,/nowhere
    finds "stack is data" -Wl,-z,execstack
    finds "no writable code" -nostartfiles -nodefaultlibs -static -Wl,-N -Wl,-e,main
    finds "stack protector" -O2
    finds "FORTIFY_SOURCE" -O2
    finds "stack clash" -O2
    echo "hardening self-test passed"
}

case ${1:-} in
--self-test) self_test ;;
"" | -*)
    echo "usage: sh tests/package/hardening.sh BINARY | --self-test" >&2
    exit 64
    ;;
*)
    check "$1"
    exit "$failed"
    ;;
esac
