#include "catalog_rows.h"
#include "question.h"
#include "sql_text.h"
#include "store.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_GROUPS = 4096 };

struct observation {
    struct arena *arena;
    struct axdb_evidence evidence;
    struct catalog_seen catalog;
    struct catalog_effects outgoing[AXDB_TABLES];
    struct axdb_url_count *urls;
    struct axdb_channel_count *channels;
    struct questions questions;
    size_t catalog_questions; /* the first so many are the catalog's */
    bool urls_grouped, channels_grouped, sessions_shown;
    bool updateability_read_only;
    bool odd_groups[AXDB_TABLES], odd_sessions; /* a number among them is not one */
};

/** A counted value that is not known yet, and why it may stay so. */
static struct counted
not_counted(enum err_code code, const char *why)
{
    struct counted counted = {0};

    (void)err_set(&counted.why, code, "%s", why);
    return counted;
}

/* ---- one function for each result set ---- */

static bool
take_identity(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    struct axdb_identity *identity = &seen->evidence.identity;
    const char *version, *edition;

    if (!cursor_text(cursor, 2, seen->arena, &identity->server_name, err) ||
        !cursor_text(cursor, 3, seen->arena, &identity->machine_name, err) ||
        !cursor_text(cursor, 4, seen->arena, &version, err) ||
        !cursor_text(cursor, 5, seen->arena, &edition, err) ||
        !cursor_text(cursor, 6, seen->arena, &identity->login, err) ||
        !cursor_text(cursor, 7, seen->arena, &identity->user, err))
        return false;
    identity->product =
        arena_printf(seen->arena, "%s%s%s", version, edition[0] != '\0' ? " " : "", edition);
    return identity->product != NULL || arena_exhausted(err);
}

static bool
take_updateability(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    const char *updateability = "";

    if (!cursor_text(cursor, 1, seen->arena, &updateability, err))
        return false;
    seen->updateability_read_only = text_equal_nocase(updateability, "READ_ONLY");
    return true;
}

static bool
take_database(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    struct axdb_identity *identity = &seen->evidence.identity;

    return cursor_text(cursor, 2, seen->arena, &identity->state, err) &&
           cursor_text(cursor, 3, seen->arena, &identity->user_access, err) &&
           cursor_flag(cursor, 4, &identity->read_only, err) &&
           cursor_flag(cursor, 5, &identity->read_committed_snapshot, err) &&
           cursor_moment(cursor, 6, seen->arena, &identity->created, err);
}

static bool
take_durability(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    return cursor_text(cursor, 1, seen->arena, &seen->evidence.identity.delayed_durability, err);
}

static bool
take_outgoing(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    return catalog_take_name(&seen->catalog, cursor, seen->outgoing, err);
}

static bool
take_applock_right(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    return cursor_right(cursor, 1, &seen->evidence.may_applock, err);
}

static bool
take_count(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    enum table which = TABLE_FIELD;

    return catalog_table_by_word(cursor, &which, err) &&
           cursor_count(cursor, 2, &seen->evidence.tables[which].fresh, err);
}

static bool
take_partition(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    enum table which = TABLE_FIELD;

    return catalog_table_by_bytes(cursor, seen->arena, &which, err) &&
           cursor_count(cursor, 2, &seen->evidence.tables[which].partitions, err);
}

/**
 * How many rows a group has. A group without a number makes its table's groups unknown, and the
 * fresh count with them: the same server gave both.
 */
static bool
group_rows(struct observation *seen, const struct cursor *cursor, int column, enum table which,
           int64_t *ret, struct err *err)
{
    struct counted rows;

    if (!cursor_count(cursor, column, &rows, err))
        return false;
    *ret = rows.rows;
    if (rows.known)
        return true;
    seen->odd_groups[which] = true;
    seen->evidence.tables[which].fresh = rows;
    return true;
}

/** Rows that differ only in what is shown the same way (NULL and '') become one. */
static bool
merge_url(struct axdb_evidence *evidence, struct axdb_url_count *urls,
          const struct axdb_url_count *one)
{
    for (size_t i = 0; i < evidence->url_count; i++) {
        if (urls[i].status == one->status && strcmp(urls[i].url, one->url) == 0) {
            urls[i].rows += one->rows;
            return true;
        }
    }
    return false;
}

