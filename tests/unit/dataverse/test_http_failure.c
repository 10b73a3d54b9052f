/* What libcurl's failures mean: which of them may pass by themselves. */
#include "../../../src/dataverse/http_failure.h"
#include "test.h"

static struct http_answer
judge(CURLcode code, const char *reason, bool sent)
{
    struct http_answer answer = {0};
    CURL *easy = curl_easy_init();

    assert_non_null(easy);
    http_failure_judge(easy, code, reason, sent, &answer);
    curl_easy_cleanup(easy);
    return answer;
}

static void
a_handshake_that_breaks_off_may_work_later(void **state)
{
    static const char *const reasons[] = {
        "Recv failure: Connection reset by peer",
        "OpenSSL SSL_connect: Connection reset by peer in connection to localhost:1",
        "OpenSSL SSL_connect: SSL_ERROR_SYSCALL in connection to localhost:1",
        "error:0A000126:SSL routines::unexpected eof while reading",
        "Send failure: Broken pipe",
    };

    (void)state;
    for (size_t i = 0; i < sizeof reasons / sizeof reasons[0]; i++) {
        const struct http_answer answer = judge(CURLE_SSL_CONNECT_ERROR, reasons[i], false);

        assert_int_equal(answer.failure, HTTP_NOT_SENT);
        assert_int_equal(answer.why.code, ERR_CONNECT);
        assert_true(answer.why.transient);
    }
}

static void
who_speaks_no_tls_will_not_do_so_later(void **state)
{
    const struct http_answer answer =
        judge(CURLE_SSL_CONNECT_ERROR, "error:0A00010B:SSL routines::wrong version number", false);

    (void)state;
    assert_int_equal(answer.failure, HTTP_NOT_SENT);
    assert_int_equal(answer.why.code, ERR_TLS);
    assert_false(answer.why.transient);
}

static void
what_was_sent_is_lost_and_not_unsent(void **state)
{
    static const CURLcode codes[] = {CURLE_RECV_ERROR, CURLE_UNSUPPORTED_PROTOCOL,
                                     CURLE_WEIRD_SERVER_REPLY, CURLE_GOT_NOTHING};

    (void)state;
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        const struct http_answer answer = judge(codes[i], "", true);

        assert_int_equal(answer.failure, HTTP_LOST);
        assert_int_equal(answer.why.code, ERR_CONNECT);
        assert_true(answer.why.transient);
    }
    assert_int_equal(judge(CURLE_OUT_OF_MEMORY, "", true).failure, HTTP_LOST);
    assert_int_equal(judge(CURLE_OUT_OF_MEMORY, "", false).failure, HTTP_IMPOSSIBLE);
    assert_int_equal(judge(CURLE_UNSUPPORTED_PROTOCOL, "", false).failure, HTTP_IMPOSSIBLE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_handshake_that_breaks_off_may_work_later),
        cmocka_unit_test(who_speaks_no_tls_will_not_do_so_later),
        cmocka_unit_test(what_was_sent_is_lost_and_not_unsent),
    };

    return cmocka_run_group_tests_name("dataverse/http_failure", tests, NULL, NULL);
}
