// check.mjs ASSERTION CERTIFICATE OTHER CLIENT AUDIENCE ALGORITHM CHAIN: is the assertion what RFC 7523 and Entra want?
import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { errors, importX509, jwtVerify } from 'jose'

const [assertion, own, other, client, audience, algorithm, chain] = process.argv.slice(2)
const pem = readFileSync(own, 'utf8')
const key = await importX509(pem, algorithm)
const wanted = {
  algorithms: [algorithm],
  audience,
  issuer: client,
  subject: client,
  typ: 'JWT',
  maxTokenAge: 60,
  requiredClaims: ['jti', 'nbf', 'iat', 'exp'],
}
const { payload, protectedHeader } = await jwtVerify(assertion, key, wanted)
const certificate = new X509Certificate(pem)
const digits = (text) => Buffer.from(text.replaceAll(':', ''), 'hex').toString('base64url')
const expected = { alg: algorithm, typ: 'JWT' }
if (algorithm === 'RS256') expected.x5t = digits(certificate.fingerprint)
else expected['x5t#S256'] = digits(certificate.fingerprint256)
if (chain) {
  const blocks = readFileSync(chain, 'utf8').match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g)
  expected.x5c = blocks.map((block) => new X509Certificate(block).raw.toString('base64'))
  // Each one is proven to be issued by the next: the key that jose verified with stands first.
  const links = expected.x5c.map((text) => new X509Certificate(Buffer.from(text, 'base64')))
  assert.ok(links[0].raw.equals(certificate.raw))
  links.slice(1).forEach((issuer, i) => assert.ok(links[i].verify(issuer.publicKey)))
}
assert.deepEqual(protectedHeader, expected)
assert.equal(payload.exp - payload.iat, 300)
assert.equal(payload.nbf, payload.iat)
assert.match(payload.jti, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)

// The same judge refuses what is not right.
const stranger = await importX509(readFileSync(other, 'utf8'), algorithm)
await assert.rejects(jwtVerify(assertion, stranger, wanted), errors.JWSSignatureVerificationFailed)
await assert.rejects(
  jwtVerify(assertion, key, { ...wanted, audience: `${audience}x` }),
  errors.JWTClaimValidationFailed,
)
await assert.rejects(
  jwtVerify(assertion, key, { ...wanted, currentDate: new Date((payload.exp + 1) * 1000) }),
  errors.JWTExpired,
)
console.log(`jose accepts the assertion (${Object.keys(protectedHeader).join(', ')}; ${algorithm})`)
