#include "core/symptom.h"

#include "base/text.h"

#include <assert.h>
#include <regex.h>
#include <string.h>

enum { EXCERPT_BYTES = 300, LEAD_BYTES = 40, WINDOW_BYTES = 400, PARTS = 3 };

#define TEXTS(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }
#define STEPS(...)                                                                                 \
    {                                                                                              \
        __VA_ARGS__                                                                                \
    }

static const struct symptom table[] = {
#define SYMPTOM(id, title, texts, pattern, sign, cause, steps, checks, source, stale)              \
    {id, title, texts, pattern, sign, cause, steps, checks, source, stale},
#include "symptoms.def"
#undef SYMPTOM
};

enum { COUNT = sizeof table / sizeof table[0] };

const struct symptom *
symptoms(size_t *ret_count)
{
    *ret_count = COUNT;
    return table;
}

const struct symptom *
symptom_by_id(const char *id)
{
    for (size_t i = 0; i < COUNT; i++)
        if (text_equal_nocase(table[i].id, id))
            return &table[i];
    return NULL;
}

/* ---- sources ---- */

static const struct source {
    const char *key, *title;
} sources[] = {
    {"RELINK",
     "Unlink and relink dual-write environments (Microsoft, relink-environments, 2026-01-15)"},
    {"LIVE", "Troubleshoot live synchronization issues (Microsoft, "
             "dual-write-troubleshooting-live-sync, 2026-01-15)"},
    {"HEALTH", "Dual-write health check (Microsoft, dual-write-health-check, 2023-06-30)"},
    {"LCSSETUP", "Dual-write setup from Lifecycle Services (Microsoft, lcs-setup, 2026-04-03)"},
    {"SETUP", "Troubleshoot issues during initial setup (Microsoft, "
              "dual-write-troubleshooting-initial-setup, 2026-01-15)"},
    {"ISYNC", "Troubleshoot issues during initial synchronization (Microsoft, "
              "dual-write-troubleshooting-initial-sync, 2020-03-16)"},
    {"UPG", "Troubleshoot issues related to upgrades (Microsoft, "
            "dual-write-troubleshooting-finops-upgrades, 2020-03-16)"},
    {"REQ", "Dual-write requirements and prerequisites (Microsoft, requirements-and-prerequisites, "
            "2024-02-23)"},
    {"ALERT",
     "Error management and alert notifications (Microsoft, errors-and-alerts, 2022-06-24)"},
    {"UO#2427", "dynamics-365-unified-operations-public, issue 2427 (2020-05)"},
    {"UO#3148", "dynamics-365-unified-operations-public, issue 3148 (2021)"},
    {"DWA", "microsoft/Dual-write-automations, issues 14, 54 and 73"},
    {"ESSQL", "a public script for restored AxDB copies (community, 2022-03-06)"},
    {"PW", "powerwiki.net, Dual-write (community, 2022-04-25)"},
};

const char *
symptom_source(const char *key)
{
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (strcmp(sources[i].key, key) == 0)
            return sources[i].title;
    return NULL;
}

/* ---- folding ---- */

/** What stands for a character outside ASCII, and how many bytes it takes; "" = nothing. */
static const struct stand_in {
    const char *utf8, *ascii;
} stand_ins[] = {
    {"\xE2\x80\x98", "'"},  {"\xE2\x80\x99", "'"},  {"\xE2\x80\x9A", "'"},  {"\xE2\x80\x9B", "'"},
    {"\xE2\x80\xB2", "'"},  {"\xC2\xB4", "'"},      {"\xE2\x80\x9C", "\""}, {"\xE2\x80\x9D", "\""},
    {"\xE2\x80\x9E", "\""}, {"\xE2\x80\x9F", "\""}, {"\xE2\x80\x90", "-"},  {"\xE2\x80\x91", "-"},
    {"\xE2\x80\x93", "-"},  {"\xE2\x80\x94", "-"},  {"\xC2\xA0", " "},      {"\xE2\x80\xAF", " "},
    {"\xE2\x80\x82", " "},  {"\xE2\x80\x83", " "},  {"\xE2\x80\x89", " "},  {"\xE3\x80\x80", " "},
    {"\xE2\x80\xA8", " "},  {"\xE2\x80\xA9", " "},  {"\xE2\x80\x8B", ""},   {"\xE2\x80\x8C", ""},
    {"\xE2\x80\x8D", ""},   {"\xE2\x81\xA0", ""},   {"\xEF\xBB\xBF", ""},   {"\xC2\xAD", ""},
};

static bool
is_blank(char byte)
{
    return (unsigned char)byte <= ' ' || byte == 0x7F;
}

