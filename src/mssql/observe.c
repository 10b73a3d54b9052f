#include "catalog.h"
#include "sql_text.h"
#include "store.h"

#include <string.h>

enum { MAX_GROUPS = 4096 };

/** What was asked and answered, even with no row. */
struct answered {
    bool urls, channels, partitions, triggers, foreign_keys, policies, sessions, restore;
};

struct names {
    const char **items;
    size_t count;
};

struct observation {
    struct arena *arena;
    struct axdb_evidence evidence;
    struct catalog_table tables[AXDB_TABLES];
    struct names triggers[AXDB_TABLES], foreign_keys[AXDB_TABLES], policies[AXDB_TABLES];
    struct axdb_url_count *urls;
    struct axdb_channel_count *channels;
    struct answered answered;
    struct err partitions_why, orphans_why;
    bool updateability_read_only;
};

/** A counted value that is not known yet, and why it may stay so. */
static struct counted
not_counted(enum err_code code, const char *why)
{
    struct counted counted = {0};

    (void)err_set(&counted.why, code, "%s", why);
    return counted;
}

static struct counted
counted_rows(int64_t rows)
{
    return (struct counted){.known = true, .rows = rows};
}

static bool
table_by_name(const char *name, enum table *ret)
{
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (text_equal_nocase(name, table_name((enum table)i))) {
            *ret = (enum table)i;
            return true;
        }
    }
    return false;
}

/** The table named by the first column, given as text of our own. */
static bool
table_by_word(const struct cursor *cursor, enum table *ret, struct err *err)
{
    char word[64];

    if (!cursor_word(cursor, 1, word, sizeof word, err))
        return false;
    return table_by_name(word, ret) ||
           err_set(err, ERR_SERVER, "a result names a table that was not asked for");
}

/** The table named by the first column, given as bytes out of the catalog. */
static bool
table_by_bytes(const struct observation *seen, const struct cursor *cursor, enum table *ret,
               struct err *err)
{
    const char *name = "";

    if (!cursor_text(cursor, 1, seen->arena, &name, err))
        return false;
    return table_by_name(name, ret) ||
           err_set(err, ERR_SERVER, "a result names a table that was not asked for");
}

static bool
right_of(const struct cursor *cursor, int column, enum right *ret, struct err *err)
{
    int64_t answer = -1;

    if (!cursor_integer(cursor, column, -1, &answer, err))
        return false;
    *ret = answer == 1 ? RIGHT_HELD : answer == 0 ? RIGHT_MISSING : RIGHT_UNKNOWN;
    return true;
}

static bool
flag_of(const struct cursor *cursor, int column, bool *ret, struct err *err)
{
    int64_t number = -1;

    if (!cursor_integer(cursor, column, 0, &number, err))
        return false;
    *ret = number != 0;
    return true;
}

/* ---- one function for each result set ---- */

static bool
take_identity(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    struct axdb_identity *identity = &seen->evidence.identity;
    const char *version, *edition, *updateability;

    if (!cursor_text(cursor, 2, seen->arena, &identity->server_name, err) ||
        !cursor_text(cursor, 3, seen->arena, &identity->machine_name, err) ||
        !cursor_text(cursor, 4, seen->arena, &version, err) ||
        !cursor_text(cursor, 5, seen->arena, &edition, err) ||
        !cursor_text(cursor, 6, seen->arena, &identity->login, err) ||
        !cursor_text(cursor, 7, seen->arena, &updateability, err))
        return false;
    identity->product =
        arena_printf(seen->arena, "%s%s%s", version, edition[0] != '\0' ? " " : "", edition);
    if (identity->product == NULL)
        return arena_exhausted(err);
    seen->updateability_read_only = text_equal_nocase(updateability, "READ_ONLY");
    return true;
}

static bool
take_database(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    struct axdb_identity *identity = &seen->evidence.identity;

    return cursor_text(cursor, 2, seen->arena, &identity->state, err) &&
           cursor_text(cursor, 3, seen->arena, &identity->user_access, err) &&
           flag_of(cursor, 4, &identity->read_only, err) &&
           flag_of(cursor, 5, &identity->read_committed_snapshot, err) &&
           cursor_moment(cursor, 6, seen->arena, &identity->created, err);
}

static bool
take_rights(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    return right_of(cursor, 4, &seen->evidence.may_applock, err);
}

