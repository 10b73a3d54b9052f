#include "undo_check.h"

#include "script_text.h"

#include <string.h>

/* The locks of the script are held: what is found here cannot change before the rows are in. */
static void
append_base_table(struct text *out, const char *table)
{
    text_printf(out,
                "IF OBJECT_ID(N'dbo.%s', N'U') IS NULL THROW 51000, N'dwclean: dbo.%s is not a "
                "table. Nothing was changed.', 1;\n",
                table, table);
}

static bool
append_column(const char *table, const struct column *column, struct text *out, struct err *err)
{
    if (column->name[0] == '\0' || !text_is_utf8(column->name, strlen(column->name)))
        return err_set(err, ERR_SCHEMA, "a column of %s has a name that cannot be written", table);
    text_printf(out,
                "IF NOT EXISTS (SELECT 1 FROM sys.columns AS c WHERE c.object_id = "
                "OBJECT_ID(N'dbo.%s', N'U') AND c.name = ",
                table);
    script_append_name_value(out, column->name);
    /* The system type of a column with an alias type is what the alias stands for. */
    text_append(out, " AND TYPE_NAME(c.system_type_id) = ");
    script_append_name_value(out, column->type_name);
    if (text_equal_nocase(column->type_name, "varbinary")) /* of which vector has the number */
        text_append(out, " AND ISNULL(TYPE_NAME(c.user_type_id), N'') <> N'vector'");
    text_printf(out,
                " AND c.max_length = %d AND c.precision = %u AND c.scale = %u AND c.is_identity = "
                "%d AND c.is_computed = 0) THROW 51000, N'dwclean: column ",
                (int)column->max_length, (unsigned)column->precision, (unsigned)column->scale,
                column->identity ? 1 : 0);
    script_append_quoted_name(out, column->name);
    text_printf(out, " of dbo.%s is not what it was (", table);
    script_append_quoted_name(out, column->type_name);
    text_printf(out, ", length %d, precision %u, scale %u%s). Nothing was changed.', 1;\n",
                (int)column->max_length, (unsigned)column->precision, (unsigned)column->scale,
                column->identity ? ", identity" : "");
    return true;
}

/** Without the right to see them there are no rows about triggers, which is no evidence. */
static void
append_triggers(const struct schema *schema, struct text *out)
{
    const char *table = table_name(schema->table);

    if (schema->utf8_text) {
        text_append(out, "-- The engine that these rows are from does not tell of triggers.\n");
        return;
    }
    text_append(out, "-- A trigger would run with every INSERT. To go on with it as it is, read it "
                     "and delete this check.\n");
    text_printf(out,
                "IF ISNULL(HAS_PERMS_BY_NAME(N'dbo.%s', N'OBJECT', N'VIEW DEFINITION'), 0) <> 1 "
                "THROW 51000, N'dwclean: this login may not see whether dbo.%s has triggers: ask "
                "for VIEW DEFINITION on it, or delete this check. Nothing was changed.', 1;\n",
                table, table);
    text_printf(out,
                "IF EXISTS (SELECT 1 FROM sys.triggers AS t WHERE t.parent_id = "
                "OBJECT_ID(N'dbo.%s', N'U') AND t.is_disabled = 0) THROW 51000, N'dwclean: dbo.%s "
                "has enabled triggers, which would run with every INSERT: read them, then DISABLE "
                "TRIGGER ALL ON dbo.%s (and ENABLE afterwards), or delete this check. Nothing was "
                "changed.', 1;\n",
                table, table, table);
}

bool
undo_check_append(const struct schema *schema, struct text *out, struct err *err)
{
    append_base_table(out, table_name(schema->table));
    for (size_t i = 0; i < schema->count; i++) {
        if (column_insertable(&schema->columns[i]) &&
            !append_column(table_name(schema->table), &schema->columns[i], out, err))
            return false;
    }
    append_triggers(schema, out);
    return text_ok(out, err);
}
