#include "sql_login.h"

#include "answer.h"
#include "base/clock.h"
#include "base/text.h"
#include "identifier.h"
#include "port/observer.h"

#include <cjson/cJSON.h>
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

static const char action[] = "msprov_getfinopssqljitaccessasync";

enum { ID_BYTES = 40, DAYS_BEFORE_1970 = 719468 };

/* ---- moments ---- */

/** A number of exactly `digits` digits within [least, most], then one of `ends` ("" = anything). */
static bool
take_number(const char **at, int digits, int least, int most, int *ret)
{
    int number = 0;

    for (int i = 0; i < digits; i++, (*at)++) {
        if (!isdigit((unsigned char)**at))
            return false;
        number = number * 10 + (**at - '0');
    }
    *ret = number;
    return number >= least && number <= most;
}

static bool
take_char(const char **at, const char *any)
{
    if (!**at || !strchr(any, **at))
        return false;
    (*at)++;
    return true;
}

/** Days since 1970-01-01 of a date of the Gregorian calendar (H. Hinnant, "chrono-compatible
 * low-level date algorithms"). */
static int64_t
days_of(int year, int month, int day)
{
    const int64_t y = month <= 2 ? year - 1 : year;
    const int64_t era = y / 400;
    const int64_t of_era = y - era * 400;
    const int64_t of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - DAYS_BEFORE_1970;
}

static bool
take_date(const char **at, int64_t *ret_days)
{
    int year, month, day;

    if (!take_number(at, 4, 1970, 9999, &year) || !take_char(at, "-") ||
        !take_number(at, 2, 1, 12, &month) || !take_char(at, "-") ||
        !take_number(at, 2, 1, 31, &day))
        return false;
    *ret_days = days_of(year, month, day);
    return true;
}

/** HH:MM:SS with up to nine digits of a second, which are cut to milliseconds. */
static bool
take_clock(const char **at, int64_t *ret_ms)
{
    int hour, minute, second;
    int64_t ms = 0;

    if (!take_number(at, 2, 0, 23, &hour) || !take_char(at, ":") ||
        !take_number(at, 2, 0, 59, &minute) || !take_char(at, ":") ||
        !take_number(at, 2, 0, 60, &second))
        return false;
    if (take_char(at, ".")) {
        const size_t digits = strspn(*at, "0123456789");

        if (digits < 1 || digits > 9)
            return false;
        for (size_t i = 0; i < 3; i++)
            ms = ms * 10 + (i < digits ? (*at)[i] - '0' : 0);
        *at += digits;
    }
    *ret_ms = ((int64_t)hour * 3600 + (int64_t)minute * 60 + second) * 1000 + ms;
    return true;
}

/** "Z", "+01:00", or nothing. */
static bool
take_zone(const char **at, int64_t *ret_ms)
{
    const bool west = **at == '-';
    int hour, minute;

    *ret_ms = 0;
    if (!**at || take_char(at, "Zz"))
        return **at == '\0';
    if (!take_char(at, "+-") || !take_number(at, 2, 0, 14, &hour) || !take_char(at, ":") ||
        !take_number(at, 2, 0, 59, &minute))
        return false;
    *ret_ms = ((int64_t)hour * 60 + minute) * 60000 * (west ? -1 : 1);
    return **at == '\0';
}

bool
sql_login_moment(const char *text, int64_t *ret_utc_ms)
{
    int64_t days, ms, zone_ms;

    if (!take_date(&text, &days) || !take_char(&text, "Tt ") || !take_clock(&text, &ms) ||
        !take_zone(&text, &zone_ms))
        return false;
    *ret_utc_ms = days * 86400000 + ms - zone_ms;
    return true;
}

/* ---- the answer ---- */

/** A string member that can be kept and shown; false when it is not there, or no such text. */
static bool
copy_text(const cJSON *json, const char *member, char *ret, size_t ret_size)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, member);
    const char *text = cJSON_IsString(item) ? item->valuestring : "";
    const size_t size = strlen(text);

    if (size == 0 || size >= ret_size || !text_is_utf8(text, size))
        return false;
    for (size_t i = 0; i < size; i++)
        if (iscntrl((unsigned char)text[i]))
            return false;
    memcpy(ret, text, size + 1);
    return true;
}