static bool
take_permission(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    struct axdb_table_evidence *table;
    enum table which = TABLE_FIELD;

    if (!table_by_word(cursor, &which, err))
        return false;
    table = &seen->evidence.tables[which];
    return right_of(cursor, 2, &table->may_select, err) &&
           right_of(cursor, 3, &table->may_insert, err) &&
           right_of(cursor, 4, &table->may_delete, err) &&
           right_of(cursor, 5, &table->may_alter, err) &&
           right_of(cursor, 6, &table->may_view_definition, err);
}

static bool
take_object(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    struct catalog_table *table;
    enum table which = TABLE_FIELD;

    if (!table_by_bytes(seen, cursor, &which, err))
        return false;
    table = &seen->tables[which];
    table->seen = true;
    if (!cursor_word(cursor, 2, table->object_type, sizeof table->object_type, err) ||
        !cursor_integer(cursor, 3, 0, &table->temporal_type, err) ||
        !flag_of(cursor, 4, &table->memory_optimized, err))
        return false;
    table->object_type[strcspn(table->object_type, " ")] = '\0';
    return true;
}

static bool
column_type(const struct observation *seen, const struct cursor *cursor, const char **ret,
            struct err *err)
{
    const char *base = "";

    if (!cursor_text(cursor, 4, seen->arena, &base, err))
        return false;
    if (base[0] != '\0') {
        *ret = base;
        return true;
    }
    return cursor_text(cursor, 5, seen->arena, ret, err);
}

static bool
fill_column(const struct observation *seen, const struct cursor *cursor, struct column *column,
            struct err *err)
{
    int64_t length = 0, precision = 0, scale = 0;
    bool generated = false;

    if (!cursor_text(cursor, 3, seen->arena, &column->name, err) ||
        !column_type(seen, cursor, &column->type_name, err) ||
        !cursor_integer(cursor, 6, 0, &length, err) ||
        !cursor_integer(cursor, 7, 0, &precision, err) ||
        !cursor_integer(cursor, 8, 0, &scale, err) ||
        !cursor_text(cursor, 9, seen->arena, &column->collation, err) ||
        !flag_of(cursor, 10, &column->nullable, err) ||
        !flag_of(cursor, 11, &column->identity, err) ||
        !flag_of(cursor, 12, &column->computed, err) || !flag_of(cursor, 13, &generated, err))
        return false;
    column->max_length = (int32_t)length;
    column->precision = (uint8_t)precision;
    column->scale = (uint8_t)scale;
    if (column->collation[0] == '\0')
        column->collation = NULL;
    column->generated = generated || value_kind_of(column->type_name) == VALUE_ROWVERSION;
    return true;
}

static bool
take_column(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    struct catalog_table *table;
    struct column *columns;
    enum table which = TABLE_FIELD;

    if (!table_by_bytes(seen, cursor, &which, err))
        return false;
    table = &seen->tables[which];
    if (table->column_count >= CATALOG_MAX_COLUMNS)
        return err_set(err, ERR_SCHEMA, "%s has more than %d columns", table_name(which),
                       CATALOG_MAX_COLUMNS);
    columns = catalog_room(seen->arena, table->columns, table->column_count, sizeof *columns);
    if (columns == NULL)
        return arena_exhausted(err);
    table->columns = columns;
    return fill_column(seen, cursor, &columns[table->column_count++], err);
}

static bool
take_index(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    enum table which = TABLE_FIELD;
    int64_t id = -1;
    const char *name = "";

    if (!table_by_bytes(seen, cursor, &which, err) || !cursor_integer(cursor, 2, 0, &id, err) ||
        !cursor_text(cursor, 3, seen->arena, &name, err))
        return false;
    catalog_add_index_column(&seen->tables[which], id, name);
    return true;
}

static bool
take_count(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    enum table which = TABLE_FIELD;
    int64_t rows = -1;

    if (!table_by_word(cursor, &which, err) || !cursor_integer(cursor, 2, -1, &rows, err))
        return false;
    seen->evidence.tables[which].fresh = counted_rows(rows);
    return true;
}

static bool
take_partition(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    enum table which = TABLE_FIELD;
    int64_t rows = -1;

    if (!table_by_bytes(seen, cursor, &which, err) || !cursor_integer(cursor, 2, -1, &rows, err))
        return false;
    if (rows >= 0)
        seen->evidence.tables[which].partitions = counted_rows(rows);
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
        !cursor_integer(cursor, 4, 0, &one.rows, err))
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
           cursor_integer(cursor, 6, 0, &one->rows, err);
}

