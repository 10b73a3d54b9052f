// check.mjs ASSERTION CERTIFICATE OTHER CLIENT AUDIENCE: is the assertion what RFC 7523 and Entra want?
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { errors, importX509, jwtVerify } from 'jose'

const [assertion, own, other, client, audience] = process.argv.slice(2)
const pem = readFileSync(own, 'utf8')
const key = await importX509(pem, 'PS256')
const wanted = {
  algorithms: ['PS256'],
  audience,
  issuer: client,
  subject: client,
  typ: 'JWT',
  maxTokenAge: 60,
  requiredClaims: ['jti', 'nbf', 'iat', 'exp'],
}
const { payload, protectedHeader } = await jwtVerify(assertion, key, wanted)
const thumbprint = Buffer.from(new X509Certificate(pem).fingerprint256.replaceAll(':', ''), 'hex')
assert.deepEqual(protectedHeader, { alg: 'PS256', typ: 'JWT', 'x5t#S256': thumbprint.toString('base64url') })
assert.equal(payload.exp - payload.iat, 300)
assert.equal(payload.nbf, payload.iat)
assert.match(payload.jti, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)

// The same judge refuses what is not right.
const stranger = await importX509(readFileSync(other, 'utf8'), 'PS256')
await assert.rejects(jwtVerify(assertion, stranger, wanted), errors.JWSSignatureVerificationFailed)
await assert.rejects(
  jwtVerify(assertion, key, { ...wanted, audience: `${audience}x` }),
  errors.JWTClaimValidationFailed,
)
await assert.rejects(
  jwtVerify(assertion, key, { ...wanted, currentDate: new Date((payload.exp + 1) * 1000) }),
  errors.JWTExpired,
)
console.log('jose accepts the assertion')