static bool
take_url(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    struct axdb_evidence *evidence = &seen->evidence;
    struct axdb_url_count one;
    struct axdb_url_count *urls;

    if (evidence->url_count >= MAX_GROUPS)
        return err_set(err, ERR_SCHEMA, "the project rows name more than %d different URLs",
                       MAX_GROUPS);
    if (!cursor_text(cursor, 2, seen->arena, &one.url, err) ||
        !cursor_integer(cursor, 3, -1, &one.status, err) ||
        !group_rows(seen, cursor, 4, TABLE_PROJECT, &one.rows, err))
        return false;
    if (merge_url(evidence, seen->urls, &one))
        return true;
    urls = catalog_room(seen->arena, seen->urls, evidence->url_count, sizeof *urls);
    if (urls == NULL)
        return arena_exhausted(err);
    urls[evidence->url_count++] = one;
    seen->urls = urls;
    return true;
}

static bool
take_channel(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    struct axdb_evidence *evidence = &seen->evidence;
    struct axdb_channel_count *channels, *one;

    if (evidence->channel_count >= MAX_GROUPS)
        return err_set(err, ERR_SCHEMA, "the event rows name more than %d different channels",
                       MAX_GROUPS);
    channels = catalog_room(seen->arena, seen->channels, evidence->channel_count, sizeof *channels);
    if (channels == NULL)
        return arena_exhausted(err);
    seen->channels = channels;
    one = &channels[evidence->channel_count++];
    return cursor_text(cursor, 2, seen->arena, &one->channel, err) &&
           cursor_integer(cursor, 3, -1, &one->direction, err) &&
           cursor_integer(cursor, 4, -1, &one->handler_class, err) &&
           cursor_integer(cursor, 5, -1, &one->enabled, err) &&
           group_rows(seen, cursor, 6, TABLE_EVENTS, &one->rows, err);
}

static bool
take_orphans(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    char word[64];

    if (!cursor_word(cursor, 1, word, sizeof word, err))
        return false;
    if (strcmp(word, "projects_without_fields") == 0)
        return cursor_count(cursor, 2, &seen->evidence.projects_without_fields, err);
    if (strcmp(word, "fields_without_project") == 0)
        return cursor_count(cursor, 2, &seen->evidence.fields_without_project, err);
    return err_set(err, ERR_SERVER, "a result counts something that was not asked for");
}

/** Application servers as they show themselves; a guess, said as one. */
static bool
looks_like_aos(const char *program, const char *host)
{
    static const char *const signs[] = {"Dynamics", "AOSService", "AxService", "Ax32Serv",
                                        "BatchManagement"};

    for (size_t i = 0; i < sizeof signs / sizeof signs[0]; i++) {
        if (strcasestr(program, signs[i]) != NULL)
            return true;
    }
    return strcasestr(program, "aos") != NULL || strcasestr(host, "aos") != NULL;
}

static bool
take_session(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    const char *program = "", *host = "";
    struct counted count;

    if (!cursor_text(cursor, 2, seen->arena, &program, err) ||
        !cursor_text(cursor, 3, seen->arena, &host, err) || !cursor_count(cursor, 4, &count, err))
        return false;
    if (!count.known || seen->evidence.other_sessions > COUNT_MAX - count.rows) {
        seen->odd_sessions = true;
        return true;
    }
    seen->evidence.other_sessions += count.rows;
    if (looks_like_aos(program, host))
        seen->evidence.aos_sessions += count.rows;
    return true;
}

static bool
take_fork(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    TEXT_SCOPED text = {0};
    struct wire wire = {0};
    bool null = true;
    const char *copy;

    if (!cursor_wire(cursor, 2, &wire, &null, err))
        return false;
    if (null)
        return true;
    if (!value_append_guid(&wire, &text))
        return err_set(err, ERR_SERVER, "the recovery fork is not a GUID");
    if (!text_ok(&text, err))
        return false;
    copy = arena_string(seen->arena, text_string(&text));
    if (copy == NULL)
        return arena_exhausted(err);
    seen->evidence.identity.recovery_fork = copy;
    return true;
}

static bool
take_restore(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    struct axdb_identity *identity = &seen->evidence.identity;

    return cursor_moment(cursor, 2, seen->arena, &identity->restored_at, err) &&
           cursor_text(cursor, 3, seen->arena, &identity->restored_from_server, err) &&
           cursor_text(cursor, 4, seen->arena, &identity->restored_from_database, err) &&
           cursor_moment(cursor, 5, seen->arena, &identity->backup_finished_at, err);
}

/** The groups of a table were asked for and all of them have come, even if there are none. */
static bool
take_grouped(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    char word[64];

    if (!cursor_word(cursor, 1, word, sizeof word, err))
        return false;
    if (strcmp(word, "urls") == 0)
        seen->urls_grouped = true;
    else if (strcmp(word, "channels") == 0)
        seen->channels_grouped = true;
    return true;
}