static bool
take_orphans(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    char word[64];
    int64_t rows = -1;

    if (!cursor_word(cursor, 1, word, sizeof word, err) ||
        !cursor_integer(cursor, 2, -1, &rows, err))
        return false;
    if (strcmp(word, "projects_without_fields") == 0)
        seen->evidence.projects_without_fields = counted_rows(rows);
    else
        seen->evidence.fields_without_project = counted_rows(rows);
    return true;
}

/** A name of something on a table; what is switched off says so. */
static bool
add_name(const struct observation *seen, const struct cursor *cursor, struct names lists[],
         struct err *err)
{
    const char *name = "";
    const char **items;
    struct names *list;
    enum table which = TABLE_FIELD;
    bool disabled = false;

    if (!table_by_bytes(seen, cursor, &which, err) ||
        !cursor_text(cursor, 2, seen->arena, &name, err) || !flag_of(cursor, 3, &disabled, err))
        return false;
    list = &lists[which];
    if (list->count >= CATALOG_MAX_NAMES)
        return true; /* one is enough to refuse */
    items = catalog_room(seen->arena, (void *)list->items, list->count, sizeof *items);
    if (items == NULL)
        return arena_exhausted(err);
    list->items = items;
    items[list->count] = disabled ? arena_printf(seen->arena, "%s (disabled)", name) : name;
    if (items[list->count] == NULL)
        return arena_exhausted(err);
    list->count++;
    return true;
}

static bool
take_trigger(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    return add_name(seen, cursor, seen->triggers, err);
}

static bool
take_foreign_key(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    return add_name(seen, cursor, seen->foreign_keys, err);
}

static bool
take_policy(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    return add_name(seen, cursor, seen->policies, err);
}

static bool
take_masked(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    enum table which = TABLE_FIELD;
    enum right unmask = RIGHT_UNKNOWN;
    const char *name = "";

    if (!table_by_bytes(seen, cursor, &which, err) ||
        !cursor_text(cursor, 2, seen->arena, &name, err) || !right_of(cursor, 3, &unmask, err))
        return false;
    if (unmask != RIGHT_HELD)
        seen->tables[which].masked = name;
    return true;
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
    int64_t count = -1;

    if (!cursor_text(cursor, 2, seen->arena, &program, err) ||
        !cursor_text(cursor, 3, seen->arena, &host, err) ||
        !cursor_integer(cursor, 4, 0, &count, err))
        return false;
    seen->evidence.other_sessions += count;
    if (looks_like_aos(program, host))
        seen->evidence.aos_sessions += count;
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

static bool
take_read(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    struct answered *answered = &seen->answered;
    const struct {
        const char *word;
        bool *flag;
    } words[] = {{"urls", &answered->urls},
                 {"channels", &answered->channels},
                 {"partitions", &answered->partitions},
                 {"triggers", &answered->triggers},
                 {"foreign_keys", &answered->foreign_keys},
                 {"policies", &answered->policies},
                 {"sessions", &answered->sessions},
                 {"restore", &answered->restore}};
    char word[64];

    if (!cursor_word(cursor, 1, word, sizeof word, err))
        return false;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i].word) == 0)
            *words[i].flag = true;
    }
    return true;
}

/** The error that a CATCH block gave back. */
static bool
fault_of(const struct observation *seen, const struct cursor *cursor, struct err *ret,
         struct err *err)
{
    struct server_message message = {0};
    int64_t number = 0, severity = 0, state = 0;
    const char *text;

    if (!cursor_integer(cursor, 2, 0, &number, err) ||
        !cursor_integer(cursor, 3, 0, &severity, err) ||
        !cursor_integer(cursor, 4, 0, &state, err) ||
        !cursor_text(cursor, 5, seen->arena, &text, err))
        return false;
    message.number = (int)number;
    message.severity = (int)severity;
    message.state = (int)state;
    (void)snprintf(message.text, sizeof message.text, "%s", text);
    (void)verdict_to_err(&message, ret);
    return true;
}

enum { INVALID_COLUMN = 207 };

static bool
take_fault(struct observation *seen, const struct cursor *cursor, struct err *err)
{
    char word[64];
    struct err why;
    enum table which = TABLE_FIELD;
    int64_t number = -1;

    if (!cursor_word(cursor, 1, word, sizeof word, err) || !fault_of(seen, cursor, &why, err) ||
        !cursor_integer(cursor, 2, 0, &number, err))
        return false;
    if (table_by_name(word, &which)) {
        struct counted *fresh = &seen->evidence.tables[which].fresh;

        if (!fresh->known)
            fresh->why = why;
        if (which != TABLE_EVENTS)
            seen->orphans_why = why;
    } else if (strcmp(word, "orphans") == 0) {
        seen->orphans_why = why;
    } else if (strcmp(word, "partitions") == 0) {
        seen->partitions_why = why;
    } else if (strcmp(word, "masked") == 0 && number != INVALID_COLUMN) {
        /* An engine without that catalog column has no masking. Anything else is not known. */
        for (int i = 0; i < AXDB_TABLES; i++)
            seen->tables[i].masking_unknown = true;
    }
    return true;
}

