/** Client assertions (RFC 7523) as Entra checks them: PS256 or RS256, thumbprint, aud, iss = sub,
 * times. */
#ifndef SANDBOX_DATAVERSE_ASSERTION_H
#define SANDBOX_DATAVERSE_ASSERTION_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/**
 * 0 when it holds; else the AADSTS number (700027 signature or certificate, 700021 iss/sub, 700023
 * aud, 700024 times, 50027 not a JWT).
 */
int dv_assertion_check(const char *jwt, const char *certificate_pem, const char *client_id,
                       const char *audience);

/** Does it name a certificate (x5t, x5t#S256)? A federated issuer's does not. */
bool dv_assertion_names_certificate(const char *jwt);

/** What a JWT claims, unproven; NULL when it is none. The caller frees. */
cJSON *dv_assertion_claims(const char *jwt);

/** Unpadded base64url; `ret` needs 4 bytes for each 3 and one more. */
void dv_base64url(const unsigned char *bytes, size_t count, char *ret, size_t size);

#endif
