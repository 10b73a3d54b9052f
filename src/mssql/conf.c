#include "conf.h"

#include "base/file.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_HOST = 200, MAX_PATH = 200 /* lines are cut at 255 */, MAX_FILE = 4096 };

bool
conf_check_host(const char *host, struct err *err)
{
    size_t size = host == NULL ? 0 : strlen(host);

    if (size == 0)
        return err_set(err, ERR_USAGE, "no server was named");
    if (size > MAX_HOST)
        return err_set(err, ERR_USAGE, "the server name has more than %d characters", MAX_HOST);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)host[i];

        if (!isascii(c) || (!isalnum(c) && strchr(".-_:", c) == NULL)) {
            (void)err_set(err, ERR_USAGE, "the server name holds a character that no host has");
            return err_hint(err, "Give a host name or an address; instance and port are separate.");
        }
    }
    if (text_equal_nocase(host, "global"))
        return err_set(err, ERR_USAGE,
                       "FreeTDS has another meaning for the server name \"global\"");
    return true;
}

bool
conf_check_path(const char *path, struct err *err)
{
    size_t size = strlen(path);

    if (size == 0 || size > MAX_PATH)
        return err_set(err, ERR_USAGE, "the path of the certificate file must have 1 to %d bytes",
                       MAX_PATH);
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)path[i];

        if (iscntrl(c) || strchr("];#", c) != NULL || (c == ' ' && (i == 0 || i + 1 == size)) ||
            (c == ' ' && path[i - 1] == ' '))
            return err_set(err, ERR_USAGE,
                           "FreeTDS would misread the path of the certificate file: it holds a "
                           "control character, ], ;, # or doubled blanks");
    }
    if (strcmp(path, "system") == 0)
        return err_set(err, ERR_USAGE,
                       "give the certificate file named \"system\" with its folder");
    return true;
}

static const char *
encryption_word(enum mssql_encryption encryption)
{
    switch (encryption) {
    case MSSQL_ENCRYPTION_OPTIONAL:
        return "request";
    case MSSQL_ENCRYPTION_DISABLE:
        return "off";
    case MSSQL_ENCRYPTION_STRICT:
        return "strict";
    case MSSQL_ENCRYPTION_MANDATORY:
    default:
        return "require";
    }
}

/** What the server's certificate has to be. */
static void
append_certificate(const struct mssql_options *options, const char *host, struct text *out)
{
    if (options->trust_certificate)
        return;
    text_printf(out, "ca file = %s\n", options->ca_file != NULL ? options->ca_file : "system");
    /* A pinned certificate's name was compared when its file was read. */
    text_printf(out, "check certificate hostname = %s\n",
                options->certificate_file != NULL ? "no" : "yes");
    if (options->certificate_file == NULL && options->certificate_host != NULL &&
        !text_equal_nocase(options->certificate_host, host))
        text_printf(out, "certificate hostname = %s\n", options->certificate_host);
}

bool
conf_text(const struct mssql_options *options, const char *host, uint16_t port, struct text *out,
          struct err *err)
{
    if (!conf_check_host(host, err))
        return false;
    if (options->ca_file != NULL && !conf_check_path(options->ca_file, err))
        return false;
    text_printf(out, "[%s]\n", host);
    text_printf(out, "host = %s\n", host);
    text_printf(out, "port = %u\n", (unsigned)port);
    text_append(out, "tds version = 7.4\n");
    text_printf(out, "encryption = %s\n", encryption_word(options->encryption));
    append_certificate(options, host, out);
    text_append(out, "enable tls v1 = no\n");
    text_append(out, "client charset = UTF-8\n");
    return text_ok(out, err);
}

/** Write the text and read it back the way FreeTDS will. */
static bool
fill(int fd, const char *path, const char *text, size_t size, struct err *err)
{
    char *back = NULL;
    size_t back_size = 0;
    bool same;

    if (!file_write_all(fd, text, size, path, err) ||
        !file_read(path, MAX_FILE, &back, &back_size, err)) {
        err->code = ERR_CONNECT;
        return false;
    }
    same = back_size == size && memcmp(back, text, size) == 0;
    free(back);
    return same ||
           err_set(err, ERR_CONNECT, "FreeTDS's configuration in memory does not read back");
}

bool
conf_publish(const char *text, size_t size, int *ret_fd, char ret[CONF_PATH_BYTES], struct err *err)
{
    int fd = memfd_create("dwclean-freetds", MFD_CLOEXEC);

    if (fd < 0)
        return err_set(err, ERR_CONNECT, "could not make FreeTDS's configuration in memory");
    (void)snprintf(ret, CONF_PATH_BYTES, "/proc/self/fd/%d", fd);
    if (!fill(fd, ret, text, size, err)) {
        (void)close(fd);
        return false;
    }
    *ret_fd = fd;
    return true;
}
