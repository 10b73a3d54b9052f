#include "config/ini_file.h"

#include "base/library.h"
#include "base/private_file.h"
#include "base/text.h"

#include <assert.h>
#include <ctype.h>
#include <ini.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LINE_BYTES = 199,   /* inih's buffer is 200 with the NUL; a longer line would come in pieces */
    SECTION_BYTES = 49, /* inih cuts longer ones without a word */
    MAX_SECTIONS = 1024,
    MAX_ITEMS = 32,
};

/* ---- libinih, loaded for the first file ---- */

LIBRARY_NOTE(ini_note, "config", "configuration files", DWCLEAN_INI_LIBRARY);

static __typeof__(&ini_parse_stream) parse_stream;
static const struct library_function entries[] = {{"ini_parse_stream", &parse_stream}};
static struct library library = {
    .file = DWCLEAN_INI_LIBRARY,
    .package = "libinih (Debian: libinih1)",
    .functions = entries,
    .count = 1,
};

/* ---- reading ---- */

/** One walk over the text. inih calls back for values only, so the reader sees the sections. */
struct walk {
    const char *path, *next;
    const struct ini_file_sink *sink;
    struct err *err;
    int line;
    bool failed;
    bool in_section, in_defaults; /* where the values go */
    char environment[INI_FILE_NAME_BYTES];
    int section_line;
    bool seen[OPTIONS];
    char sections[MAX_SECTIONS][INI_FILE_NAME_BYTES]; /* "" = [defaults] */
    size_t section_count;
};

/** Put file and line in front of `err`, which is filled; the walk ends. */
static bool
fault_at(struct walk *walk, int line)
{
    walk->failed = true;
    return err_wrap(walk->err, "%s:%d", walk->path, line);
}

static bool
end_section(struct walk *walk)
{
    if (!walk->in_section || walk->in_defaults || walk->seen[OPT_CLASS])
        return true;
    (void)err_set(walk->err, ERR_CONFIG, "[env \"%s\"] has no class", walk->environment);
    (void)err_hint(walk->err, "Add class = production, sandbox or dev.");
    return fault_at(walk, walk->section_line);
}

static bool
is_name(const char *name, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        const unsigned char c = (unsigned char)name[i];
        if (!isalnum(c) && !(i > 0 && (c == '.' || c == '_' || c == '-')))
            return false;
    }
    return size > 0 && size < INI_FILE_NAME_BYTES;
}

/** Read `env "NAME"` or `defaults` (size bytes) into walk->environment. */
static bool
read_section_name(struct walk *walk, const char *section, size_t size)
{
    static const char start[] = "env \"";
    const size_t start_size = sizeof(start) - 1;

    walk->in_defaults = size == strlen("defaults") && memcmp(section, "defaults", size) == 0;
    walk->environment[0] = '\0';
    if (walk->in_defaults)
        return true;
    if (size > start_size + 1 && memcmp(section, start, start_size) == 0 &&
        section[size - 1] == '"' && is_name(section + start_size, size - start_size - 1)) {
        (void)snprintf(walk->environment, sizeof(walk->environment), "%.*s",
                       (int)(size - start_size - 1), section + start_size);
        return true;
    }
    (void)err_set(walk->err, ERR_CONFIG, "unknown section");
    (void)err_hint(walk->err,
                   "Sections are [defaults] and [env \"NAME\"]; a name has at most %d "
                   "letters, digits, '.', '_', '-'.",
                   INI_FILE_NAME_BYTES - 1);
    return fault_at(walk, walk->line);
}

static bool
begin_section(struct walk *walk, const char *start)
{
    const char *end = strchr(start, ']');
    if (!end || end - start > SECTION_BYTES) {
        (void)err_set(walk->err, ERR_CONFIG, "a section is not closed or too long");
        return fault_at(walk, walk->line);
    }
    if (!end_section(walk) || !read_section_name(walk, start, (size_t)(end - start)))
        return false;

    for (size_t i = 0; i < walk->section_count; i++) {
        if (strcmp(walk->sections[i], walk->environment) == 0) {
            (void)err_set(walk->err, ERR_CONFIG, "section [%.*s] comes twice", (int)(end - start),
                          start);
            return fault_at(walk, walk->line);
        }
    }
    if (walk->section_count == MAX_SECTIONS) {
        (void)err_set(walk->err, ERR_CONFIG, "more than %d sections", MAX_SECTIONS);
        return fault_at(walk, walk->line);
    }
    memcpy(walk->sections[walk->section_count++], walk->environment, sizeof(walk->environment));
    memset(walk->seen, 0, sizeof(walk->seen));
    walk->in_section = true;
    walk->section_line = walk->line;
    if (!walk->sink->section(walk->sink->ctx, walk->in_defaults ? NULL : walk->environment,
                             walk->line, walk->err))
        return fault_at(walk, walk->line);
    return true;
}

