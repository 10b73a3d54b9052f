#include "../../../src/dataverse/http_log.h"
#include "test.h"

#include <string.h>

enum { TOLD_MAX = 64, TOLD_BYTES = 512 };

struct listener {
    struct observer observer;
    char lines[TOLD_MAX][TOLD_BYTES];
    enum log_level levels[TOLD_MAX];
    size_t count;
};

static void
hear(struct observer *observer, enum log_level level, const char *text)
{
    struct listener *listener = (struct listener *)(void *)observer;

    assert_true(listener->count < TOLD_MAX);
    assert_true(strlen(text) < TOLD_BYTES);
    memcpy(listener->lines[listener->count], text, strlen(text) + 1);
    listener->levels[listener->count++] = level;
}

static struct listener
listener_new(void)
{
    return (struct listener){.observer = {.say = hear}};
}

static bool
told(const struct listener *listener, const char *part)
{
    for (size_t i = 0; i < listener->count; i++)
        if (strstr(listener->lines[i], part))
            return true;
    return false;
}

static void
assert_url(const char *url, const char *shown)
{
    TEXT_SCOPED text = {0};

    http_log_append_url(&text, url, strlen(url));
    assert_string_equal(text_string(&text), shown);
}

static void
assert_header(const char *line, const char *shown)
{
    TEXT_SCOPED text = {0};
    const bool there = http_log_append_header(&text, slice_of(line, strlen(line)));

    assert_int_equal(there, shown != NULL);
    assert_string_equal(text_string(&text), shown ? shown : "");
}

static void
of_a_query_only_our_own_values_are_shown(void **state)
{
    (void)state;
    assert_url("https://org.crm4.dynamics.com/api/data/v9.2/WhoAmI",
               "org.crm4.dynamics.com/api/data/v9.2/WhoAmI");
    assert_url("https://o/x?$select=a,b&$expand=Attributes($select=LogicalName)",
               "o/x?$select=a,b&$expand=Attributes($select=LogicalName)");
    assert_url("https://o/x?$skiptoken=secret&$select=a&code=secret",
               "o/x?$skiptoken=...&$select=a&code=...");
    assert_url("/x?resource=https://o&api-version=2018-02-01",
               "/x?resource=...&api-version=2018-02-01");
    assert_url("/x?$filter=msdyn_name%20eq%20'secret'", "/x?$filter=...");
    assert_url("/x?$select=a\x1b[2J", "/x?$select=...");
    assert_url("/x?sec ret=1&flag", "/x?...&flag");
    assert_url("/x?", "/x");
    assert_url("", "");
    assert_url("https://", "");
    assert_url("https", "https");
}

static void
a_name_and_password_in_a_url_are_not_shown(void **state)
{
    (void)state;
    assert_url("https://user:secret@host/path", "host/path");
    assert_url("http://user:sec@ret@host:8080", "host:8080");
    assert_url("https://host/a@b", "host/a@b");
}

static void
a_long_path_is_cut(void **state)
{
    char url[2000];
    TEXT_SCOPED text = {0};

    (void)state;
    memset(url, 'a', sizeof url);
    http_log_append_url(&text, url, sizeof url);
    assert_int_equal(text.used, 403);
    text_reset(&text);
    for (size_t i = 0; i < 11; i++)
        url[i] = "/x?$select="[i];
    http_log_append_url(&text, url, sizeof url);
    assert_string_equal(text_string(&text), "/x?$select=...");
}

