#include "../../../src/dataverse/batch_body.h"
#include "test.h"

#include <stdio.h>
#include <string.h>

#define KEY "6a6b2b9e-0c1f-4d3e-9a70-1c2d3e4f5a6b"
#define BOUNDARY "batch_0a1b2c3d-0c1f-4d3e-9a70-1c2d3e4f5a6b"

static const struct batch_form dataverse = {
    .boundary = BOUNDARY, .root = "/api/data/v9.2/", .quoted = true};

static struct batch_operation
delete_row(const char *key, const char *etag)
{
    return (struct batch_operation){
        .method = BATCH_DELETE, .set = "msdyn_configs", .key = key, .if_match = etag};
}

static void
a_delete_is_written_as_the_documentation_shows(void **state)
{
    static const char expected[] = "--" BOUNDARY "\r\n"
                                   "Content-Type: application/http\r\n"
                                   "Content-Transfer-Encoding: binary\r\n"
                                   "\r\n"
                                   "DELETE /api/data/v9.2/msdyn_configs(" KEY ") HTTP/1.1\r\n"
                                   "Accept: application/json\r\n"
                                   "If-Match: W/\"123\"\r\n"
                                   "\r\n"
                                   "\r\n"
                                   "--" BOUNDARY "--\r\n";
    const struct batch_operation operation = delete_row(KEY, "W/\"123\"");
    TEXT_SCOPED text = {0};
    struct err err = {0};

    (void)state;
    assert_true(batch_body_write(&dataverse, &operation, 1, &text, &err));
    assert_string_equal(text_string(&text), expected);
}

static void
each_method_has_its_own_lines(void **state)
{
    static const char document[] = "{\"a\":1}";
    const struct slice json = slice_of_string(document);
    const struct batch_operation operations[] = {
        {.method = BATCH_GET, .set = "s", .key = KEY, .select = "sid"},
        {.method = BATCH_PATCH, .set = "s", .key = KEY, .only_new = true, .document = json},
        {.method = BATCH_POST, .set = "s", .document = json},
    };
    const struct batch_form form = {.boundary = "b", .root = "", .content_ids = true};
    TEXT_SCOPED text = {0};
    struct err err = {0};

    (void)state;
    assert_true(batch_body_write(&form, operations, 3, &text, &err));
    assert_non_null(strstr(text_string(&text), "Content-ID: 1\r\n\r\nGET s(" KEY ")?$select=sid "
                                               "HTTP/1.1\r\nAccept: application/json\r\n\r\n\r\n"));
    assert_non_null(strstr(text_string(&text),
                           "Content-ID: 2\r\n\r\nPATCH s(" KEY ") HTTP/1.1\r\n"
                           "Accept: application/json\r\nIf-None-Match: *\r\n"
                           "Content-Type: application/json\r\n\r\n{\"a\":1}\r\n--b\r\n"));
    assert_non_null(strstr(text_string(&text),
                           "Content-ID: 3\r\n\r\nPOST s HTTP/1.1\r\nAccept: application/json\r\n"
                           "Content-Type: application/json\r\n\r\n{\"a\":1}\r\n--b--\r\n"));
}

static void
the_boundary_is_quoted_or_not(void **state)
{
    struct batch_form form = dataverse;
    char type[BATCH_TYPE_BYTES];

    (void)state;
    batch_content_type(&form, type);
    assert_string_equal(type, "multipart/mixed; boundary=\"" BOUNDARY "\"");
    form.quoted = false;
    batch_content_type(&form, type);
    assert_string_equal(type, "multipart/mixed; boundary=" BOUNDARY);
}

static void
refuse(const struct batch_form *form, const struct batch_operation *operation,
       enum err_code expected)
{
    TEXT_SCOPED text = {0};
    struct err err = {0};

    assert_false(batch_body_write(form, operation, 1, &text, &err));
    assert_int_equal(err.code, expected);
    assert_int_equal(text.used, 0);
}

