/** Answers that are cut short, against a small server of our own. */
#include "../../../src/dataverse/http.h"
#include "test.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* The linker's --wrap sends the calls of our own code here.
 * NOLINTBEGIN(bugprone-reserved-identifier)
 */
static bool memory_is_out;

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);

void *
__wrap_malloc(size_t size)
{
    return memory_is_out ? NULL : __real_malloc(size);
}
/* NOLINTEND(bugprone-reserved-identifier) */

static const char with_body[] = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                                "REQ_ID: 1\r\nContent-Length: 12\r\n\r\n{\"value\":[]}";
static const char in_chunks[] = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                                "6\r\n{\"valu\r\n6\r\ne\":[]}\r\n0\r\n\r\n";
static const char without_body[] = "HTTP/1.1 204 No Content\r\nREQ_ID: 1\r\n\r\n";
static const char after_interim[] = "HTTP/1.1 100 Continue\r\n\r\n"
                                    "HTTP/1.1 204 No Content\r\nREQ_ID: 1\r\n\r\n";

/** Answer the n-th connection with the first n bytes, and close. */
static void
serve(int listener, const char *answer, size_t size)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a failed test leaves nobody behind */
    for (size_t bytes = 0; bytes <= size; bytes++) {
        char request[4096];
        const int client = accept(listener, NULL, NULL);

        if (client < 0 || recv(client, request, sizeof request, 0) <= 0 ||
            send(client, answer, bytes, MSG_NOSIGNAL) != (ssize_t)bytes)
            _exit(1);
        (void)shutdown(client, SHUT_WR);
        while (recv(client, request, sizeof request, 0) > 0)
            ;
        (void)close(client);
    }
    _exit(0);
}

static pid_t
start_server(const char *answer, size_t size, char *ret_url, size_t url_size)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
    socklen_t length = sizeof address;
    const int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    pid_t child;

    assert_true(listener >= 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(listener, 8), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &length), 0);
    (void)snprintf(ret_url, url_size, "http://127.0.0.1:%u/", (unsigned)ntohs(address.sin_port));
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        serve(listener, answer, size);
    (void)close(listener);
    return child;
}

static void
expect_whole_at(const char *answer, size_t size, size_t whole, enum http_method method)
{
    const struct http_options options = {.plain = true};
    struct http_request request = {.method = method};
    struct http *http = NULL;
    struct http_exchange *exchange;
    struct err err;
    char url[64];
    const pid_t server = start_server(answer, size, url, sizeof url);
    int status = -1;

    request.url = url;
    assert_true(http_new(&options, &http, &err));
    exchange = http_exchange_new(http);
    assert_non_null(exchange);
    for (size_t bytes = 0; bytes <= size; bytes++) {
        assert_true(http_run(exchange, &request, &err));
        if (exchange->answer.failure != (bytes < whole ? HTTP_LOST : HTTP_ANSWERED))
            fail_msg("%zu of %zu bytes: %d", bytes, size, (int)exchange->answer.failure);
        assert_int_equal(exchange->answer.failure == HTTP_LOST, exchange->answer.why.transient);
    }
    http_exchange_free(exchange);
    http_free(http);
    assert_int_equal(waitpid(server, &status, 0), server);
    assert_int_equal(status, 0);
}

static void
an_answer_cut_at_any_byte_is_lost(void **state)
{
    (void)state;
    expect_whole_at(with_body, sizeof with_body - 1, sizeof with_body - 1, HTTP_GET);
    expect_whole_at(without_body, sizeof without_body - 1, sizeof without_body - 1, HTTP_DELETE);
    expect_whole_at(after_interim, sizeof after_interim - 1, sizeof after_interim - 1, HTTP_DELETE);
}

/** libcurl calls it a protocol that it does not know; the request was carried out for all that. */
static void
an_answer_that_is_not_http_is_lost(void **state)
{
    static const char strange[] = "HTUP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";

    (void)state;
    expect_whole_at(strange, sizeof strange - 1, sizeof strange, HTTP_DELETE);
}

static void
chunks_cut_at_any_byte_are_lost(void **state)
{
    (void)state;
    /* libcurl does without the very last byte, which tells nothing */
    expect_whole_at(in_chunks, sizeof in_chunks - 1, sizeof in_chunks - 2, HTTP_GET);
}

/** That is no lost connection, which would be tried again for half a minute. */
static void
an_answer_for_which_there_is_no_memory_is_our_own_failure(void **state)
{
    const struct http_options options = {.plain = true};
    struct http_request request = {.method = HTTP_GET};
    struct http *http = NULL;
    struct http_exchange *exchange;
    struct err err;
    char url[64];
    const pid_t server = start_server(with_body, sizeof with_body - 1, url, sizeof url);
    bool ran;
    int status = -1;

    (void)state;
    request.url = url;
    assert_true(http_new(&options, &http, &err));
    exchange = http_exchange_new(http);
    assert_non_null(exchange);
    for (size_t bytes = 0; bytes < sizeof with_body - 1; bytes++)
        assert_true(http_run(exchange, &request, &err));
    http_exchange_free(exchange); /* with the memory of its body */
    exchange = http_exchange_new(http);
    assert_non_null(exchange);
    memory_is_out = true;
    ran = http_run(exchange, &request, &err);
    memory_is_out = false;
    assert_true(ran);
    assert_int_equal(exchange->answer.failure, HTTP_LOST);
    assert_int_equal(exchange->answer.why.code, ERR_INTERNAL);
    assert_string_equal(exchange->answer.why.primary, "out of memory");
    assert_false(exchange->answer.why.transient);
    http_exchange_free(exchange);
    http_free(http);
    assert_int_equal(waitpid(server, &status, 0), server);
    assert_int_equal(status, 0);
}

int
main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_cut_at_any_byte_is_lost),
        cmocka_unit_test(an_answer_that_is_not_http_is_lost),
        cmocka_unit_test(chunks_cut_at_any_byte_are_lost),
        cmocka_unit_test(an_answer_for_which_there_is_no_memory_is_our_own_failure),
    };

    (void)signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
