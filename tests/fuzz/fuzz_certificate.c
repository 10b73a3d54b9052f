/* A key with its certificate, PEM or PKCS #12: the password in the first line, then the file. */
#include "config/secret_file.h"
#include "dataverse/client_certificate.h"
#include "fuzz.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

static void
load(const char *path, const struct secret *password)
{
    struct certificate_pair pair = {0};
    struct err err = {0};
    bool wants = false;
    if (!certificate_wants_password(path, &wants, &err))
        fuzz_must_say(&err);
    if (certificate_load(path, password, &pair, &err)) {
        FUZZ_MUST(pair.key && pair.certificate);
        FUZZ_MUST(EVP_PKEY_base_id(pair.key) == EVP_PKEY_RSA && EVP_PKEY_bits(pair.key) >= 2048);
        FUZZ_MUST(X509_check_private_key(pair.certificate, pair.key) == 1);
        FUZZ_MUST(!pair.others || sk_X509_num(pair.others) <= CERTIFICATES_MAX);
    } else {
        fuzz_must_say(&err);
        FUZZ_MUST(err.code == ERR_CONFIG);
    }
    certificate_done(&pair);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_input input = {data, size};
    const char *path = fuzz_path("certificate");
    char *text = fuzz_line(&input);
    SECRET_SCOPED password = {0}, secret = {0};
    struct err err = {0};

    FUZZ_MUST(!*text || secret_set(&password, text, strlen(text), &err));
    fuzz_write(path, input.at, input.left);
    load(path, &password);
    if (secret_file_read(path, &secret, &err))
        FUZZ_MUST(!strchr(secret_reveal(&secret), '\n') && *secret_reveal(&secret));
    else
        fuzz_must_say(&err);
    ERR_clear_error();
    free(text);
    return 0;
}