static void
no_key_and_no_version_can_end_its_line(void **state)
{
    static const char *const keys[] = {
        "1\r\nIf-Match: *", "1\n", "a'b", "a\"b", "a)b", "a/b", "a b", "a?b=", "", "\xc3\xa9"};
    static const char *const etags[] = {"W/\"1\"\r\nX: y",  "W/\"1\n2\"", "*",
                                        "W/\"1\", W/\"2\"", "W/\"1",      "1"};

    (void)state;
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const struct batch_operation operation = delete_row(keys[i], "W/\"1\"");

        refuse(&dataverse, &operation, keys[i][0] ? ERR_SCHEMA : ERR_INTERNAL);
    }
    for (size_t i = 0; i < sizeof etags / sizeof etags[0]; i++) {
        const struct batch_operation operation = delete_row(KEY, etags[i]);

        refuse(&dataverse, &operation, ERR_SCHEMA);
    }
}

/** Every byte, in every place that a value from outside goes to. */
static void
no_byte_of_a_key_or_version_starts_another_line(void **state)
{
    (void)state;
    for (int byte = 1; byte < 256; byte++) {
        char key[] = "a?b";
        char etag[] = "W/\"1?2\"";
        struct batch_operation operation = delete_row(key, etag);
        TEXT_SCOPED text = {0};
        struct err err;
        size_t lines = 0;

        key[1] = (char)byte;
        etag[4] = (char)byte;
        if (batch_body_write(&dataverse, &operation, 1, &text, &err)) {
            for (const char *at = text_string(&text); *at; at++)
                lines += *at == '\n' || *at == '\r';
            assert_int_equal(lines, 2 * 10);
        }
    }
}

static void
a_document_cannot_end_its_part(void **state)
{
    static const char hostile[] = "{\"a\":1}\r\n--" BOUNDARY "--\r\n";
    struct batch_operation operation = {
        .method = BATCH_POST, .set = "s", .document = slice_of_string(hostile)};

    (void)state;
    refuse(&dataverse, &operation, ERR_SCHEMA);
    operation.document = slice_of("{\0}", 3);
    refuse(&dataverse, &operation, ERR_SCHEMA);
}

static void
what_contradicts_itself_is_refused(void **state)
{
    struct batch_operation operation = delete_row(KEY, "W/\"1\"");
    struct batch_form form = dataverse;

    (void)state;
    operation.method = BATCH_POST;
    refuse(&dataverse, &operation, ERR_INTERNAL);
    operation.method = BATCH_PATCH;
    refuse(&dataverse, &operation, ERR_INTERNAL);
    operation.document = slice_of_string("{}");
    operation.only_new = true;
    refuse(&dataverse, &operation, ERR_INTERNAL);
    operation = delete_row(KEY, NULL);
    operation.select = "a";
    refuse(&dataverse, &operation, ERR_INTERNAL);
    operation = delete_row(KEY, NULL);
    operation.set = "a b";
    refuse(&dataverse, &operation, ERR_INTERNAL);
    operation.set = "a";
    form.boundary = "b\r\nX: y";
    refuse(&form, &operation, ERR_INTERNAL);
    form = dataverse;
    form.root = "/a b/";
    refuse(&form, &operation, ERR_INTERNAL);
}

static void
a_batch_has_one_to_a_thousand_operations(void **state)
{
    static struct batch_operation operations[BATCH_OPERATIONS_MAX + 1];
    TEXT_SCOPED text = {0};
    struct err err = {0};

    (void)state;
    for (size_t i = 0; i < sizeof operations / sizeof operations[0]; i++)
        operations[i] = delete_row(KEY, "\"1\"");
    assert_false(batch_body_write(&dataverse, operations, 0, &text, &err));
    assert_false(batch_body_write(&dataverse, operations, BATCH_OPERATIONS_MAX + 1, &text, &err));
    assert_true(batch_body_write(&dataverse, operations, BATCH_OPERATIONS_MAX, &text, &err));
    assert_true(text.used < (size_t)300 * 1024);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_delete_is_written_as_the_documentation_shows),
        cmocka_unit_test(each_method_has_its_own_lines),
        cmocka_unit_test(the_boundary_is_quoted_or_not),
        cmocka_unit_test(no_key_and_no_version_can_end_its_line),
        cmocka_unit_test(no_byte_of_a_key_or_version_starts_another_line),
        cmocka_unit_test(a_document_cannot_end_its_part),
        cmocka_unit_test(what_contradicts_itself_is_refused),
        cmocka_unit_test(a_batch_has_one_to_a_thousand_operations),
    };

    return cmocka_run_group_tests_name("dataverse/batch_body", tests, NULL, NULL);
}