/** inih's reader: one line, without the blanks before it (they would mean "goes on"). */
static char *
read_line(char *ret, int size, void *ctx)
{
    struct walk *walk = ctx;
    if (walk->failed || !*walk->next)
        return NULL;
    walk->line++;
    const size_t whole = strcspn(walk->next, "\n");
    const size_t blanks = strspn(walk->next, " \t");
    const char *start = walk->next + (blanks < whole ? blanks : whole);
    const size_t length = whole - (size_t)(start - walk->next);
    if (length > LINE_BYTES - 2 || (int)length > size - 3) {
        (void)err_set(walk->err, ERR_CONFIG, "the line is longer than %d bytes", LINE_BYTES - 2);
        (void)fault_at(walk, walk->line);
        return NULL;
    }
    memcpy(ret, start, length);
    ret[length] = '\n';
    ret[length + 1] = '\0';
    walk->next += whole + (walk->next[whole] ? 1 : 0);
    if (ret[0] == '[' && !begin_section(walk, ret + 1))
        return NULL;
    return ret;
}

static bool
unknown_key(struct walk *walk, const char *name)
{
    TEXT_SCOPED shown = {0};
    text_append_shown(&shown, name, strnlen(name, 60));
    (void)err_set(walk->err, ERR_CONFIG, "unknown key \"%s\"", text_string(&shown));
    const char *nearest = option_nearest_ini(name);
    if (strstr(name, "password") || strstr(name, "secret"))
        (void)err_hint(walk->err, "Secrets stand in files of their own: password_file, "
                                  "client_secret_file.");
    else if (nearest)
        (void)err_hint(walk->err, "Did you mean %s?", nearest);
    return fault_at(walk, walk->line);
}

/** Cut the first item off a LIST: up to a comma, without the blanks around it. */
static char *
cut_item(char *list, char **ret_rest)
{
    static const char blanks[] = " \t";
    char *item = list + strspn(list, blanks);
    size_t size = strcspn(item, ",");
    *ret_rest = item[size] ? item + size + 1 + strspn(item + size + 1, ", \t") : item + size;
    while (size > 0 && strchr(blanks, item[size - 1]))
        size--;
    item[size] = '\0';
    return item;
}

/** Hand a value on; a LIST item by item. */
static bool
hand_on(struct walk *walk, const struct option_spec *spec, char *value)
{
    const char *environment = walk->in_defaults ? NULL : walk->environment;
    char *rest = value;
    unsigned count = 0;
    do {
        struct option_value ignored;
        char *item = rest;
        if (spec->kind == OPTION_LIST)
            item = cut_item(rest, &rest);
        else
            rest += strlen(rest);
        if (count++ == MAX_ITEMS)
            return err_set(walk->err, ERR_CONFIG, "more than %d items", MAX_ITEMS);
        if (!option_parse(spec, item, ERR_CONFIG, &ignored, walk->err) ||
            !walk->sink->value(walk->sink->ctx, environment, spec, item, walk->line, walk->err))
            return false;
    } while (*rest);
    return true;
}

static int
take_value(void *ctx, const char *section, const char *name, const char *value)
{
    struct walk *walk = ctx;
    char copy[LINE_BYTES + 1];
    (void)section;
    if (walk->failed)
        return 0;
    if (!walk->in_section) {
        (void)err_set(walk->err, ERR_CONFIG, "a key before the first section");
        return fault_at(walk, walk->line);
    }
    const struct option_spec *spec = option_by_ini(name);
    if (!spec)
        return unknown_key(walk, name);
    if (walk->in_defaults && (spec->traits & OPTION_IS_SECTION_ONLY)) {
        (void)err_set(walk->err, ERR_CONFIG, "key \"%s\" belongs into [env \"NAME\"]", name);
        return fault_at(walk, walk->line);
    }
    if (walk->seen[spec->id]) {
        (void)err_set(walk->err, ERR_CONFIG, "key \"%s\" comes twice", name);
        return fault_at(walk, walk->line);
    }
    walk->seen[spec->id] = true;
    (void)snprintf(copy, sizeof(copy), "%s", value);
    if (!hand_on(walk, spec, copy))
        return fault_at(walk, walk->line);
    return 1;
}

bool
ini_file_parse(const char *path, const char *text, const struct ini_file_sink *sink,
               struct err *err)
{
    assert(path && text && sink && err);
    if (!library_load(&library, err))
        return false;
    struct walk *walk = calloc(1, sizeof(*walk));
    if (!walk)
        return err_set(err, ERR_INTERNAL, "out of memory");
    if (strncmp(text, "\xEF\xBB\xBF", 3) == 0)
        text += 3;
    *walk = (struct walk){.path = path, .next = text, .sink = sink, .err = err};

    const int fault_line = parse_stream(read_line, walk, take_value, walk);
    bool ok = !walk->failed;
    if (ok && fault_line != 0) {
        (void)err_set(err, ERR_CONFIG, "this is neither a section nor KEY = VALUE");
        ok = fault_at(walk, fault_line > 0 ? fault_line : walk->line);
    }
    ok = ok && end_section(walk);
    free(walk);
    return ok;
}

bool
ini_file_read(const char *path, const struct ini_file_sink *sink, struct err *err)
{
    char *text = NULL;
    size_t size = 0;
    if (!trusted_file_read(path, INI_FILE_MAX_BYTES, &text, &size, err))
        return false;
    bool ok = true;
    if (memchr(text, '\0', size))
        ok = err_set(err, ERR_CONFIG, "%s is not a text file", path);
    ok = ok && ini_file_parse(path, text, sink, err);
    free(text);
    return ok;
}
