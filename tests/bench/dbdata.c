/*
 * bench_dbdata HOST PORT TABLE COLUMNS [print]: reads every row in key order with a bare DB-Library
 * loop over dbdata and keeps nothing: what a program could do at most that checks and stores
 * nothing. Prints "ROWS BYTES MICROSECONDS SUM"; with `print` the rows instead, columns with 0x1F
 * between them, binary ones as hex. The password is in DWCLEAN_PASSWORD.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sybdb.h>
#include <time.h>

enum { FIELD_BYTES = 65536, SQL_BYTES = 4096 };

static int64_t
now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int
tell_error(DBPROCESS *process, int severity, int number, int os_number, char *text,
           char *os_text) /* NOLINT(readability-non-const-parameter): the library says so */
{
    (void)process, (void)severity, (void)os_number, (void)os_text;
    (void)fprintf(stderr, "FreeTDS error %d: %s\n", number, text);
    return INT_CANCEL;
}

static void
print_field(DBPROCESS *process, int column, const BYTE *data, DBINT size)
{
    static BYTE text[FIELD_BYTES];
    const int type = dbcoltype(process, column);

    if (type == SYBBINARY || type == SYBVARBINARY || type == SYBIMAGE) {
        for (DBINT i = 0; i < size; i++)
            (void)printf("%02x", data[i]);
    } else if (type == SYBCHAR || type == SYBVARCHAR || type == SYBTEXT) {
        (void)fwrite(data, 1, (size_t)size, stdout);
    } else if (size > 0) {
        (void)dbconvert(process, type, data, size, SYBCHAR, text, -1);
        (void)fputs((const char *)text, stdout);
    }
}

struct seen {
    int64_t rows, bytes;
    unsigned last; /* a byte of every value is looked at */
};

static void
take_row(DBPROCESS *process, int columns, int print, struct seen *seen)
{
    seen->rows++;
    for (int i = 1; i <= columns; i++) {
        const BYTE *data = dbdata(process, i);
        const DBINT size = dbdatlen(process, i);

        seen->bytes += size;
        seen->last += size > 0 ? data[size - 1] : 0;
        if (!print)
            continue;
        print_field(process, i, data, size);
        (void)putchar(i < columns ? 0x1F : 0x1E);
    }
}

static int
read_rows(DBPROCESS *process, int print)
{
    const int64_t begun = now_us();
    const int columns = dbresults(process) == SUCCEED ? dbnumcols(process) : 0;
    struct seen seen = {0};
    RETCODE rc = FAIL;

    while (columns > 0 && (rc = dbnextrow(process)) == REG_ROW)
        take_row(process, columns, print, &seen);
    if (rc != NO_MORE_ROWS)
        return 1;
    if (!print)
        (void)printf("%" PRId64 " %" PRId64 " %" PRId64 " %u\n", seen.rows, seen.bytes,
                     now_us() - begun, seen.last);
    return 0;
}

static DBPROCESS *
sign_in(const char *host, const char *port)
{
    LOGINREC *login = dblogin();
    const char *password = getenv("DWCLEAN_PASSWORD"); /* NOLINT(concurrency-mt-unsafe) */
    char server[256];

    (void)snprintf(server, sizeof server, "%s:%s", host, port);
    (void)DBSETLUSER(login, "dwclean");
    (void)DBSETLPWD(login, password ? password : "");
    (void)DBSETLCHARSET(login, "UTF-8");
    (void)DBSETLVERSION(login, DBVERSION_74);
    (void)DBSETLDBNAME(login, "AxDB");
    (void)DBSETLPACKET(login, 16384);
    DBPROCESS *process = dbopen(login, server);
    dbloginfree(login);
    return process;
}

int
main(int argc, char **argv)
{
    char sql[SQL_BYTES];
    DBPROCESS *process;

    if (argc < 5 || dbinit() == FAIL)
        return 2;
    (void)dberrhandle(tell_error);
    process = sign_in(argv[1], argv[2]);
    if (!process)
        return 1;
    (void)snprintf(sql, sizeof sql, "SELECT %s FROM dbo.%s ORDER BY PARTITION, RECID", argv[4],
                   argv[3]);
    (void)dbcmd(process, "SET TEXTSIZE 2147483647 ");
    (void)dbcmd(process, sql);
    if (dbsqlexec(process) == FAIL)
        return 1;
    const int status = read_rows(process, argc > 5);
    dbclose(process);
    return status;
}
