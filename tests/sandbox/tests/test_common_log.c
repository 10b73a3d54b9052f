#include "../../support/test.h"
#include "common/log.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static cJSON *
only_line(struct sandbox_log *log)
{
    size_t bytes = 0;
    char *text = sandbox_log_text(log, &bytes);
    assert_non_null(text);
    assert_int_equal(bytes, strlen(text));
    assert_ptr_equal(strchr(text, '\n'), text + bytes - 1);
    cJSON *line = cJSON_Parse(text);
    assert_non_null(line);
    free(text);
    return line;
}

static void
a_line_is_one_json_object_with_its_fields(void **state)
{
    (void)state;
    struct sandbox_log *log = sandbox_log_new(NULL);
    sandbox_log_add(log, "batch", 51, "sql", "SELECT 1", "user", "dwclean", NULL);
    cJSON *line = only_line(log);
    assert_string_equal(cJSON_GetObjectItem(line, "kind")->valuestring, "batch");
    assert_string_equal(cJSON_GetObjectItem(line, "sql")->valuestring, "SELECT 1");
    assert_string_equal(cJSON_GetObjectItem(line, "user")->valuestring, "dwclean");
    assert_true(cJSON_GetObjectItem(line, "session")->valuedouble == 51);
    assert_true(cJSON_GetObjectItem(line, "seq")->valuedouble == 1);
    cJSON_Delete(line);
    sandbox_log_free(log);
}

static void
any_bytes_become_valid_json(void **state)
{
    (void)state;
    struct sandbox_log *log = sandbox_log_new(NULL);
    sandbox_log_add(log, "x", 1, "v", "a\"b\\c\n\t\x1b[1m\x7f \xC3\xBC \xF0\x9F\x9A\x80 \xFF\xC3",
                    "null", (const char *)NULL, NULL);
    cJSON *line = only_line(log);
    assert_string_equal(
        cJSON_GetObjectItem(line, "v")->valuestring,
        "a\"b\\c\n\t\x1b[1m\x7f \xC3\xBC \xF0\x9F\x9A\x80 \xEF\xBF\xBD\xEF\xBF\xBD");
    assert_string_equal(cJSON_GetObjectItem(line, "null")->valuestring, "");
    cJSON_Delete(line);
    sandbox_log_free(log);
}

static void *
add_hundred(void *log)
{
    for (int i = 0; i < 100; i++)
        sandbox_log_add(log, "x", i, "v", "some text", NULL);
    return NULL;
}

static void
threads_do_not_mix_lines(void **state)
{
    (void)state;
    struct sandbox_log *log = sandbox_log_new(NULL);
    pthread_t threads[4];
    int lines = 0;
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_hundred, log), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    char *text = sandbox_log_text(log, NULL);
    char *save = NULL;
    for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
        cJSON *json = cJSON_Parse(line);
        assert_non_null(json);
        assert_true(cJSON_GetObjectItem(json, "seq")->valuedouble == ++lines);
        cJSON_Delete(json);
    }
    assert_int_equal(lines, 400);
    free(text);
    sandbox_log_free(log);
}

static long
size_of(const char *path)
{
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    assert_int_equal(fseek(file, 0, SEEK_END), 0);
    long size = ftell(file);
    (void)fclose(file);
    return size;
}

static void
clear_empties_the_record_and_the_file(void **state)
{
    (void)state;
    char path[] = "/tmp/sandbox-log-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    (void)close(fd);
    struct sandbox_log *log = sandbox_log_new(path);
    size_t bytes = 0;
    sandbox_log_add(log, "x", 1, NULL);
    assert_true(size_of(path) > 0);
    sandbox_log_clear(log);
    char *text = sandbox_log_text(log, &bytes);
    assert_string_equal(text, "");
    assert_int_equal(size_of(path), 0);
    sandbox_log_add(log, "y", 2, NULL);
    free(text);
    text = sandbox_log_text(log, &bytes);
    assert_int_equal(size_of(path), bytes);
    free(text);
    sandbox_log_free(log);
    (void)unlink(path);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_one_json_object_with_its_fields),
        cmocka_unit_test(any_bytes_become_valid_json),
        cmocka_unit_test(threads_do_not_mix_lines),
        cmocka_unit_test(clear_empties_the_record_and_the_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
