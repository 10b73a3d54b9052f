# zsh -f zsh_offers.zsh DIRECTORY LINE: what an interactive zsh with DIRECTORY in its fpath lists at the end of LINE.
zmodload zsh/zpty
zpty shell 'TERM=dumb zsh -f -i'
zpty -w shell "PS1= PS2=; unsetopt prompt_cr prompt_sp; unset zle_bracketed_paste; stty cols 200 rows 500; LISTMAX=0"
zpty -w shell "fpath=(${(q)1} \$fpath); autoload -Uz compinit; compinit -u -D; bindkey '^I' list-choices; print REA''DY"
while zpty -r shell line '*
' && [[ $line != *READY* ]]; do :; done
# the list is there before the line is thrown away and the word printed
zpty -w -n shell "$2"$'\t'
zpty -w shell $'\x15'"print DO''NE"
while zpty -r shell line '*
' && [[ $line != *DONE* ]]; do
    print -r -- ${${line//$'\r'/}%$'\n'}
done
zpty -d shell
