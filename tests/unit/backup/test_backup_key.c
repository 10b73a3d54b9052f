#include "../../../src/backup/crypt_file.h"
#include "backup/backup_set.h"
#include "backup_sample.h"
#include "base/file.h"
#include "scratch.h"

#include <sodium.h>
#include <unistd.h>
#include <zstd.h>

static const char hex_text[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
static const char base64_text[] = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
static const char other_text[] = "ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

enum { BIG = 1024 * 1024 };

static bool
parse(const char *text, struct backup_key *ret, struct err *err)
{
    SECRET_SCOPED secret = {0};

    return secret_set(&secret, text, strlen(text), err) && backup_key_parse(&secret, ret, err);
}

static struct backup_key
key_of(const char *text)
{
    struct backup_key key = {0};
    struct err err;

    assert_true(parse(text, &key, &err));
    return key;
}

static void
a_key_is_read_in_hex_and_in_base64(void **state)
{
    struct backup_key hex = key_of(hex_text), base64 = key_of(base64_text);
    struct backup_key other = key_of(other_text);

    (void)state;
    assert_memory_equal(secret_reveal(&hex.bytes), secret_reveal(&base64.bytes), BACKUP_KEY_BYTES);
    assert_string_equal(hex.id, base64.id);
    assert_string_not_equal(hex.id, other.id);
    assert_int_equal(strlen(hex.id), BACKUP_KEY_ID_BYTES - 1);
    backup_key_done(&hex);
    backup_key_done(&base64);
    backup_key_done(&other);
}

static void
what_is_no_key_is_refused_without_being_repeated(void **state)
{
    static const char *const texts[] = {
        "",
        "correct horse battery staple",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1g",
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f00",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHg==",
        "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=x",
    };

    (void)state;
    for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
        struct backup_key key = {0};
        struct err err;
        assert_false(parse(texts[i], &key, &err));
        assert_int_equal(err.code, ERR_CONFIG);
        if (*texts[i])
            assert_null(strstr(err.primary, texts[i]));
    }
}

/* ---- the stream, against libsodium's own functions */

struct bytes {
    unsigned char *data;
    size_t size;
};

static bool
collect(void *ctx, const void *bytes, size_t size, struct err *err)
{
    struct bytes *all = ctx;

    (void)err;
    assert_true(all->size + size <= (size_t)2 * BIG);
    memcpy(all->data + all->size, bytes, size);
    all->size += size;
    return true;
}

static struct bytes
encrypt_all(const struct crypt_with *with, const unsigned char *plain, size_t size)
{
    struct bytes all = {.data = malloc((size_t)2 * BIG)};
    struct crypt_writer *writer = NULL;
    struct err err;

    assert_non_null(all.data);
    assert_true(crypt_writer_new(with, (struct crypt_sink){&all, collect}, &writer, &err));
    for (size_t at = 0, step = 1; at < size; at += step, step = step * 3 + 1) {
        if (step > size - at)
            step = size - at;
        assert_true(crypt_writer_add(writer, plain + at, step, &err));
    }
    assert_true(crypt_writer_end(writer, &err));
    crypt_writer_free(writer);
    return all;
}

/** A temporary file that holds the bytes, at its beginning. */
static int
file_with(const unsigned char *data, size_t size)
{
    char path[] = "/tmp/dwclean-crypt-XXXXXX";
    const int fd = mkstemp(path);

    assert_true(fd >= 0);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(write(fd, data, size), (ssize_t)size);
    assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
    return fd;
}

/** Everything that can be read; false with the error of the first failure. */
static bool
decrypt(const struct crypt_with *with, const unsigned char *data, size_t size,
        unsigned char *ret_plain, size_t *ret_size, struct err *err)
{
    FILE_SCOPED fd = file_with(data, size);
    struct crypt_reader *reader = NULL;
    size_t got = 1;
    bool ok = crypt_reader_new(with, fd, "FILE", &reader, err);

    *ret_size = 0;
    while (ok && got > 0) {
        ok = crypt_reader_read(reader, ret_plain + *ret_size, 7919, &got, err);
        *ret_size += ok ? got : 0;
    }
    crypt_reader_free(reader);
    return ok;
}

static void
every_size_comes_back_and_libsodium_reads_it_too(void **state)
{
    static const size_t sizes[] = {0, 1, 65535, 65536, 65537, 131072, 200000};
    unsigned char *plain = malloc(BIG), *back = malloc(BIG);
    struct backup_key key = key_of(hex_text);
    const struct crypt_with with = {.key = &key, .purpose = "project"};

    (void)state;
    assert_non_null(plain);
    assert_non_null(back);
    randombytes_buf(plain, BIG);
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        struct bytes all = encrypt_all(&with, plain, sizes[i]);
        size_t size = 0;
        struct err err;

        assert_true(decrypt(&with, all.data, all.size, back, &size, &err));
        assert_int_equal(size, sizes[i]);
        assert_memory_equal(back, plain, size);

        /* the same by the documented layout, without our reader */
        crypto_secretstream_xchacha20poly1305_state stream;
        unsigned char tag = 0;
        size_t total = 0;
        assert_int_equal(crypto_secretstream_xchacha20poly1305_init_pull(
                             &stream, all.data, (const unsigned char *)secret_reveal(&key.bytes)),
                         0);
        for (size_t at = 24; at < all.size; at += 65553) {
            unsigned long long got = 0;
            const size_t piece = all.size - at < 65553 ? all.size - at : 65553;
            assert_int_equal(tag, 0);
            assert_int_equal(crypto_secretstream_xchacha20poly1305_pull(
                                 &stream, back + total, &got, &tag, all.data + at, piece,
                                 (const unsigned char *)"project", 7),
                             0);
            total += (size_t)got;
        }
        assert_int_equal(tag, crypto_secretstream_xchacha20poly1305_TAG_FINAL);
        assert_int_equal(total, sizes[i]);
        assert_memory_equal(back, plain, total);
        free(all.data);
    }
    backup_key_done(&key);
    free(plain);
    free(back);
}