/** Add a byte, blanks collapsed, backslashes dropped. */
static size_t
put(char *to, size_t used, char byte)
{
    if (byte == '\\')
        return used;
    if (is_blank(byte)) {
        if (used > 0 && to[used - 1] != ' ')
            to[used++] = ' ';
        return used;
    }
    to[used++] = byte;
    return used;
}

/** Do the last bytes make a character that has a stand-in? Looked for in what is written, since it
 * may come together only when a backslash between its bytes is dropped. */
static size_t
put_stand_in(char *to, size_t used)
{
    for (size_t i = 0; i < sizeof stand_ins / sizeof stand_ins[0]; i++) {
        const size_t size = strlen(stand_ins[i].utf8);
        if (size > used || memcmp(to + used - size, stand_ins[i].utf8, size) != 0)
            continue;
        used -= size;
        return stand_ins[i].ascii[0] ? put(to, used, stand_ins[i].ascii[0]) : used;
    }
    return used;
}

/** Did the last bytes make "n't" behind a letter? Then they become " not". */
static size_t
expand(char *to, size_t used)
{
    if (used >= 4 && (to[used - 1] == 't' || to[used - 1] == 'T') && to[used - 2] == '\'' &&
        (to[used - 3] == 'n' || to[used - 3] == 'N') && !is_blank(to[used - 4])) {
        to[used - 3] = ' ';
        to[used - 2] = 'n';
        to[used - 1] = 'o';
        to[used] = 't';
        return used + 1;
    }
    return used;
}

static size_t
fold_into(const char *text, size_t size, char *to)
{
    size_t used = 0;

    for (size_t at = 0; at < size; at++) {
        used = put(to, used, text[at]);
        if (used > 0 && (unsigned char)to[used - 1] >= 0x80)
            used = put_stand_in(to, used);
        used = expand(to, used);
    }
    return used;
}

