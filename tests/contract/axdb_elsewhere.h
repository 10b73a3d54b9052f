/**
 * A server of one's own in place of the sandbox: DWCLEAN_TEST_MSSQL names it, in the words of
 * ADO.NET. Tables are set up over a plain connection, without the code under test. The suite drops
 * tables: the database's name must begin with dwclean_test.
 */
#ifndef CONTRACT_AXDB_ELSEWHERE_H
#define CONTRACT_AXDB_ELSEWHERE_H

#include "base/text.h"
#include "test.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sybdb.h>
#include <sybfront.h>
#include <sys/mman.h>
#include <unistd.h>

/* Not every test program uses every helper. */
#pragma GCC diagnostic ignored "-Wunused-function"

#define SCRATCH_DATABASE "dwclean_test"

enum { ELSEWHERE_TEXT = 256, SCRIPT_BYTES = 1024 * 1024 };

static struct elsewhere {
    bool given, encrypted, trusted;
    char host[ELSEWHERE_TEXT], database[ELSEWHERE_TEXT], user[ELSEWHERE_TEXT];
    char password[ELSEWHERE_TEXT];
    uint16_t port;
} elsewhere;

static const char *
environment(const char *name)
{
    const char *value = getenv(name); /* NOLINT(concurrency-mt-unsafe): one thread */

    return value == NULL || value[0] == '\0' ? NULL : value;
}

/** True when the engine stores text as UTF-8: what is expected of it then differs. */
static bool
utf8_engine(void)
{
    const char *asked = environment("DWCLEAN_TEST_UTF8_ENGINE");

    return asked != NULL && strcmp(asked, "1") == 0;
}

/* ---- the connection string ---- */

/** "KEY=VALUE" into its place; false for a key or value that is not known. */
static bool
elsewhere_take(const char *key, const char *value)
{
    static const struct {
        const char *key;
        char *to;
    } texts[] = {
        {"Server", elsewhere.host},       {"Data Source", elsewhere.host},
        {"Database", elsewhere.database}, {"Initial Catalog", elsewhere.database},
        {"User ID", elsewhere.user},      {"UID", elsewhere.user},
        {"Password", elsewhere.password}, {"PWD", elsewhere.password},
    };
    static const char *const yes[] = {"true", "yes", "mandatory"};
    static const char *const no[] = {"false", "no", "optional"};
    const bool encrypt = strcasecmp(key, "Encrypt") == 0;

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcasecmp(texts[i].key, key) == 0)
            return snprintf(texts[i].to, ELSEWHERE_TEXT, "%s", value) < ELSEWHERE_TEXT;
    }
    if (!encrypt && strcasecmp(key, "TrustServerCertificate") != 0)
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (strcasecmp(yes[i], value) == 0 || strcasecmp(no[i], value) == 0) {
            *(encrypt ? &elsewhere.encrypted : &elsewhere.trusted) = strcasecmp(yes[i], value) == 0;
            return true;
        }
    }
    return false;
}

/** "tcp:host,port" in elsewhere.host into host and port. */
static void
elsewhere_split_host(void)
{
    char *host = elsewhere.host, *comma;

    if (strncasecmp(host, "tcp:", 4) == 0)
        memmove(host, host + 4, strlen(host + 4) + 1);
    comma = strchr(host, ',');
    elsewhere.port = 1433;
    if (comma != NULL) {
        elsewhere.port = (uint16_t)strtol(comma + 1, NULL, 10);
        *comma = '\0';
    }
}

/** Read DWCLEAN_TEST_MSSQL. False: it is not usable, and stderr says why. */
static bool
elsewhere_init(void)
{
    const char *text = environment("DWCLEAN_TEST_MSSQL");
    char copy[1024], *rest = NULL;

    if (text == NULL)
        return true;
    elsewhere = (struct elsewhere){.given = true, .encrypted = true};
    if (snprintf(copy, sizeof copy, "%s", text) >= (int)sizeof copy)
        return fprintf(stderr, "DWCLEAN_TEST_MSSQL is too long\n") < 0;
    for (char *part = strtok_r(copy, ";", &rest); part != NULL; part = strtok_r(NULL, ";", &rest)) {
        char *value = strchr(part, '=');

        if (value != NULL)
            *value++ = '\0';
        if (value == NULL || !elsewhere_take(part + strspn(part, " "), value))
            return fprintf(stderr, "DWCLEAN_TEST_MSSQL: %s is not understood\n", part) < 0;
    }
    elsewhere_split_host();
    if (strncasecmp(elsewhere.database, SCRATCH_DATABASE, sizeof SCRATCH_DATABASE - 1) != 0)
        return fprintf(stderr,
                       "DWCLEAN_TEST_MSSQL: these tests drop tables: the database must be one "
                       "made for them, whose name begins with " SCRATCH_DATABASE "\n") < 0;
    if (elsewhere.host[0] == '\0' || elsewhere.user[0] == '\0' || elsewhere.port == 0)
        return fprintf(stderr, "DWCLEAN_TEST_MSSQL: Server and User ID are needed\n") < 0;
    return true;
}

/* ---- a plain connection ---- */

static char elsewhere_said[512]; /* the first error of what runs */
static DBPROCESS *elsewhere_process;

