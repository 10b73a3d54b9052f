/**
 * Which way to sign in to Dataverse was asked for.
 *
 * The strongest source that names one decides; two of the same source contradict each other. Of the
 * variables AZURE_* the first one counts, in the order of azure-identity: secret, certificate,
 * workload identity. When nothing is named, IDENTITY_ENDPOINT and IDENTITY_HEADER, which the
 * platform sets, mean the managed identity, and AZURE_TOKEN_CREDENTIALS may ask for it or for the
 * Azure CLI. Nobody is signed in as whoever happens to be known to this machine.
 */
#ifndef CONFIG_SIGN_IN_H
#define CONFIG_SIGN_IN_H

#include "base/err.h"
#include "config/settings.h"

#include <stdbool.h>

enum sign_in_kind {
    SIGN_IN_SECRET,      /* client id and secret */
    SIGN_IN_CERTIFICATE, /* client id, and a key with its certificate */
    SIGN_IN_FEDERATED,   /* client id, and an assertion in a file (workload identity) */
    SIGN_IN_IDENTITY,    /* managed identity; a client id chooses one */
    SIGN_IN_COMMAND,     /* a command writes a token */
    SIGN_IN_TOKEN_FILE,
    SIGN_IN_TOKEN,
    SIGN_IN_DEVICE_CODE, /* client id, and a person with a browser */
};

struct sign_in {
    enum sign_in_kind kind;
    enum option_id option; /* that names it; OPTIONS = none does */
    const char *source;  /* "argv", "variable AZURE_CLIENT_SECRET", ...; NULL = a prompt is left */
    const char *command; /* of SIGN_IN_COMMAND */
};

/** "client secret", "managed identity", ... */
const char *sign_in_name(enum sign_in_kind kind);

/** ERR_USAGE, or ERR_CONFIG when it is not the command line's fault. Also when there is no client
 * id and the way wants one; `leave_out` is a hint how to do without Dataverse ("" = none). */
MUST_CHECK bool sign_in_choose(const struct settings *settings, const char *leave_out,
                               struct sign_in *ret, struct err *err);

#endif
