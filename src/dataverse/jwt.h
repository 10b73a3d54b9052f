/** What a token or assertion says of itself. Nothing here proves it: who gets it does that. */
#ifndef DATAVERSE_JWT_H
#define DATAVERSE_JWT_H

#include <stdbool.h>
#include <stdint.h>

enum { JWT_NAME_BYTES = 320 };

struct jwt_claims {
    int64_t expires_s;             /* since 1970; 0 = not said */
    char audience[JWT_NAME_BYTES]; /* "" = not said, or not one text that fits */
};

/** Three parts of base64url with points between them? */
bool jwt_is_shaped(const char *text);

/** Read the claims. False when it is none that can be read: an opaque token. */
bool jwt_read(const char *text, struct jwt_claims *ret);

#endif
