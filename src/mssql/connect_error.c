#include "base/text.h"
#include "conf.h"
#include "connection.h"
#include "hint.h"
#include "tls_probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_MS = 10000, SHORT_PROBE_MS = 3000 };

const struct server_message *
connection_cause(const struct verdict *verdict)
{
    static const int telling[] = {4060,  916,   4064,  924,   927,   40532, 40615,
                                  40914, 47073, 18486, 18487, 18488, 18470};

    for (size_t i = 0; i < sizeof telling / sizeof telling[0]; i++) {
        const struct server_message *message = verdict_message(verdict, telling[i]);

        if (message != NULL)
            return message;
    }
    return verdict_worst(verdict);
}

/** What the server said in words of its own. */
static bool
explain_message(const struct mssql_options *options, const char *dialled,
                const struct server_message *message, struct err *err)
{
    struct err said;

    (void)verdict_to_err(message, &said);
    if (message->number == 4060 || message->number == 916)
        hint_for_missing_user(options->user, &said);
    switch (message->number) {
    case 4060:
    case 916:
        (void)err_set(err, ERR_SIGNIN,
                      "database \"%s\" does not exist or the login has no user in it",
                      options->database);
        break;
    case 18456:
    case 18452:
    case 18470:
    case 18486:
    case 18487:
    case 18488:
    case 40531:
    case 40532:
        (void)err_set(err, ERR_SIGNIN, "the sign-in to %s as \"%s\" was refused", dialled,
                      options->user != NULL ? options->user : "the Kerberos user");
        break;
    default:
        (void)err_set(err, ERR_CONNECT, "%s does not let us in: %s", dialled, message->text);
        break;
    }
    (void)err_detail(err, "%s: %s", said.detail, message->text);
    (void)err_hint(err, "%s", said.hint);
    err->transient = hint_is_transient(message->number);
    return false;
}

static bool
explain_tcp(const char *dialled, const struct library_error *error, struct err *err)
{
    if (error->os_error == ECONNREFUSED)
        (void)err_set(err, ERR_CONNECT, "%s refused the connection: nobody listens there", dialled);
    else if (error->os_error == ETIMEDOUT)
        (void)err_set(err, ERR_CONNECT, "%s did not answer in time", dialled);
    else if (error->os_error != 0)
        (void)err_errno(err, ERR_CONNECT, error->os_error, "connect to %s", dialled);
    else
        (void)err_set(err, ERR_CONNECT, "could not connect to %s", dialled);
    (void)err_detail(err, "FreeTDS error %d: %s", error->number, error->text);
    return err_hint(err, "Check server name and port, and that this machine's address is on the "
                         "server's allow-list.");
}

/** What a second look finds. False with an empty `err` when it finds nothing wrong. */
static bool
probe(const struct mssql_options *options, const struct dial *dial, int64_t timeout_ms,
      struct tls_target *target, struct tls_report *ret)
{
    *target = (struct tls_target){.host = dial->host,
                                  .port = dial->port,
                                  .name = options->certificate_host,
                                  .ca_file = options->ca_file,
                                  .pinned = options->certificate_file != NULL,
                                  .trust_certificate = options->trust_certificate,
                                  .timeout_ms = timeout_ms};
    tls_probe(target, ret);
    return ret->finding != TLS_FINE && ret->finding != TLS_NO_ANSWER &&
           ret->finding != TLS_NOT_LOOKED_AT;
}

/** FreeTDS waits in vain for some handshakes that fail, as with TLS 1.3 only. */
static bool
explain_timeout(const struct mssql_options *options, const struct dial *dial, struct err *err)
{
    struct tls_target target;
    struct tls_report report = {.finding = TLS_NO_ANSWER};

    if (options->encryption != MSSQL_ENCRYPTION_DISABLE &&
        options->encryption != MSSQL_ENCRYPTION_STRICT &&
        probe(options, dial, SHORT_PROBE_MS, &target, &report))
        return tls_probe_explain(&target, &report, err);
    if (report.finding == TLS_FINE) {
        (void)err_set(err, ERR_CONNECT, "%s did not finish the sign-in within %d s", dial->text,
                      options->login_timeout_s);
        return err_hint(err, "Its TLS and its certificate are good: the server may be busy. -l "
                             "SECONDS waits longer.");
    }
    (void)err_set(err, ERR_CONNECT, "%s did not answer within %d s", dial->text,
                  options->login_timeout_s);
    return err_hint(err, "Check server name and port, and that no firewall drops the packets. -l "
                         "SECONDS waits longer.");
}

