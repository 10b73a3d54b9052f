#!/usr/bin/env bats
# completion: the scripts, driven in the shells that they are for. What must be in them: tests/unit/cli/test_completion.c.

setup() {
    load support
    doc=${DWCLEAN%/*}/doc
    cd "$BATS_TEST_TMPDIR"
    mkdir bin state home
    ln -s "$DWCLEAN" bin/dwclean
    export PATH=$BATS_TEST_TMPDIR/bin:$PATH HOME=$BATS_TEST_TMPDIR/home DWCLEAN_CONFIG=$BATS_TEST_TMPDIR/config.ini
    unset ENV BASH_ENV
    mkdir state/20261120T010203Z-uat-1f2e state/20261121T010203Z-prod-0001 'state/20261122T010203Z-$(touch pwned)-0002' state/other
    printf '[env "uat"]\nclass = sandbox\nserver = nowhere.invalid\n[env "prod"]\nclass = production\n' >config.ini
    printf '[env "third"]\nclass = dev\n' >other.ini
    chmod 600 ./*.ini
}

# offers TEXT SHELL LINE: what the shell offers at the end of LINE has each word of TEXT, whole; "!WORD" it has not.
offers() {
    local word
    "$2_offers" "$3" >offered 2>errors
    echo "$2: $3"
    cat offered errors
    [ ! -s errors ]
    for word in $1; do
        case $word in
        !*) refute grep -qE -- "(^|[[:space:]])${word#!}([[:space:]]|\$)" offered ;;
        *) grep -qE -- "(^|[[:space:]])$word([[:space:]]|\$)" offered ;;
        esac
    done
}

# As readline does it: words are cut at blanks and "=".
bash_offers() {
    bash --norc --noprofile -c '
        source "$1"
        line="dwclean $2"
        read -ra COMP_WORDS <<<"${line//=/ = }"
        [[ $line == *[[:space:]=] ]] && COMP_WORDS+=("")
        COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) COMPREPLY=(left over)
        _dwclean
        ((${#COMPREPLY[@]} == 0)) || printf "%s\n" "${COMPREPLY[@]}"' - "$doc/dwclean.bash" "$1"
}
fish_offers() { fish --no-config -c 'source $argv[1]; complete -C"dwclean $argv[2]"' "$doc/dwclean.fish" "$1" | sed -e 's/\t.*//' -e 's/^--[a-z-]*=//'; }
zsh_offers() { timeout 20 zsh -f "$BATS_TEST_DIRNAME/zsh_offers.zsh" "$doc" "dwclean $1" | sed 's/^ *dwclean .*//'; }

# The same table for each shell: what is typed, what must be offered.
in_shell() {
    local shell=$1
    offers "clean !check" "$shell" "cl"
    offers "check verify plan apply clean repair-map completion help !--env" "$shell" ""
    offers "--format --federated-token-file !--fast !--sql" "$shell" "verify --f"
    offers "--sql !--server" "$shell" "export --s"
    offers "text json !--format" "$shell" "verify --format "
    offers "json !text" "$shell" "verify --format=j"
    offers "mandatory optional disable strict" "$shell" "verify --encrypt="
    offers "verify version" "$shell" "-S host -U user ver"
    offers "uat prod !third" "$shell" "verify --env "
    offers "prod !uat" "$shell" "clean -S host --env p"
    offers "third !uat" "$shell" "--config other.ini verify --env "
    offers "list show test" "$shell" "env "
    offers "uat prod" "$shell" "env show "
    offers "!uat !prod" "$shell" "env list "
    offers "last 20261121T010203Z-prod-0001 20261120T010203Z-uat-1f2e !other" "$shell" "undo --runs-dir state "
    offers "20261121T010203Z-prod-0001 config.ini last" "$shell" "show --runs-dir=state "
    offers "config.ini !last" "$shell" "apply c"
    offers "state/? !config.ini" "$shell" "clean --runs-dir s"
    offers "sign-in" "$shell" "help si"
    offers "bash zsh fish !environments" "$shell" "completion "
    [ ! -e pwned ]
}

@test "every script is the file of the build and has no fault of syntax" {
    for shell in bash zsh fish; do
        file=$doc/dwclean.$shell
        [ "$shell" = zsh ] && file=$doc/_dwclean
        status_of dwclean completion "$shell"
        [ "$status" = 0 ]
        [ -z "$stderr" ]
        cmp "$file" "$BATS_TEST_TMPDIR/stdout"
    done
    bash -n "$doc/dwclean.bash"
    zsh -f -n "$doc/_dwclean"
    fish --no-execute "$doc/dwclean.fish"
}

@test "bash completes commands, options, values, environments, runs and files" {
    in_shell bash
}

@test "zsh completes commands, options, values, environments, runs and files" {
    in_shell zsh
}

@test "fish completes commands, options, values, environments, runs and files" {
    in_shell fish
}

@test "bash offers for every command what its help has" {
    local command option
    for command in $(dwclean help | sed -n 's/^  \([a-z][a-z-]*\)  .*/\1/p'); do
        bash_offers "$command -" >offered
        for option in $(dwclean "$command" --help | sed -n '/^[A-Z].*:$/,$p' | grep -oE '(^| )--?[A-Za-z][A-Za-z0-9.-]*' | tr -d ' ' | grep -vx -e -vv | sort -u); do
            grep -qxF -- "$option" offered || { echo "$command $option"; false; }
        done
    done
}

@test "at a terminal a tab completes the line of bash" {
    printf 'source "%s"\ndwclean veri\t--he\t\nexit\n' "$doc/dwclean.bash" |
        TERM=dumb timeout 20 script -qec "bash --norc --noprofile -i" /dev/null >terminal
    cat terminal
    grep -q "usage: dwclean verify" terminal
}

@test "zsh takes the script from its start file too" {
    cat >start.zsh <<'END'
autoload -Uz compinit
compinit -u -D
source <(dwclean completion zsh)
[[ ${_comps[dwclean]} == _dwclean ]] && print registered
END
    status_of zsh -f start.zsh
    [ "$output" = registered ]
    [ -z "$stderr" ]
}

@test "with a broken configuration nothing is offered, and no message disturbs the line" {
    echo '[env "uat"' >config.ini
    for shell in bash zsh fish; do
        offers "!uat !prod !error" "$shell" "verify --env "
        offers "--env" "$shell" "verify --en"
    done
    status_of dwclean completion bash
    [ "$status" = 0 ]
    status_of dwclean completion environments
    [ "$status" = 78 ]
    [ -z "$output" ]
}

@test "names are found without a connection, a secret or a terminal, and at once" {
    began=$(date +%s%N)
    status_of env DWCLEAN_PASSWORD=SECRET-VALUE dwclean completion environments
    [ "$status" = 0 ]
    [ "$output" = $'uat\nprod' ]
    [ -z "$stderr" ]
    status_of dwclean completion runs --runs-dir state
    [ "$output" = $'20261121T010203Z-prod-0001\n20261120T010203Z-uat-1f2e' ]
    status_of dwclean completion runs --runs-dir nothing-here
    [ "$status" = 0 ]
    [ -z "$output$stderr" ]
    took=$((($(date +%s%N) - began) / 1000000))
    echo "three lists: $took ms"
    [ "$took" -lt 3000 ]
}

@test "any other shell is an error that names the three" {
    status_of dwclean completion tcsh
    [ "$status" = 64 ]
    says "bash|zsh|fish"
    status_of dwclean completion
    [ "$status" = 64 ]
    says "bash|zsh|fish"
}