static void
a_header_is_shown_when_its_name_is_listed(void **state)
{
    (void)state;
    assert_header("Content-Type: application/json\r\n", "Content-Type: application/json");
    assert_header("retry-after:7\r\n", "retry-after: 7");
    assert_header("x-ms-service-request-id: 1\r\n", "x-ms-service-request-id: 1");
    assert_header("Authorization: Bearer secret\r\n", "Authorization: (not shown)");
    assert_header("authorization: Bearer secret", "authorization: (not shown)");
    assert_header("Proxy-Authorization: Basic secret\r\n", "Proxy-Authorization: (not shown)");
    assert_header("Set-Cookie: a=secret\r\n", "Set-Cookie: (not shown)");
    assert_header("X-IDENTITY-HEADER: secret\r\n", "X-IDENTITY-HEADER: (not shown)");
    assert_header("WWW-Authenticate: Bearer secret\r\n", "WWW-Authenticate: (not shown)");
    assert_header("Location: https://host/?code=secret\r\n", "Location: (not shown)");
    assert_header("x-ms-something-new: secret\r\n", "(another header)");
    assert_header(" folded secret\r\n", "(another header)");
    assert_header("secret without a colon", "(another header)");
    assert_header(": secret", "(another header)");
    assert_header("date\t: secret", "(another header)");
    assert_header("\r\n", NULL);
}

static void
of_request_and_status_lines_the_known_parts_are_shown(void **state)
{
    (void)state;
    assert_header("GET /a?code=secret HTTP/2\r\n", "GET /a?code=... HTTP/2");
    assert_header("CONNECT host:443 HTTP/1.1\r\n", "CONNECT host:443 HTTP/1.1");
    assert_header("HTTP/1.1 200 secret\r\n", "HTTP/1.1 200");
    assert_header("HTTP/2 404 \r\n", "HTTP/2 404");
    assert_header("HTTP/2 secret\r\n", "(another header)");
    assert_header("GET secret\r\n", "(another header)");
    assert_header("GET  HTTP/1.1\r\n", "GET  HTTP/1.1");
}

static void
lines_of_libcurl_pass_when_their_beginning_is_known(void **state)
{
    static const char *const shown[] = {"  Trying 127.0.0.1:443...",
                                        "Connected to host (127.0.0.1) port 443 (#0)",
                                        "ALPN: server accepted h2", "using HTTP/2",
                                        "SSL connection using TLSv1.3 / TLS_AES_256_GCM_SHA384"};
    static const char *const kept[] = {
        "h2h3 [authorization: Bearer secret]",
        "h2h3 [:path: /x?code=secret]",
        "[HTTP/2] [1] [authorization: Bearer secret]",
        "Uses proxy env variable https_proxy == 'http://user:secret@host'",
        "Proxy auth using Basic with user 'secret'",
        "Server auth using Bearer with user ''",
        "Issue another request to this URL: 'https://host/?code=secret'",
        "Added cookie a=\"secret\" for domain host",
        "Connected to user:secret@host",
        "something that a later libcurl says",
        "",
    };

    (void)state;
    for (size_t i = 0; i < sizeof shown / sizeof shown[0]; i++)
        assert_true(http_log_may_show(slice_of(shown[i], strlen(shown[i]))));
    for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++)
        assert_false(http_log_may_show(slice_of(kept[i], strlen(kept[i]))));
}

static void
give(struct http_log *log, curl_infotype kind, const char *text)
{
    char bytes[4096];

    assert_true(strlen(text) < sizeof bytes);
    (void)snprintf(bytes, sizeof bytes, "%s", text);
    assert_int_equal(http_log_debug(NULL, kind, bytes, strlen(text), log), 0);
}

static void
a_header_that_comes_in_pieces_is_judged_whole(void **state)
{
    struct listener listener = listener_new();
    struct http_log log = {.observer = &listener.observer};

    (void)state;
    http_log_begin(&log, "12345678-9");
    give(&log, CURLINFO_HEADER_OUT, "GET /a HTTP/1.1\r\nAuthorization: Bearer sec");
    give(&log, CURLINFO_HEADER_OUT, "date: ret\r\nAccept: x\r\n\r\n");
    assert_int_equal(listener.count, 3);
    assert_string_equal(listener.lines[0], "http 12345678 > GET /a HTTP/1.1");
    assert_string_equal(listener.lines[1], "http 12345678 > Authorization: (not shown)");
    assert_string_equal(listener.lines[2], "http 12345678 > Accept: x");
    assert_int_equal(listener.levels[0], LOG_LEVEL_TRACE);
}

