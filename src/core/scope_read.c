#include "scope_read.h"

#include "base/parse.h"
#include "base/text.h"

#include <assert.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum { NUMBER_BYTES = 24 };

/** What is left to read. Functions move `at` behind what they read, or return false. */
struct reader {
    const char *at;
    struct arena *arena;
};

static bool
take(struct reader *reader, const char *word)
{
    const size_t size = strlen(word);

    if (strncmp(reader->at, word, size) != 0)
        return false;
    reader->at += size;
    return true;
}

/** The character that an escape of text_append_json stands for; control characters alone. */
static bool
take_escape(struct reader *reader, char *ret)
{
    static const char from[] = "\"\\/bfnrt";
    static const char to[] = "\"\\/\b\f\n\r\t";
    const char *known = *reader->at ? strchr(from, *reader->at) : NULL;
    unsigned char bytes[2];

    if (known) {
        *ret = to[known - from];
        reader->at++;
        return true;
    }
    if (reader->at[0] != 'u' || strnlen(reader->at, 5) < 5 ||
        !text_decode_hex(reader->at + 1, 4, bytes) || bytes[0] != 0 || bytes[1] == 0 ||
        bytes[1] > 0x7F)
        return false;
    *ret = (char)bytes[1];
    reader->at += 5;
    return true;
}

/** A JSON string, into the arena. */
static const char *
take_string(struct reader *reader)
{
    TEXT_SCOPED text = {0};

    if (!take(reader, "\""))
        return NULL;
    while (*reader->at && *reader->at != '"') {
        char byte = *reader->at++;

        if (byte == '\\' && !take_escape(reader, &byte))
            return NULL;
        text_append_bytes(&text, &byte, 1);
    }
    return take(reader, "\"") && !text.broken ? arena_string(reader->arena, text_string(&text))
                                              : NULL;
}

/** How many items a list can have at most: one comma between two. */
static size_t
room_for_items(const char *text)
{
    size_t commas = 0;

    for (; *text; text++)
        commas += *text == ',';
    return commas + 1;
}

static bool
take_channels(struct reader *reader, struct scope_options *ret)
{
    const size_t room = room_for_items(reader->at);
    const char **names =
        room > SCOPE_READ_MAX_ITEMS ? NULL : arena_alloc(reader->arena, room * sizeof *names);

    do {
        const char *name = names ? take_string(reader) : NULL;

        if (!name)
            return false;
        assert(ret->channel_count < room); /* a comma stood before each but the first */
        names[ret->channel_count++] = name;
    } while (take(reader, ","));
    ret->channels = names;
    return take(reader, "]");
}

/** PARTITION:"NAME" */
static bool
take_project(struct reader *reader, struct project_name *ret)
{
    char number[NUMBER_BYTES];
    const size_t size = strspn(reader->at, "-0123456789");

    if (size == 0 || size >= sizeof number)
        return false;
    (void)snprintf(number, sizeof number, "%.*s", (int)size, reader->at);
    reader->at += size;
    ret->name = parse_int(number, INT64_MIN, INT64_MAX, &ret->partition) && take(reader, ":")
                    ? take_string(reader)
                    : NULL;
    return ret->name != NULL;
}

static bool
take_projects(struct reader *reader, struct scope_options *ret)
{
    const size_t room = room_for_items(reader->at);
    struct project_name *projects =
        room > SCOPE_READ_MAX_ITEMS ? NULL : arena_alloc(reader->arena, room * sizeof *projects);

    if (!projects || take(reader, "]"))
        return projects != NULL;
    do {
        assert(ret->project_count < room);
        if (!take_project(reader, &projects[ret->project_count]))
            return false;
        ret->project_count++;
    } while (take(reader, ","));
    ret->projects = projects;
    return take(reader, "]");
}

static bool
take_map(struct reader *reader, struct scope_options *ret)
{
    const char *internal = take_string(reader);
    const char *external = internal && take(reader, ":") ? take_string(reader) : NULL;

    if (!external || !take(reader, ";projects=["))
        return false;
    ret->map = arena_printf(reader->arena, "%s:%s", internal, external);
    return ret->map && take_projects(reader, ret);
}

bool
scope_read(const char *text, struct arena *arena, struct scope_options *ret, struct err *err)
{
    struct reader reader = {.at = text, .arena = arena};
    struct scope_options options = {0};
    bool ok = true;

    if (take(&reader, "channels=all"))
        options.channels_all = true;
    else if (take(&reader, "channels=["))
        ok = take_channels(&reader, &options);
    else if (take(&reader, "map="))
        ok = take_map(&reader, &options);
    if (!ok || *reader.at) {
        (void)err_set(err, ERR_STORAGE, "the plan's scope is not one that can be applied");
        return err_hint(err, "Only plans of dwclean plan, clean and repair-map can be applied.");
    }
    *ret = options;
    return true;
}
