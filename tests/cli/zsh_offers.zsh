# zsh -f zsh_offers.zsh DIRECTORY LINE: what an interactive zsh with DIRECTORY in its fpath lists at the end of LINE.
# (Keeps what compinit finds in .zcompdump of the current directory.) The shell says when it takes keys and when it has listed: nothing here waits for a time.
zmodload zsh/zpty
zpty shell 'TERM=dumb zsh -f -i'
zpty -w shell "PS1= PS2=; unsetopt prompt_cr prompt_sp; unset zle_bracketed_paste; stty cols 200 rows 500; LISTMAX=0"
zpty -w shell "fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -d ./.zcompdump"
zpty -w shell "zle-line-init() { print -n KE''YS }; zle -N zle-line-init"
zpty -w shell "offer() { zle list-choices; zle -R; print; print LIST''ED }; zle -N offer; bindkey '^I' offer; print REA''DY"
zpty -r shell before '*READY*KEYS*'
zpty -w -n shell "$2"$'\t'
while zpty -r shell line '*
' && [[ $line != *LISTED* ]]; do
    print -r -- ${${line//$'\r'/}%$'\n'}
done
zpty -d shell
