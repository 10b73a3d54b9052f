#include "cli/wrap.h"

#include <string.h>
#include <sys/ioctl.h>

enum { DEFAULT_WIDTH = 80, LEAST_WIDTH = 20, MORE_INDENT = 2 };

size_t
wrap_width(int fd)
{
    struct winsize size = {0};
    if (ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return DEFAULT_WIDTH;
    return size.ws_col < LEAST_WIDTH ? LEAST_WIDTH : size.ws_col;
}

/** Characters, not bytes: UTF-8 continuation bytes do not count. */
static size_t
columns_of(const char *bytes, size_t size)
{
    size_t columns = 0;
    for (size_t i = 0; i < size; i++)
        columns += ((unsigned char)bytes[i] & 0xc0) != 0x80;
    return columns;
}

void
wrap_append(struct text *ret, const char *line, size_t size, size_t width)
{
    const size_t indent = strspn(line, " ");
    const char *const end = line + size;
    size_t at = 0;
    for (const char *p = line; p < end;) {
        const size_t blanks = strspn(p, " ");
        const size_t word = strcspn(p + blanks, " \n");
        const size_t columns = columns_of(p + blanks, word);
        if (p > line && word > 0 && at + blanks + columns > width) {
            text_printf(ret, "\n%*s", (int)(indent + MORE_INDENT), "");
            at = indent + MORE_INDENT;
        } else {
            text_append_bytes(ret, p, blanks);
            at += blanks;
        }
        text_append_bytes(ret, p + blanks, word);
        at += columns;
        p += blanks + word;
    }
}