static bool
take_sessions_shown(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    (void)cursor;
    (void)err;
    seen->sessions_shown = true;
    return true;
}

static bool
take_row(void *ctx, const struct cursor *cursor, struct err *err)
{
    static const struct {
        const char *set;
        bool (*take)(struct observation *seen, const struct cursor *cursor, struct err *err);
    } sets[] = {
        {"rs_identity", take_identity},
        {"rs_updateability", take_updateability},
        {"rs_database", take_database},
        {"rs_applock_right", take_applock_right},
        {"rs_count", take_count},
        {"rs_partition", take_partition},
        {"rs_url", take_url},
        {"rs_channel", take_channel},
        {"rs_grouped", take_grouped},
        {"rs_orphans", take_orphans},
        {"rs_session", take_session},
        {"rs_sessions_shown", take_sessions_shown},
        {"rs_fork", take_fork},
        {"rs_restore", take_restore},
        {"rs_durability", take_durability},
        {"rs_outgoing", take_outgoing},
    };
    struct observation *seen = ctx;
    bool taken = false;

    if (!catalog_rows_take(&seen->catalog, cursor, &taken, err))
        return false;
    if (taken)
        return true;
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (cursor_is(cursor, sets[i].set))
            return sets[i].take(seen, cursor, err);
    }
    return true; /* a set that nobody asked for cannot shift the others */
}

/* ---- before and after ---- */

static void
start(struct observation *seen, const struct connection *connection)
{
    struct axdb_identity *identity = &seen->evidence.identity;

    *identity = (struct axdb_identity){.dialled = connection->dialled,
                                       .server_name = "",
                                       .machine_name = "",
                                       .product = "",
                                       .database = "",
                                       .login = "",
                                       .user = "",
                                       .client = "",
                                       .encryption = "",
                                       .state = "",
                                       .user_access = "",
                                       .delayed_durability = "",
                                       .created = "",
                                       .recovery_fork = "",
                                       .restored_at = "",
                                       .restored_from_server = "",
                                       .restored_from_database = "",
                                       .backup_finished_at = ""};
    for (int i = 0; i < AXDB_TABLES; i++) {
        seen->evidence.tables[i].fresh =
            not_counted(ERR_SCHEMA, "the table is missing or may not be seen");
        seen->evidence.tables[i].partitions =
            not_counted(ERR_SCHEMA, "the table is missing or may not be seen");
    }
}

static const char *
encryption_text(const struct connection *connection)
{
    if (!connection->encrypted)
        return "none";
    return connection->options->trust_certificate ? "TLS, certificate not checked"
                                                  : "TLS, certificate checked";
}

static bool
finish_identity(struct observation *seen, const struct connection *connection, struct err *err)
{
    struct axdb_identity *identity = &seen->evidence.identity;

    identity->dialled = arena_string(seen->arena, connection->dialled);
    identity->database = arena_string(seen->arena, connection->database);
    identity->client = arena_string(seen->arena, mssql_library_version());
    identity->encryption = encryption_text(connection);
    identity->spid = connection->session_id;
    identity->replica = seen->updateability_read_only && !identity->read_only;
    identity->restore_known = question_answered(&seen->questions, "restore");
    if (identity->dialled == NULL || identity->database == NULL || identity->client == NULL)
        return arena_exhausted(err);
    if (identity->login[0] == '\0')
        return err_set(err, ERR_SERVER, "the server did not say who it is");
    return true;
}

/** What a server cannot be asked, and core has no word for "not known". */
static bool
finish_updateability(const struct observation *seen, const struct connection *connection,
                     struct err *err)
{
    const struct question *question = question_named(&seen->questions, "updateability");

    if (question->answered || connection->options->utf8_engine)
        return true;
    *err = question->why;
    return err_wrap(err, "could not ask whether this is a read-only replica");
}

/** What stood in the way of a count: the question's own reason, unless the table is not there. */
static void
explain_count(struct counted *counted, const struct question *question, bool exists)
{
    if (!question->answered)
        *counted = (struct counted){.why = question->why};
    else if (!counted->known && exists && counted->why.code == ERR_SCHEMA)
        (void)err_set(&counted->why, ERR_SERVER, "the server did not count the rows");
}