/* The signatures of both handlers are db-lib's. */
/* NOLINTBEGIN(readability-function-size,readability-non-const-parameter) */
static int
elsewhere_message(DBPROCESS *process, DBINT number, int state, int severity, char *text,
                  char *server_name, char *procedure, int line)
{
    (void)process;
    (void)state;
    (void)server_name;
    (void)procedure;
    if (severity > 10 && elsewhere_said[0] == '\0')
        (void)snprintf(elsewhere_said, sizeof elsewhere_said, "error %d, line %d: %s", (int)number,
                       line, text);
    return 0;
}

static int
elsewhere_error(DBPROCESS *process, int severity, int number, int os_error, char *text,
                char *os_text)
{
    (void)process;
    (void)severity;
    (void)os_error;
    (void)os_text;
    if (number != SYBESMSG && elsewhere_said[0] == '\0')
        (void)snprintf(elsewhere_said, sizeof elsewhere_said, "FreeTDS %d: %s", number, text);
    return INT_CANCEL;
}

/* NOLINTEND(readability-function-size,readability-non-const-parameter) */

static int
elsewhere_conf(char path[64])
{
    int fd = memfd_create("elsewhere", MFD_CLOEXEC);

    assert_true(fd >= 0);
    assert_true(
        dprintf(fd,
                "[elsewhere]\nhost = %s\nport = %u\ntds version = 7.4\nencryption = %s\n"
                "client charset = UTF-8\n%s",
                elsewhere.host, elsewhere.port, elsewhere.encrypted ? "require" : "request",
                elsewhere.trusted ? "" : "ca file = system\ncheck certificate hostname = yes\n") >
        0);
    (void)snprintf(path, 64, "/proc/self/fd/%d", fd);
    return fd;
}

/** Every result of one batch; false when something was said that is an error. */
static bool
elsewhere_run(const char *text)
{
    RETCODE rc;

    dbfreebuf(elsewhere_process);
    if (dbcmd(elsewhere_process, text) == FAIL || dbsqlexec(elsewhere_process) == FAIL)
        return false;
    while ((rc = dbresults(elsewhere_process)) != NO_MORE_RESULTS) {
        if (rc == FAIL)
            return false;
        while (dbnextrow(elsewhere_process) != NO_MORE_ROWS)
            ;
    }
    return elsewhere_said[0] == '\0';
}

static bool
elsewhere_open(void)
{
    char path[64];
    int conf = elsewhere_conf(path);
    LOGINREC *login = dblogin();

    assert_non_null(login);
    DBSETLUSER(login, elsewhere.user);
    DBSETLPWD(login, elsewhere.password);
    DBSETLDBNAME(login, elsewhere.database);
    DBSETLAPP(login, "dwclean tests");
    DBSETLCHARSET(login, "UTF-8");
    DBSETLVERSION(login, DBVERSION_74);
    (void)dbsetlogintime(15);
    dbsetifile(path);
    elsewhere_process = dbopen(login, "elsewhere");
    dbloginfree(login);
    assert_int_equal(close(conf), 0);
    return elsewhere_process != NULL &&
           elsewhere_run("SET QUOTED_IDENTIFIER ON; SET ANSI_NULLS ON; SET ANSI_PADDING ON; "
                         "SET ANSI_WARNINGS ON; SET CONCAT_NULL_YIELDS_NULL ON; SET ARITHABORT ON; "
                         "SET NOCOUNT ON; SET TEXTSIZE 2147483647;");
}

/** Run a batch there. The handlers of db-lib belong to the adapter: they are given back. */
static void
elsewhere_sql(const char *text)
{
    EHANDLEFUNC error;
    MHANDLEFUNC message;
    bool good;

    assert_int_equal(dbinit(), SUCCEED);
    error = dberrhandle(elsewhere_error);
    message = dbmsghandle(elsewhere_message);
    elsewhere_said[0] = '\0';
    good = elsewhere_open() && elsewhere_run(text);
    if (elsewhere_process != NULL)
        dbclose(elsewhere_process);
    elsewhere_process = NULL;
    (void)dberrhandle(error);
    (void)dbmsghandle(message);
    dbexit();
    if (!good)
        fail_msg("%.200s: %s", text, elsewhere_said);
}

/* ---- the fixtures ---- */

static bool
touches_the_server(const char *statement, size_t size)
{
    static const char *const signs[] = {"msdb.", "ALTER DATABASE"};

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (memmem(statement, size, signs[i], strlen(signs[i])) != NULL)
            return true;
    }
    return false;
}

/** The script, but for statements (each ends with ; at the end of a line) about more than the
 * database's own tables. */
static void
elsewhere_fixture(const char *name)
{
    static char script[SCRIPT_BYTES];
    TEXT_SCOPED text = {0};
    char path[4096];
    FILE *file;
    size_t size;

    (void)snprintf(path, sizeof path, "%s/fixtures/axdb/%s.sql", environment("SOURCE_DIR"), name);
    file = fopen(path, "re");
    if (file == NULL)
        fail_msg("%s cannot be read: SOURCE_DIR is the checkout", path);
    size = fread(script, 1, sizeof script - 1, file);
    assert_int_equal(fclose(file), 0);
    script[size] = '\0';
    for (const char *at = script, *end; *at != '\0'; at = end) {
        end = strstr(at, ";\n");
        end = end == NULL ? at + strlen(at) : end + 2;
        if (!touches_the_server(at, (size_t)(end - at)))
            text_append_bytes(&text, at, (size_t)(end - at));
    }
    elsewhere_sql(text_string(&text));
}

#endif
