#include "tds/request.h"

#include "tds/text.h"

#include <string.h>
#include <strings.h>

enum {
    HEADER_TRANSACTION = 2,
    HEADERS_MAX = 64 * 1024,
};

bool
tds_headers_read(struct tds_reader *reader, uint64_t *ret_transaction)
{
    uint32_t total = tds_u32(reader);
    if (reader->failed || total < 4 || total > HEADERS_MAX)
        return false;
    const unsigned char *bytes = tds_take(reader, total - 4);
    if (bytes == NULL)
        return false;
    struct tds_reader headers = tds_reader_of(bytes, total - 4);
    uint64_t transaction = 0;
    while (headers.left > 0) {
        uint32_t length = tds_u32(&headers);
        uint16_t type = tds_u16(&headers);
        if (headers.failed || length < 6)
            return false;
        const unsigned char *data = tds_take(&headers, length - 6);
        if (data == NULL || (type == HEADER_TRANSACTION && length != 18))
            return false;
        struct tds_reader body = tds_reader_of(data, length - 6);
        if (type == HEADER_TRANSACTION)
            transaction = tds_u64(&body);
    }
    *ret_transaction = transaction;
    return true;
}

static void
read_name(struct tds_reader *reader, struct tds_manager_request *request)
{
    size_t bytes = tds_u8(reader); /* here a length in bytes, unlike everywhere else */
    const unsigned char *name = tds_take(reader, bytes);
    if (name != NULL)
        (void)tds_utf8_from_utf16le(name, bytes / 2, request->name, sizeof request->name);
}

bool
tds_manager_read(struct tds_reader *reader, struct tds_manager_request *ret)
{
    struct tds_manager_request request = {.kind = tds_u16(reader)};
    switch (request.kind) {
    case TDS_MANAGER_BEGIN:
        request.isolation = tds_u8(reader);
        read_name(reader, &request);
        break;
    case TDS_MANAGER_COMMIT:
    case TDS_MANAGER_ROLLBACK:
        read_name(reader, &request);
        request.begin_next = (tds_u8(reader) & 1) != 0;
        request.next_isolation = request.begin_next ? tds_u8(reader) : 0;
        break;
    case TDS_MANAGER_SAVE:
        read_name(reader, &request);
        break;
    default:
        break;
    }
    if (reader->failed)
        return false;
    *ret = request;
    return true;
}

const char *
tds_isolation_sql(uint8_t level)
{
    static const char *const sql[] = {
        "",
        "SET TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
        "SET TRANSACTION ISOLATION LEVEL READ COMMITTED",
        "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ",
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SET TRANSACTION ISOLATION LEVEL SNAPSHOT",
    };
    return level < sizeof sql / sizeof *sql ? sql[level] : NULL;
}

/* Behind one comment, or NULL when none begins here. */
static const char *
skip_comment(const char *at)
{
    if (strncmp(at, "--", 2) == 0)
        return at + strcspn(at, "\n");
    if (strncmp(at, "/*", 2) != 0)
        return NULL;
    const char *end = strstr(at + 2, "*/");
    return end != NULL ? end + 2 : at + strlen(at);
}

bool
tds_is_commit(const char *sql)
{
    static const char word[] = "COMMIT";
    for (;;) {
        sql += strspn(sql, " \t\r\n;");
        const char *behind = skip_comment(sql);
        if (behind == NULL)
            break;
        sql = behind;
    }
    if (strncasecmp(sql, word, sizeof word - 1) != 0)
        return false;
    char next = sql[sizeof word - 1];
    return next == '\0' || strchr(" \t\r\n;-/", next) != NULL;
}
