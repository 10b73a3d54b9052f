/* src/main.c with another name of main. */
int dwclean_main(int argc, char **argv);

#define main dwclean_main
#include "../../src/main.c" /* NOLINT(bugprone-suspicious-include): the whole program */
