#include "base/text.h"
#include "conf.h"
#include "connection.h"
#include "hint.h"
#include "tls_probe.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { PROBE_MS = 10000 };

/** The message that names the cause: 4060 is followed by a less telling 18456. */
static const struct server_message *
cause_of(const struct verdict *verdict)
{
    static const int telling[] = {4060, 916, 40532, 40615, 40914, 47073, 18487, 18488};

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
    switch (message->number) {
    case 4060:
    case 916:
        (void)err_set(err, ERR_SIGNIN,
                      "database \"%s\" does not exist or the login has no user in it",
                      options->database);
        break;
    case 18456:
    case 18452:
    case 18487:
    case 18488:
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

static bool
explain_probe(const struct mssql_options *options, struct err *err)
{
    struct tls_target target = {.host = options->host,
                                .port = options->port != 0 ? options->port : 1433,
                                .ca_file = options->ca_file,
                                .trust_certificate = options->trust_certificate,
                                .timeout_ms = PROBE_MS};
    struct tls_report report;

    tls_probe(&target, &report);
    return tls_probe_explain(&target, &report, err);
}

bool
connection_redirect(const char *host, const struct verdict *verdict, char *ret_host, size_t size,
                    uint16_t *ret_port)
{
    const struct library_error *error = verdict_error(verdict, SYBEFCON);
    const char *suffix = strchr(host, '.');
    const char *open = error == NULL ? NULL : strrchr(error->text, '(');
    const char *comma = open == NULL ? NULL : strchr(open, ',');
    size_t length = comma == NULL ? 0 : (size_t)(comma - open - 1);
    size_t tail = suffix == NULL ? 0 : strlen(suffix);
    struct err ignored;
    char *end;
    long port;

    if (length == 0 || length >= size || tail < 2 || length <= tail ||
        verdict_worst(verdict) != NULL)
        return false;
    port = strtol(comma + 1, &end, 10);
    if (port < 1 || port > UINT16_MAX || strcmp(end, ")") != 0)
        return false;
    memcpy(ret_host, open + 1, length);
    ret_host[length] = '\0';
    if (text_equal_nocase(ret_host, host) || !conf_check_host(ret_host, &ignored) ||
        !text_equal_nocase(ret_host + length - tail, suffix))
        return false;
    *ret_port = (uint16_t)port;
    return true;
}

bool
connection_explain(const struct mssql_options *options, const char *dialled,
                   const struct verdict *verdict, struct err *err)
{
    const struct server_message *message = cause_of(verdict);
    const struct library_error *error;

    if (message != NULL)
        return explain_message(options, dialled, message, err);
    if (verdict_error(verdict, SYBEUHST) != NULL) {
        (void)err_set(err, ERR_CONNECT, "host %s does not resolve", options->host);
        return err_hint(err, "Check the server name; LCS shows server\\database, and the server is "
                             "then server.database.windows.net.");
    }
    error = verdict_error(verdict, SYBECONN);
    if (error != NULL)
        return explain_tcp(dialled, error, err);
    if (verdict_error(verdict, SYBETIME) != NULL)
        return err_set(err, ERR_CONNECT, "%s did not answer within %d s", dialled,
                       options->login_timeout_s);
    if (verdict->error_count > 0 && verdict_error(verdict, SYBEFCON) == NULL) {
        (void)err_set(err, ERR_CONNECT, "could not connect to %s", dialled);
        return err_detail(err, "FreeTDS error %d: %s", verdict->errors[0].number,
                          verdict->errors[0].text);
    }
    if (options->encryption == MSSQL_ENCRYPTION_DISABLE)
        return err_set(err, ERR_CONNECT, "%s ended the connection during the sign-in", dialled);
    return explain_probe(options, err);
}
