#include "tds/signin.h"

#include "tds/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    VERSION_7_3 = 0x730A0003,
    VERSION_7_3_B = 0x730B0003,
    VERSION_7_4 = 0x74000004,
};

static void
log_login(const struct tds_connection *connection, const struct tds_login7 *login,
          const char *result)
{
    tds_log(connection, "login",
            (const char *const[]){"user", login->user, "database", login->database, "application",
                                  login->application, "result", result, NULL});
}

/* ---- refusals ---- */

static void
refuse_database(struct tds_reply *reply, const struct tds_login7 *login)
{
    char text[1024];
    (void)snprintf(text, sizeof text,
                   "Cannot open database \"%s\" requested by the login. The login failed.",
                   login->database);
    tds_reply_message(reply, 4060, 11, text);
}

static void
refuse_user(struct tds_reply *reply, const struct tds_login7 *login)
{
    char text[1024];
    (void)snprintf(text, sizeof text, "Login failed for user '%s'.", login->user);
    tds_reply_message(reply, 18456, 14, text);
}

static void
refuse_by_fault(struct tds_reply *reply, const struct tds_login7 *login,
                const struct fault_action *act)
{
    char text[1024];
    if (act->text[0] != '\0') {
        tds_reply_message(reply, (int32_t)act->arg, 14, act->text);
    } else if (act->arg == 4060) {
        refuse_database(reply, login);
        refuse_user(reply, login);
    } else if (act->arg == 40613) {
        (void)snprintf(text, sizeof text,
                       "Database '%s' on server '%s' is not currently available. Please retry the "
                       "connection later. If the problem persists, contact customer support, and "
                       "provide them the session tracing ID of "
                       "'{00000000-0000-0000-0000-000000000000}'.",
                       login->database, TDS_SERVER_NAME);
        tds_reply_message(reply, 40613, 17, text);
    } else if (act->arg == 40615) {
        (void)snprintf(text, sizeof text,
                       "Cannot open server '%s' requested by the login. Client with IP address "
                       "'127.0.0.1' is not allowed to access the server.",
                       TDS_SERVER_NAME);
        tds_reply_message(reply, 40615, 14, text);
    } else if (act->arg == 18456 || act->arg == 0) {
        refuse_user(reply, login);
    } else {
        tds_reply_message(reply, (int32_t)act->arg, 14, "Login refused by a rule of the sandbox.");
    }
}

/* False: nothing stands against asking the engine. */
static bool
refuse_unserved(struct tds_reply *reply, const struct tds_login7 *login)
{
    if (login->tds_version < VERSION_7_3)
        tds_reply_message(reply, 17832, 20,
                          "The login packet used to open the connection is of a TDS version before "
                          "7.3, which this server does not speak.");
    else if (login->federated_asked)
        tds_reply_message(reply, 18456, 14,
                          "Login failed: federated authentication is not served.");
    else if (login->integrated)
        tds_reply_message(reply, 18452, 14,
                          "Login failed. The login is from an untrusted domain and cannot be used "
                          "with Integrated authentication.");
    else if (login->new_password)
        tds_reply_message(reply, 18456, 14, "Login failed: the password cannot be changed here.");
    else
        return false;
    return true;
}

/* ---- success ---- */

static void
put_settings(struct tds_connection *connection, struct tds_reply *reply, uint32_t packet_size)
{
    const char *database = session_database(connection->session);
    char text[512], size[16];
    tds_put_env_text(&reply->out, TDS_ENV_DATABASE, database, "master");
    (void)snprintf(text, sizeof text, "Changed database context to '%s'.", database);
    tds_put_message(&reply->out,
                    &(struct tds_message){.number = 5701, .state = 2, .text = text, .line = 1});
    tds_put_env_collation(&reply->out);
    tds_put_env_text(&reply->out, TDS_ENV_LANGUAGE, "us_english", "");
    tds_put_message(&reply->out,
                    &(struct tds_message){.number = 5703,
                                          .state = 1,
                                          .text = "Changed language setting to us_english.",
                                          .line = 1});
    (void)snprintf(size, sizeof size, "%" PRIu32, packet_size);
    tds_put_env_text(&reply->out, TDS_ENV_PACKET_SIZE, size, "4096");
}

static void
put_success(struct tds_connection *connection, struct tds_reply *reply,
            const struct tds_login7 *login)
{
    bool older = login->tds_version == VERSION_7_3 || login->tds_version == VERSION_7_3_B;
    put_settings(connection, reply, tds_packet_size(login->packet_size));
    tds_put_login_ack(&reply->out, older ? login->tds_version : VERSION_7_4);
    if (login->utf8_asked)
        tds_put_feature_ack(&reply->out);
}

/* "redirect=host,port": routed as Azure SQL does, with the login accepted and nothing behind it. */
static bool
put_redirect(struct tds_reply *reply, const struct fault_action *act,
             const struct tds_login7 *login)
{
    static const char name[] = "redirect=";
    if (strncmp(act->text, name, sizeof name - 1) != 0)
        return false;
    char host[sizeof act->text];
    (void)snprintf(host, sizeof host, "%s", act->text + sizeof name - 1);
    char *comma = strrchr(host, ',');
    if (comma == NULL)
        return false;
    *comma = '\0';
    long port = strtol(comma + 1, NULL, 10);
    tds_put_login_ack(&reply->out, VERSION_7_4);
    tds_put_env_routing(&reply->out, host, (uint16_t)(port & 0xFFFF));
    if (login->utf8_asked)
        tds_put_feature_ack(&reply->out);
    return true;
}

/* ---- the decision ---- */

static void
ask_engine(struct tds_connection *connection, struct tds_reply *reply,
           const struct tds_login7 *login)
{
    const struct login_request request = {
        .user = login->user,
        .password = login->password,
        .database = login->database,
        .application = login->application,
        .workstation = login->host,
        .read_only_intent = login->read_only,
        .odbc = login->odbc,
        .encrypted = connection->channel.encrypted,
    };
    connection->session = engine_login(connection->shared->options.engine, &request, &reply->sink);
    if (connection->session != NULL) {
        connection->spid = (uint16_t)session_id(connection->session);
        put_success(connection, reply, login);
    } else if (!reply->error) {
        refuse_user(reply, login);
    }
}

bool
tds_signin(struct tds_connection *connection, const struct tds_login7 *login)
{
    struct tds_reply reply;
    struct fault_action act;
    bool redirected = false;
    enum tds_fate fate = tds_point(connection, "tds.login", login->user, &act);
    if (fate == TDS_GONE) {
        log_login(connection, login, "unanswered");
        return false;
    }
    tds_reply_begin(&reply, connection, login->user);
    tds_reply_choose_packets(&reply);
    if (fate == TDS_ANSWER)
        refuse_by_fault(&reply, login, &act);
    else if (fate == TDS_OTHER)
        redirected = put_redirect(&reply, &act, login);
    if (!redirected && !reply.error && !refuse_unserved(&reply, login))
        ask_engine(connection, &reply, login);

    char result[64] = "ok";
    if (redirected)
        (void)snprintf(result, sizeof result, "redirected");
    else if (connection->session == NULL)
        (void)snprintf(result, sizeof result, "refused %" PRId32, reply.last_error);
    log_login(connection, login, result);
    bool ok = tds_reply_end(&reply) && connection->session != NULL;
    connection->packet_size = tds_packet_size(login->packet_size);
    tds_reply_free(&reply);
    return ok;
}