static void
a_header_longer_than_the_line_is_not_shown(void **state)
{
    struct listener listener = listener_new();
    struct http_log log = {.observer = &listener.observer};
    char line[HTTP_LOG_LINE_BYTES * 2] = "Date: ";

    (void)state;
    http_log_begin(&log, "1");
    memset(line + 6, 's', sizeof line - 8);
    line[sizeof line - 2] = '\n';
    give(&log, CURLINFO_HEADER_IN, line);
    give(&log, CURLINFO_HEADER_IN, "Date: today\r\n");
    assert_int_equal(listener.count, 2);
    assert_string_equal(listener.lines[0], "http 1 < (another header)");
    assert_string_equal(listener.lines[1], "http 1 < Date: today");
}

static void
of_bodies_only_the_size_is_told(void **state)
{
    struct listener listener = listener_new();
    struct http_log log = {.observer = &listener.observer};

    (void)state;
    http_log_begin(&log, "1");
    give(&log, CURLINFO_DATA_OUT, "client_secret=secret");
    give(&log, CURLINFO_DATA_IN, "{\"access_token\":\"secret\"}");
    give(&log, CURLINFO_SSL_DATA_IN, "secret");
    give(&log, CURLINFO_SSL_DATA_OUT, "secret");
    give(&log, CURLINFO_TEXT, "h2h3 [authorization: Bearer secret]\n");
    assert_int_equal(listener.count, 2);
    assert_string_equal(listener.lines[0], "http 1 > 20 bytes of a body");
    assert_false(told(&listener, "secret"));
}

static void
an_exchange_is_one_line(void **state)
{
    struct listener listener = listener_new();
    struct http_log log = {.observer = &listener.observer};
    struct http_log_entry entry = {.method = "GET",
                                   .url = "https://h/x?$top=1&k=secret",
                                   .status = 200,
                                   .why = "",
                                   .request_id = "r-1",
                                   .elapsed_ms = 12,
                                   .received_bytes = 34};

    (void)state;
    http_log_begin(&log, "abcdefghij");
    http_log_exchange(&log, &entry);
    entry.status = 0;
    entry.why = "h did not answer in time";
    entry.request_id = "";
    http_log_exchange(&log, &entry);
    assert_int_equal(listener.count, 2);
    assert_int_equal(listener.levels[0], LOG_LEVEL_DEBUG);
    assert_string_equal(listener.lines[0],
                        "http abcdefgh GET h/x?$top=1&k=...: 200, 12 ms, 0 bytes sent, 34 "
                        "received, request id r-1");
    assert_string_equal(listener.lines[1],
                        "http abcdefgh GET h/x?$top=1&k=...: no answer (h did not answer in "
                        "time), 12 ms, 0 bytes sent, 34 received");
}

static void
without_anybody_listening_nothing_happens(void **state)
{
    struct http_log log = {0};
    struct http_log_entry entry = {.method = "GET", .url = "", .why = "", .request_id = ""};

    (void)state;
    http_log_begin(&log, "");
    http_log_exchange(&log, &entry);
    give(&log, CURLINFO_HEADER_IN, "Date: today\r\n");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_a_query_only_our_own_values_are_shown),
        cmocka_unit_test(a_name_and_password_in_a_url_are_not_shown),
        cmocka_unit_test(a_long_path_is_cut),
        cmocka_unit_test(a_header_is_shown_when_its_name_is_listed),
        cmocka_unit_test(of_request_and_status_lines_the_known_parts_are_shown),
        cmocka_unit_test(lines_of_libcurl_pass_when_their_beginning_is_known),
        cmocka_unit_test(a_header_that_comes_in_pieces_is_judged_whole),
        cmocka_unit_test(a_header_longer_than_the_line_is_not_shown),
        cmocka_unit_test(of_bodies_only_the_size_is_told),
        cmocka_unit_test(an_exchange_is_one_line),
        cmocka_unit_test(without_anybody_listening_nothing_happens),
    };

    return cmocka_run_group_tests_name("dataverse/http_log", tests, NULL, NULL);
}