static bool
finish_table(struct observation *seen, enum table which, struct err *err)
{
    struct axdb_table_evidence *table = &seen->evidence.tables[which];
    const struct catalog_rights *rights = &seen->catalog.rights[which];
    const struct questions *questions = &seen->questions;

    if (!catalog_rows_finish(&seen->catalog, questions, which, table, err))
        return false;
    table->may_select = rights->may_select;
    table->may_insert = rights->may_insert;
    table->may_delete = rights->may_delete;
    table->may_alter = rights->may_alter;
    table->may_view_definition = rights->may_view_definition;
    table->outgoing =
        catalog_list_of(&seen->outgoing[which], question_answered(questions, "outgoing"),
                        rights->may_view_definition);
    explain_count(&table->fresh, question_named(questions, table_key(which)), table->exists);
    explain_count(&table->partitions, question_named(questions, "partitions"), table->exists);
    return true;
}

static void
finish_orphans(struct counted *counted, const struct question *question)
{
    if (!question->answered)
        *counted = (struct counted){.why = question->why};
    else if (!counted->known && counted->why.code == ERR_NONE)
        *counted = not_counted(ERR_SCHEMA, "one of the two tables is missing");
}

static bool
finish(struct observation *seen, const struct connection *connection, struct err *err)
{
    struct axdb_evidence *evidence = &seen->evidence;
    const struct questions *questions = &seen->questions;

    if (!finish_identity(seen, connection, err) || !finish_updateability(seen, connection, err))
        return false;
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (!finish_table(seen, (enum table)i, err))
            return false;
    }
    evidence->urls = seen->urls;
    evidence->urls_known = seen->urls_grouped && question_answered(questions, "urls") &&
                           !seen->odd_groups[TABLE_PROJECT];
    evidence->channels = seen->channels;
    evidence->channels_known = seen->channels_grouped && question_answered(questions, "channels") &&
                               !seen->odd_groups[TABLE_EVENTS];
    evidence->sessions_known =
        seen->sessions_shown && question_answered(questions, "sessions") && !seen->odd_sessions;
    finish_orphans(&evidence->projects_without_fields, question_named(questions, "orphans"));
    finish_orphans(&evidence->fields_without_project, question_named(questions, "orphans"));
    return true;
}

/** Nothing has come yet. */
static void
forget(void *ctx)
{
    struct observation *seen = ctx;
    const struct connection *connection = seen->catalog.connection;

    catalog_rows_forget(&seen->catalog);
    seen->evidence = (struct axdb_evidence){0};
    seen->urls = NULL;
    seen->channels = NULL;
    seen->urls_grouped = seen->channels_grouped = seen->sessions_shown = false;
    seen->updateability_read_only = false;
    memset(seen->outgoing, 0, sizeof seen->outgoing);
    memset(seen->odd_groups, 0, sizeof seen->odd_groups);
    seen->odd_sessions = false;
    start(seen, connection);
}

/** All that is asked, in its order. */
static bool
add_questions(struct questions *questions, size_t *ret_catalog, struct err *err)
{
    if (!questions_add(questions, sql_catalog, err))
        return false;
    *ret_catalog = questions->count;
    return questions_add(questions, sql_evidence, err);
}

bool
mssql_observe_batch(struct text *batch, struct err *err)
{
    struct questions *questions = calloc(1, sizeof *questions);
    size_t catalog;
    const bool good = questions ? add_questions(questions, &catalog, err) &&
                                      questions_batch(questions, batch, err)
                                : err_set(err, ERR_INTERNAL, "out of memory");

    free(questions);
    return good;
}

static bool
prepare(struct observation *seen, struct mssql_store *self, struct arena *arena, struct err *err)
{
    seen->arena = arena;
    seen->catalog.arena = arena;
    seen->catalog.connection = self->connection;
    forget(seen);
    return add_questions(&seen->questions, &seen->catalog_questions, err);
}

bool
mssql_observe(struct axdb_store *store, struct arena *arena, struct axdb_evidence *ret,
              struct err *err)
{
    struct mssql_store *self = mssql_store_of(store);
    struct observation *seen = arena_alloc(arena, sizeof *seen);
    struct taker taker = {.ctx = seen, .row = take_row};

    if (seen == NULL)
        return arena_exhausted(err);
    if (!prepare(seen, self, arena, err) ||
        !questions_ask(self, &seen->questions, &taker, forget, err) ||
        !finish(seen, self->connection, err))
        return false;
    self->catalog_asked = true;
    self->flush_log = text_equal_nocase(seen->evidence.identity.delayed_durability, "FORCED");
    self->catalog_lacks = questions_lacking(&seen->questions, seen->catalog_questions);
    *ret = seen->evidence;
    return true;
}