static bool
is_address(const char *host)
{
    unsigned char bytes[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, bytes) == 1 || inet_pton(AF_INET6, host, bytes) == 1;
}

static bool
explain_redirect(const char *host, const struct dial *to, const char *from, struct err *err)
{
    (void)err_set(err, ERR_CONNECT, "%s sends us to %s: not followed", from, to->text);
    if (connection_may_follow(host, to))
        return err_hint(err, "A redirect is followed once; this was the second. Set the server's "
                             "connection policy to Proxy.");
    return err_hint(err, "A redirect is followed only below the DNS suffix of the server that was "
                         "named. Give the server by its full name (NAME.database.windows.net), or "
                         "set its connection policy to Proxy.");
}

/** The (host,port) at the end of a text. */
static bool
parse_redirect(const char *text, struct dial *ret)
{
    const char *open = strrchr(text, '(');
    const char *comma = open == NULL ? NULL : strchr(open, ',');
    size_t length = comma == NULL ? 0 : (size_t)(comma - open - 1);
    struct err ignored;
    char *end;
    long port;

    if (length == 0 || length >= sizeof ret->host)
        return false;
    port = strtol(comma + 1, &end, 10);
    if (port < 1 || port > UINT16_MAX || strcmp(end, ")") != 0)
        return false;
    *ret = (struct dial){.port = (uint16_t)port};
    memcpy(ret->host, open + 1, length);
    (void)snprintf(ret->text, sizeof ret->text, "%s,%u", ret->host, (unsigned)ret->port);
    return conf_check_host(ret->host, &ignored);
}

bool
connection_redirect(const struct verdict *verdict, struct dial *ret)
{
    const struct library_error *error = verdict_error(verdict, SYBEFCON);

    return error != NULL && verdict_worst(verdict) == NULL && parse_redirect(error->text, ret);
}

bool
connection_may_follow(const char *host, const struct dial *to)
{
    const char *suffix = strchr(host, '.');
    size_t tail = suffix == NULL ? 0 : strlen(suffix);
    size_t length = strlen(to->host);

    /* An address has no suffix, and one label (".net") is nobody's. */
    return tail > 1 && strchr(suffix + 1, '.') != NULL && !is_address(host) && length > tail &&
           !text_equal_nocase(to->host, host) &&
           text_equal_nocase(to->host + length - tail, suffix);
}

bool
connection_explain(const struct mssql_options *options, const struct dial *dial,
                   const struct verdict *verdict, struct err *err)
{
    const struct server_message *message = connection_cause(verdict);
    const struct library_error *error = verdict_error(verdict, SYBECONN);
    struct tls_target target;
    struct tls_report report;
    struct dial to;

    if (message != NULL)
        return explain_message(options, dial->text, message, err);
    if (verdict_error(verdict, SYBEUHST) != NULL) {
        (void)err_set(err, ERR_CONNECT, "host %s does not resolve", dial->host);
        return err_hint(err, "Check the server name; LCS shows server\\database, and the server is "
                             "then server.database.windows.net (--lcs).");
    }
    if (connection_redirect(verdict, &to))
        return explain_redirect(options->host, &to, dial->text, err);
    if (error != NULL)
        return explain_tcp(dial->text, error, err);
    if (verdict_error(verdict, SYBETIME) != NULL)
        return explain_timeout(options, dial, err);
    if (verdict->error_count > 0 && verdict_error(verdict, SYBEFCON) == NULL) {
        (void)err_set(err, ERR_CONNECT, "could not connect to %s", dial->text);
        return err_detail(err, "FreeTDS error %d: %s", verdict->errors[0].number,
                          verdict->errors[0].text);
    }
    if (options->encryption == MSSQL_ENCRYPTION_DISABLE ||
        options->encryption == MSSQL_ENCRYPTION_STRICT)
        return err_set(err, ERR_CONNECT, "%s ended the connection during the sign-in", dial->text);
    (void)probe(options, dial, PROBE_MS, &target, &report);
    return tls_probe_explain(&target, &report, err);
}