/** What would be nice to have. */
static void
copy_if_there(const cJSON *json, const char *member, char *ret, size_t ret_size)
{
    if (!copy_text(json, member, ret, ret_size))
        ret[0] = '\0';
}

static const char *
read_names(const cJSON *json, struct axdb_grant *ret)
{
    char moment[AXDB_GRANT_WORD_BYTES];

    if (!copy_text(json, "servername", ret->server, sizeof ret->server))
        return "servername";
    if (!copy_text(json, "databasename", ret->database, sizeof ret->database))
        return "databasename";
    if (!copy_text(json, "sqljitusername", ret->user, sizeof ret->user))
        return "sqljitusername";
    copy_if_there(json, "sqljitrole", ret->role, sizeof ret->role);
    copy_if_there(json, "ipaddress", ret->address, sizeof ret->address);
    copy_if_there(json, "operationhistoryid", ret->operation, sizeof ret->operation);
    copy_if_there(json, "sqljitexpiration", moment, sizeof moment);
    if (!sql_login_moment(moment, &ret->expires_utc_ms))
        ret->expires_utc_ms = 0;
    return NULL;
}

bool
sql_login_parse(const struct http_answer *answer, struct axdb_grant *ret, struct err *err)
{
    cJSON *json = answer_json(answer);
    cJSON *password = cJSON_GetObjectItemCaseSensitive(json, "sqljitpassword");
    const bool has_password = cJSON_IsString(password) && password->valuestring[0];
    struct axdb_grant grant = {.expires_utc_ms = 0};
    const char *missing = !json ? "JSON" : read_names(json, &grant);
    bool done = false;

    if (!missing && !has_password)
        missing = "sqljitpassword";
    if (missing) {
        char what[128];

        (void)snprintf(what, sizeof what, "the answer to the request for a SQL login lacks %s",
                       missing);
        (void)answer_malformed(answer, what, err);
    } else {
        done =
            secret_set(&grant.password, password->valuestring, strlen(password->valuestring), err);
    }
    if (cJSON_IsString(password))
        secret_clear_memory(password->valuestring, strlen(password->valuestring));
    cJSON_Delete(json);
    if (done)
        *ret = grant;
    return done;
}

#define MAYBE_GRANTED                                                                              \
    "It may have been carried out: then the user's earlier SQL login has ended. It is not sent "   \
    "again by itself; run the command again (resume, where a run has begun): that asks for a new " \
    "login."

/** May this repeat what nobody may read? */
static bool
is_telling(const char *text, const struct secret *bearer)
{
    return (bearer && secret_is_set(bearer) && strstr(text, secret_reveal(bearer))) ||
           strcasestr(text, "password") || strcasestr(text, "pwd") || strstr(text, "eyJ");
}

bool
sql_login_refusal(const struct http_answer *answer, const struct secret *bearer, struct err *err)
{
    const struct judgement judgement = answer_judge(answer);

    *err = judgement.err;
    err->transient = false;
    if (answer->failure == HTTP_ANSWERED && (is_telling(judgement.err.detail, bearer) ||
                                             is_telling((const char *)answer->body.data, bearer)))
        (void)err_detail(err, "HTTP %d; the service's text is not shown; request id %s",
                         answer->status,
                         answer->request_id[0] ? answer->request_id : answer->client_request_id);
    (void)err_wrap(err, "no SQL login was given");
    if (answer->failure == HTTP_NOT_SENT || answer->failure == HTTP_IMPOSSIBLE)
        return false;
    if (answer->failure != HTTP_ANSWERED || answer->status >= 500)
        return err_hint(err, MAYBE_GRANTED);
    if (answer->status == 403 && judgement.odata)
        return err_hint(err, "The user needs the role System Administrator in this Dataverse "
                             "environment.");
    if (answer->status != 404 || !judgement.odata)
        return false;
    (void)err_set(err, ERR_SERVER,
                  "no SQL login was given: this environment does not know the request");
    (void)err_detail(err, "%s: HTTP %d; request id %s", action, answer->status,
                     answer->request_id[0] ? answer->request_id : answer->client_request_id);
    return err_hint(err, "Only unified environments (UDE, USE) give SQL logins this way. For "
                         "another one leave --jit out and pass -S, -d and -U with a login of the "
                         "database (LCS: Maintain > Enable access, Database accounts).");
}