static bool
take_row(void *ctx, const struct cursor *cursor, struct err *err)
{
    static const struct {
        const char *set;
        bool (*take)(struct observation *seen, const struct cursor *cursor, struct err *err);
    } sets[] = {
        {"rs_identity", take_identity},   {"rs_database", take_database},
        {"rs_rights", take_rights},       {"rs_permission", take_permission},
        {"rs_object", take_object},       {"rs_column", take_column},
        {"rs_index", take_index},         {"rs_count", take_count},
        {"rs_partition", take_partition}, {"rs_url", take_url},
        {"rs_channel", take_channel},     {"rs_orphans", take_orphans},
        {"rs_trigger", take_trigger},     {"rs_foreign_key", take_foreign_key},
        {"rs_policy", take_policy},       {"rs_masked", take_masked},
        {"rs_session", take_session},     {"rs_fork", take_fork},
        {"rs_restore", take_restore},     {"rs_read", take_read},
        {"rs_fault", take_fault},
    };

    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++) {
        if (cursor_is(cursor, sets[i].set))
            return sets[i].take(ctx, cursor, err);
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
                                       .client = "",
                                       .encryption = "",
                                       .state = "",
                                       .user_access = "",
                                       .created = "",
                                       .recovery_fork = "",
                                       .restored_at = "",
                                       .restored_from_server = "",
                                       .restored_from_database = "",
                                       .backup_finished_at = ""};
    seen->partitions_why = not_counted(ERR_SERVER, "the server did not say").why;
    seen->orphans_why = not_counted(ERR_SCHEMA, "one of the two tables is missing").why;
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
    identity->restore_known = seen->answered.restore;
    if (identity->dialled == NULL || identity->database == NULL || identity->client == NULL)
        return arena_exhausted(err);
    if (identity->login[0] == '\0')
        return err_set(err, ERR_SERVER, "the server did not say who it is");
    return true;
}

static struct named_list
finish_names(const struct names *names, bool answered, enum right view_definition)
{
    /* Without the right the catalog answers with no rows: that is no evidence. */
    return (struct named_list){.known = answered && view_definition == RIGHT_HELD,
                               .names = names->items,
                               .count = names->count};
}

static bool
finish_table(struct observation *seen, enum table which, struct err *err)
{
    struct axdb_table_evidence *table = &seen->evidence.tables[which];

    if (!catalog_finish(&seen->tables[which], which, seen->arena, table, err))
        return false;
    if (table->exists && !table->partitions.known)
        table->partitions.why = seen->partitions_why;
    table->triggers =
        finish_names(&seen->triggers[which], seen->answered.triggers, table->may_view_definition);
    table->foreign_keys = finish_names(&seen->foreign_keys[which], seen->answered.foreign_keys,
                                       table->may_view_definition);
    table->policies =
        finish_names(&seen->policies[which], seen->answered.policies, table->may_view_definition);
    return true;
}

static bool
finish(struct observation *seen, const struct connection *connection, struct err *err)
{
    struct axdb_evidence *evidence = &seen->evidence;

    if (!finish_identity(seen, connection, err))
        return false;
    for (int i = 0; i < AXDB_TABLES; i++) {
        if (!finish_table(seen, (enum table)i, err))
            return false;
    }
    evidence->urls = seen->urls;
    evidence->urls_known = seen->answered.urls;
    evidence->channels = seen->channels;
    evidence->channels_known = seen->answered.channels;
    evidence->sessions_known = seen->answered.sessions;
    if (!evidence->projects_without_fields.known)
        evidence->projects_without_fields.why = seen->orphans_why;
    if (!evidence->fields_without_project.known)
        evidence->fields_without_project.why = seen->orphans_why;
    return true;
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
    seen->arena = arena;
    start(seen, self->connection);
    if (!mssql_store_run_sql(self, sql_evidence, &taker, err) ||
        !finish(seen, self->connection, err))
        return false;
    *ret = seen->evidence;
    return true;
}
