/**
 * Functions that this program never calls: each has a bounded or checked counterpart in libc or in
 * base/. Included before everything else by the build (src/cmake/Hardening.cmake).
 */
#ifndef BASE_POISON_H
#define BASE_POISON_H

/* The headers that declare them come first, so that only our own uses are refused. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#pragma GCC poison strcpy strcat sprintf vsprintf gets strtok atoi atol atoll strncpy strncat
#pragma GCC poison tmpnam tempnam mktemp localtime gmtime ctime asctime system popen

#endif