static void
lower_ascii(char *text)
{
    for (; *text; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

const char *
symptom_fold(const char *text, size_t size, bool lower, struct arena *arena)
{
    /* "n't" takes three bytes and becomes four */
    char *to = arena_alloc(arena, size + size / 3 + 2);

    if (!to)
        return NULL;
    to[fold_into(text, size, to)] = '\0';
    if (lower)
        lower_ascii(to);
    return to;
}

/* ---- search ---- */

static bool
continues_utf8(char byte)
{
    return ((unsigned char)byte & 0xC0) == 0x80;
}

/** What is around a place, whole characters, from the beginning of a word on, at most
 * EXCERPT_BYTES. */
static const char *
excerpt_at(const char *text, size_t at, struct arena *arena)
{
    const size_t size = strlen(text);
    size_t from = at > LEAD_BYTES ? at - LEAD_BYTES : 0;
    size_t to = size - from > EXCERPT_BYTES ? from + EXCERPT_BYTES : size;

    while (from > 0 && from < at && text[from - 1] != ' ')
        from++;
    while (from < at && continues_utf8(text[from]))
        from++;
    while (to < size && continues_utf8(text[to])) /* at `at` stands ASCII */
        to--;
    return arena_copy(arena, text + from, to - from);
}

/** Does the pattern (NULL = none) hold from `at` on? It sees a window only, so that no text takes
 * long. */
static bool
pattern_holds(const regex_t *regex, const char *at, regmatch_t parts[PARTS])
{
    char window[WINDOW_BYTES + 1];

    if (!regex)
        return true;
    const size_t size = strnlen(at, WINDOW_BYTES);
    memcpy(window, at, size);
    window[size] = '\0';
    return regexec(regex, window, PARTS, parts, 0) == 0;
}

static const char *
find_string(const char *from, const char *end, const char *what)
{
    return memmem(from, (size_t)(end - from), what, strlen(what));
}

/** The first place from `from` on at which one of the texts stands and the pattern holds; NULL =
 * none. */
static const char *
find_any(const struct symptom *symptom, const regex_t *regex, const char *from,
         regmatch_t parts[PARTS])
{
    const char *first = NULL;
    const char *end = from + strlen(from);
    regmatch_t found[PARTS] = {0};

    for (size_t i = 0; symptom->texts[i]; i++) {
        const char *at = find_string(from, end, symptom->texts[i]);
        while (at && !pattern_holds(regex, at, found))
            at = find_string(at + 1, end, symptom->texts[i]);
        if (at && (!first || at < first)) {
            first = at;
            memcpy(parts, found, sizeof found);
        }
    }
    return first;
}

static const char *
find_text(const struct symptom *symptom, const char *from, regmatch_t parts[PARTS])
{
    regex_t regex;
    const char *found;

    if (!symptom->pattern)
        return find_any(symptom, NULL, from, parts);
    /* constant patterns: fails only where the C library itself gets no memory */
    if (regcomp(&regex, symptom->pattern, REG_EXTENDED) != 0) /* GCOVR_EXCL_BR_LINE */
        return NULL;                                          /* GCOVR_EXCL_LINE */
    found = find_any(symptom, &regex, from, parts);
    regfree(&regex);
    return found;
}

/** A name between the brackets; NULL for "" and for what only stands in for one (question marks).
 */
static bool
copy_name(const char *from, size_t size, struct arena *arena, const char **ret)
{
    *ret = NULL;
    if (size == 0 || strspn(from, "? ") >= size)
        return true;
    *ret = arena_copy(arena, from, size);
    return *ret;
}

static bool
same_name(const char *a, const char *b)
{
    return text_equal_nocase(a ? a : "", b ? b : "");
}

/** The same pair twice says nothing new: a trace repeats itself. */
static bool
is_known_pair(const struct symptom_match *matches, size_t count, const struct symptom_match *pair)
{
    for (size_t i = 0; i < count; i++)
        if (matches[i].symptom == pair->symptom &&
            same_name(matches[i].configured, pair->configured) &&
            same_name(matches[i].actual, pair->actual))
            return true;
    return false;
}

/** The texts that are searched, of the same length byte by byte. */
struct folded {
    const char *lower, *shown;
};

/** Every pair of names of S01, from `at` on. */
static bool
find_pairs(const struct folded *text, const struct symptom *symptom, struct arena *arena,
           struct symptom_match *ret, size_t *count)
{
    regmatch_t parts[PARTS];
    const char *found = find_text(symptom, text->lower, parts);

    for (; found && *count < SYMPTOM_MATCHES;
         found = find_text(symptom, found + parts[0].rm_eo, parts)) {
        const char *shown = text->shown + (found - text->lower);
        struct symptom_match match = {.symptom = symptom};
        if (!copy_name(shown + parts[1].rm_so, (size_t)(parts[1].rm_eo - parts[1].rm_so), arena,
                       &match.configured) ||
            !copy_name(shown + parts[2].rm_so, (size_t)(parts[2].rm_eo - parts[2].rm_so), arena,
                       &match.actual))
            return false;
        if (is_known_pair(ret, *count, &match))
            continue;
        match.excerpt = excerpt_at(text->shown, (size_t)(found - text->lower), arena);
        if (!match.excerpt)
            return false;
        ret[(*count)++] = match;
    }
    return true;
}

/** An entry whose text stands at `at` of the folded text. */
struct place {
    const struct symptom *symptom;
    size_t at;
};

static size_t
find_places(const char *folded, struct place *ret)
{
    regmatch_t parts[PARTS];
    size_t count = 0;

    for (size_t i = 0; i < COUNT; i++) {
        const char *found = find_text(&table[i], folded, parts);
        size_t k;
        if (!found)
            continue;
        for (k = count++; k > 0 && ret[k - 1].at > (size_t)(found - folded); k--)
            ret[k] = ret[k - 1];
        ret[k] = (struct place){&table[i], (size_t)(found - folded)};
    }
    return count;
}

/** The matches of one entry. False when memory is out. */
static bool
add_matches(const struct folded *text, const struct place *place, struct arena *arena,
            struct symptom_match *ret, size_t *count)
{
    const char *excerpt;

    if (place->symptom == &table[0]) /* S01: the one that says names */
        return find_pairs(text, place->symptom, arena, ret, count);
    excerpt = excerpt_at(text->shown, place->at, arena);
    if (!excerpt)
        return false;
    ret[(*count)++] = (struct symptom_match){.symptom = place->symptom, .excerpt = excerpt};
    return true;
}

bool
symptom_find(const char *text, size_t size, struct arena *arena, struct symptom_match *ret,
             size_t *ret_count, struct err *err)
{
    struct place places[COUNT];
    struct folded folded;
    size_t count = 0;

    assert(text && arena && ret);
    if (size > SYMPTOM_TEXT_MAX_BYTES)
        return err_set(err, ERR_USAGE, "the text has more than %d KiB",
                       SYMPTOM_TEXT_MAX_BYTES / 1024);
    folded.lower = symptom_fold(text, size, true, arena);
    folded.shown = symptom_fold(text, size, false, arena);
    bool ok = folded.lower && folded.shown;
    const size_t place_count = ok ? find_places(folded.lower, places) : 0;
    for (size_t i = 0; ok && i < place_count && count < SYMPTOM_MATCHES; i++)
        ok = add_matches(&folded, &places[i], arena, ret, &count);
    if (!ok)
        return err_set(err, ERR_INTERNAL, "out of memory");
    *ret_count = count;
    return true;
}