static void
whatever_is_done_to_the_stream_is_found(void **state)
{
    unsigned char *plain = calloc(1, BIG), *back = malloc(BIG);
    struct backup_key key = key_of(hex_text), other = key_of(other_text);
    const struct crypt_with with = {.key = &key, .purpose = "project"};
    const struct crypt_with elsewhere = {.key = &key, .purpose = "field"};
    const struct crypt_with stranger = {.key = &other, .purpose = "project"};
    struct bytes all = encrypt_all(&with, plain, 150000);
    size_t size = 0;
    struct err err;

    (void)state;
    assert_true(decrypt(&with, all.data, all.size, back, &size, &err));
    assert_false(decrypt(&elsewhere, all.data, all.size, back, &size, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_false(decrypt(&stranger, all.data, all.size, back, &size, &err));
    for (size_t at = 0; at < all.size; at += 4999) { /* a byte of every part */
        all.data[at] ^= 1;
        assert_false(decrypt(&with, all.data, all.size, back, &size, &err));
        assert_int_equal(err.code, ERR_STORAGE);
        all.data[at] ^= 1;
    }
    for (size_t cut = 0; cut < all.size; cut += 7001) {
        assert_false(decrypt(&with, all.data, cut, back, &size, &err));
        assert_int_equal(err.code, ERR_STORAGE);
    }
    /* whole pieces cut off, and two that changed places */
    assert_false(decrypt(&with, all.data, 24 + 65553, back, &size, &err));
    unsigned char *swapped = malloc(all.size);
    assert_non_null(swapped);
    memcpy(swapped, all.data, all.size);
    memcpy(swapped + 24, all.data + 24 + 65553, 65553);
    memcpy(swapped + 24 + 65553, all.data + 24, 65553);
    assert_false(decrypt(&with, swapped, all.size, back, &size, &err));
    all.data[all.size] = 0; /* and one byte more */
    assert_false(decrypt(&with, all.data, all.size + 1, back, &size, &err));
    free(swapped);
    free(all.data);
    free(plain);
    free(back);
    backup_key_done(&key);
    backup_key_done(&other);
}

/* ---- a backup */

static bool
rows_of(const char *directory, const struct backup_key *key, size_t *ret_rows, struct err *err)
{
    struct backup_reader *reader = NULL;
    struct sample_check check = {0};
    const struct row_sink sink = {.ctx = &check, .take = sample_take};
    bool ok;

    assert_true(backup_reader_open(directory, key, &reader, err));
    assert_int_equal(backup_reader_rows(reader, TABLE_PROJECT), SAMPLE_ROWS);
    ok = backup_reader_rows_of(reader, TABLE_PROJECT, &sink, err);
    backup_reader_free(reader);
    *ret_rows = check.rows;
    return ok;
}

static void
an_encrypted_backup_is_read_back_with_its_key_alone(void **state)
{
    char place[PATH_MAX], where[PATH_MAX], path[PATH_MAX];
    struct backup_key key = key_of(hex_text), other = key_of(other_text);
    struct sample_check check = {0};
    const struct row_sink sink = {.ctx = &check, .take = sample_take};
    struct backup *backup = NULL;
    size_t rows = 0, size = 0;
    struct err err;

    (void)state;
    scratch_make(place);
    (void)scratch_path(place, "backup", where);
    assert_true(backup_set_new(where, "dwclean test", &key, &backup, &err));
    sample_write(backup);
    assert_true(backup->ops->read_back(backup, TABLE_PROJECT, &sink, &err));
    check = (struct sample_check){0};
    assert_true(backup->ops->read_back(backup, TABLE_RUNTIME, &sink, &err));
    assert_true(backup->ops->seal(backup, &err));
    backup_set_free(backup);

    assert_true(rows_of(where, &key, &rows, &err));
    assert_int_equal(rows, SAMPLE_ROWS);

    assert_false(rows_of(where, NULL, &rows, &err));
    assert_int_equal(err.code, ERR_STORAGE);
    assert_non_null(strstr(err.primary, key.id));
    assert_int_equal(rows, 0);
    assert_false(rows_of(where, &other, &rows, &err));
    assert_non_null(strstr(err.primary, other.id));

    /* no row can be read out of the file: there is no zstd frame in it */
    char *bytes = scratch_read(scratch_path(where, "project.ndjson.zst.enc", path), &size);
    assert_true(size > 24);
    assert_true(ZSTD_isError(ZSTD_findFrameCompressedSize(bytes, size)));
    assert_true(ZSTD_isError(ZSTD_findFrameCompressedSize(bytes + 24, size - 24)));
    free(bytes);
    scratch_remove(place);
    backup_key_done(&key);
    backup_key_done(&other);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_read_in_hex_and_in_base64),
        cmocka_unit_test(what_is_no_key_is_refused_without_being_repeated),
        cmocka_unit_test(every_size_comes_back_and_libsodium_reads_it_too),
        cmocka_unit_test(whatever_is_done_to_the_stream_is_found),
        cmocka_unit_test(an_encrypted_backup_is_read_back_with_its_key_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