/* ---- asking ---- */

/** Whose other login ends. */
static bool
read_user(struct session *session, char ret[ID_BYTES], struct err *err)
{
    TEXT_SCOPED url = {.max = URL_MAX_BYTES};
    struct fetch fetch = {.may_fail = false};
    cJSON *json;
    bool known;

    text_printf(&url, "%sWhoAmI", session->root);
    if (!text_ok(&url, err))
        return false;
    fetch.url = text_string(&url);
    if (!session_fetch(session, &fetch, 1, err))
        return false;
    json = answer_json(fetch.answer);
    known = copy_text(json, "UserId", ret, ID_BYTES) && guid_names_something(ret);
    cJSON_Delete(json);
    return known || answer_malformed(fetch.answer, "the service does not say who the user is", err);
}

static void
announce(const struct session *session, const struct axdb_grant_request *request, const char *user)
{
    struct observer *observer = session->options->observer;
    char text[640];

    if (!observer)
        return;
    (void)snprintf(text, sizeof text,
                   "asking Dataverse for a SQL login (%s, for %s): this ends another SQL login of "
                   "user %s",
                   request->writer ? "Writer" : "Reader", request->address, user);
    observer->say(observer, LOG_LEVEL_NOTICE, text);
}

static void
tell(const struct session *session, const struct axdb_grant *grant)
{
    struct observer *observer = session->options->observer;
    char text[AXDB_GRANT_SERVER_BYTES + AXDB_GRANT_NAME_BYTES * 2 + 256];
    char until[CLOCK_STAMP_BYTES] = "an unknown time";

    if (!observer)
        return;
    if (grant->expires_utc_ms > 0)
        clock_stamp(grant->expires_utc_ms, until);
    (void)snprintf(text, sizeof text, "SQL login %s for %s on %s, until %s%s%s", grant->user,
                   grant->database, grant->server, until, grant->operation[0] ? ", operation " : "",
                   grant->operation);
    observer->say(observer, LOG_LEVEL_NOTICE, text);
}

static void
write_body(const struct axdb_grant_request *request, struct text *ret)
{
    text_append(ret, "{\"sqljitclientipaddress\":");
    text_append_json(ret, request->address, strlen(request->address));
    text_printf(ret,
                ",\"sqljitrole\":\"%s\",\"sqljitreason\":", request->writer ? "Writer" : "Reader");
    text_append_json(ret, request->reason, strlen(request->reason));
    text_append(ret, "}");
}

/** Another role than the one asked for would fail later, in the middle of a run. */
static bool
check_role(const struct axdb_grant_request *request, const struct axdb_grant *grant,
           struct err *err)
{
    const char *asked = request->writer ? "Writer" : "Reader";

    return !grant->role[0] || text_equal_nocase(grant->role, asked) ||
           err_set(err, ERR_PERMISSION, "the SQL login has the role %s, asked for was %s",
                   grant->role, asked);
}

bool
sql_login_ask(struct session *session, const struct axdb_grant_request *request,
              struct axdb_grant *ret, struct err *err)
{
    TEXT_SCOPED url = {.max = URL_MAX_BYTES};
    TEXT_SCOPED body = {0};
    const struct http_answer *answer = &session->exchanges[0]->answer;
    struct http_request post = {.method = HTTP_POST,
                                .bearer = session_bearer(session),
                                .type = "application/json",
                                .secret = true};
    char user[ID_BYTES] = "";

    if (!read_user(session, user, err))
        return false;
    text_printf(&url, "%s%s", session->root, action);
    write_body(request, &body);
    if (!text_ok(&url, err) || !text_ok(&body, err))
        return false;
    post.url = text_string(&url);
    post.body = slice_of(text_string(&body), body.used);
    announce(session, request, user);
    if (!http_run(session->exchanges[0], &post, err))
        return false;
    if (answer->failure != HTTP_ANSWERED || answer->status < 200 || answer->status > 299)
        return sql_login_refusal(answer, post.bearer, err);
    if (!sql_login_parse(answer, ret, err))
        return false;
    if (!check_role(request, ret, err)) {
        secret_wipe(&ret->password);
        return false;
    }
    tell(session, ret);
    return true;
}
