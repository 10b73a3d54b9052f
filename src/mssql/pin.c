#include "pin.h"

#include "base/file.h"
#include "tls_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { MAX_FILE = 64 * 1024, VERSION_3 = 2 };

static const char PEM_MARK[] = "-----BEGIN";

static bool
refuse(struct err *err, const char *why)
{
    ERR_clear_error();
    (void)err_set(err, ERR_USAGE, "-J: %s", why);
    return err_hint(err,
                    "Give the server's own certificate, one in the file, as PEM or DER. To "
                    "trust an authority, or a server's certificate that is one, use --cacert.");
}

/** The only certificate of a PEM text, or NULL. */
static X509 *
read_pem(BIO *bio)
{
    X509 *first = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    X509 *second = first == NULL ? NULL : PEM_read_bio_X509(bio, NULL, NULL, NULL);

    if (second == NULL)
        return first;
    X509_free(first);
    X509_free(second);
    return NULL;
}

/** A DER certificate that fills the file, or NULL. */
static X509 *
read_der(BIO *bio)
{
    X509 *certificate = d2i_X509_bio(bio, NULL);

    if (certificate != NULL && BIO_pending(bio) > 0) {
        X509_free(certificate);
        certificate = NULL;
    }
    return certificate;
}

static X509 *
read_certificate(const char *bytes, size_t size)
{
    BIO *bio = BIO_new_mem_buf(bytes, (int)size);
    const bool pem = memmem(bytes, size, PEM_MARK, sizeof PEM_MARK - 1) != NULL;
    X509 *certificate = bio == NULL ? NULL : pem ? read_pem(bio) : read_der(bio);

    BIO_free(bio);
    return certificate;
}

static bool
to_pem(X509 *certificate, char **ret, size_t *ret_size)
{
    BIO *bio = BIO_new(BIO_s_mem());
    char *bytes = NULL;
    long size = 0;
    bool ok = bio != NULL && PEM_write_bio_X509(bio, certificate) == 1;

    if (ok)
        size = BIO_get_mem_data(bio, &bytes);
    ok = ok && size > 0 && (*ret = malloc((size_t)size)) != NULL;
    if (ok) {
        memcpy(*ret, bytes, (size_t)size);
        *ret_size = (size_t)size;
    }
    BIO_free(bio);
    return ok;
}

static bool
check(X509 *certificate, const char *host, struct err *err)
{
    /* A trusted one of version 1 counts as an authority for the TLS library. */
    if (X509_check_ca(certificate) != 0 || X509_get_version(certificate) != VERSION_3)
        return refuse(err, "the certificate is an authority's, or could be used as one: it would "
                           "accept every server that it signs");
    if (X509_check_host(certificate, host, 0, 0, NULL) == 1 ||
        X509_check_ip_asc(certificate, host, 0) == 1)
        return true;
    ERR_clear_error();
    (void)err_set(err, ERR_USAGE, "-J: the certificate is not made out for %s", host);
    return err_hint(err, "Use the server's name as the certificate has it, or pass that name "
                         "with -F.");
}

bool
pin_parse(const void *bytes, size_t size, const char *host, char **ret_pem, size_t *ret_size,
          struct err *err)
{
    X509 *certificate;
    bool ok;

    if (!library_load(&tls_library, err))
        return false;
    if (size == 0 || size > MAX_FILE)
        return refuse(err, "the file holds no certificate");
    certificate = read_certificate(bytes, size);
    if (certificate == NULL)
        return refuse(err, "the file does not hold exactly one certificate");
    ok = check(certificate, host, err);
    if (ok && !to_pem(certificate, ret_pem, ret_size))
        ok = err_set(err, ERR_INTERNAL, "out of memory");
    X509_free(certificate);
    return ok;
}

bool
pin_open(const char *file, const char *host, int *ret_fd, char ret_path[PIN_PATH_BYTES],
         struct err *err)
{
    char *bytes = NULL, *pem = NULL;
    size_t size = 0, pem_size = 0;
    bool ok;
    int fd;

    if (!file_read(file, MAX_FILE, &bytes, &size, err)) {
        err->code = ERR_USAGE;
        return err_wrap(err, "-J");
    }
    ok = pin_parse(bytes, size, host, &pem, &pem_size, err);
    free(bytes);
    if (!ok)
        return false;
    fd = memfd_create("dwclean-certificate", MFD_CLOEXEC);
    ok = fd >= 0 && file_write_all(fd, pem, pem_size, "the certificate in memory", err);
    free(pem);
    if (!ok) {
        if (fd >= 0)
            (void)close(fd);
        return err_set(err, ERR_CONNECT, "could not keep the server's certificate in memory");
    }
    (void)snprintf(ret_path, PIN_PATH_BYTES, "/proc/self/fd/%d", fd);
    *ret_fd = fd;
    return true;
}
