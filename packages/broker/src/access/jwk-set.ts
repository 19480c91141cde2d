// JSON Web Key Sets (RFC 7517) for JSON Web Tokens: which keys there are, and which one a token may be checked with.
//
// A key is good for one algorithm, which follows from what kind of key it is: oct HS256, RSA RS256, EC on P-256 ES256, OKP on
// Ed25519 EdDSA (RFC 7518, RFC 8037). What a token's header says chooses among keys and never what is done with one: so no
// public key is ever taken for a secret, and `none` names no key.

export type Algorithm = "HS256" | "RS256" | "ES256" | "EdDSA"

export interface VerificationKey {
  readonly kid: string | undefined
  readonly algorithm: Algorithm
  /** As it was given: for whoever imports it. */
  readonly jwk: Readonly<Record<string, unknown>>
  /** The same for equal keys. */
  readonly name: string
}

export interface KeySet {
  readonly keys: readonly VerificationKey[]
  /** Keys that are left out, and why: a sentence each. */
  readonly skipped: readonly string[]
}

/** UTF-16 units of a set's text, and its keys. */
export const maximumSetText = 262_144
export const maximumKeys = 100

export class KeySetError extends Error {
  constructor(message: string) {
    super(message)
    this.name = "KeySetError"
  }
}

/**
 * The keys of a set. Throws KeySetError when the text is none, or no key in it can be used.
 *
 * @param secrets whether there may be symmetric keys: in a file, and never in what the network brings
 */
export function readKeySet(text: string, secrets: boolean): KeySet {
  if (text.length > maximumSetText) throw new KeySetError(`it has more than ${maximumSetText} characters`)
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new KeySetError('it is no JSON; wanted is a JWK Set: {"keys": [{"kty": ...}]}')
  }
  const list = memberOf(value, "keys")
  if (!Array.isArray(list))
    throw new KeySetError('it has no list "keys"; wanted is a JWK Set: {"keys": [{"kty": ...}]}')
  if (list.length > maximumKeys) throw new KeySetError(`it has more than ${maximumKeys} keys`)
  const keys: VerificationKey[] = []
  const skipped: string[] = []
  for (const [at, each] of (list as readonly unknown[]).entries()) {
    const key = readKey(each, secrets)
    const kid = memberOf(each, "kid")
    if (typeof key !== "string") {
      // One key that is there twice is still one, and no question which is meant.
      if (!keys.some(({ name }) => name === key.name)) keys.push(key)
    } else skipped.push(`key ${at + 1}${typeof kid === "string" ? ` (${kid.slice(0, 60)})` : ""}: ${key}`)
  }
  if (keys.length === 0)
    throw new KeySetError(`no key in it can be used${skipped.length > 0 ? `: ${skipped.slice(0, 3).join("; ")}` : ""}`)
  return { keys, skipped }
}

/** A key, or why it is none. */
function readKey(value: unknown, secrets: boolean): VerificationKey | string {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is no JSON object"
  const jwk: Readonly<Record<string, unknown>> = { ...value }
  const [kid, use, operations] = [jwk["kid"], jwk["use"], jwk["key_ops"]]
  if (kid !== undefined && typeof kid !== "string") return "its kid is no text"
  if (use !== undefined && use !== "sig") return "it is not for signatures"
  if (Array.isArray(operations) && !operations.includes("verify")) return "it is not for verifying"
  const algorithm = algorithmOf(jwk)
  if (algorithm === undefined) return "its kind is none of oct, RSA, EC with P-256 and OKP with Ed25519"
  const said = jwk["alg"]
  // RFC 9864 has a name for what EdDSA is with this curve.
  const own = said === "Ed25519" && algorithm === "EdDSA"
  if (said !== undefined && said !== algorithm && !own)
    return `it is for ${String(said).slice(0, 20)}, not for ${algorithm}`
  if (algorithm === "HS256") {
    if (!secrets) return "a secret does not come over the network"
    if (lengthOf(jwk["k"]) < 32) return "a secret for HS256 has 32 bytes or more (RFC 7518 section 3.2)"
  } else if (jwk["d"] !== undefined) return "it is a private key, which belongs to whoever makes the tokens"
  if (algorithm === "RS256" && lengthOf(jwk["n"]) < 256)
    return "an RSA key has 2048 bits or more (RFC 7518 section 3.3)"
  if (algorithm === "RS256" && lengthOf(jwk["n"]) > 1024) return "an RSA key has 8192 bits at most"
  const members = ["kty", "crv", "k", "n", "e", "x", "y"].map((name) => String(jwk[name] ?? ""))
  return { kid, algorithm, jwk, name: `${kid ?? ""} ${members.join(" ")}` }
}

function algorithmOf({ kty, crv }: Readonly<Record<string, unknown>>): Algorithm | undefined {
  if (kty === "oct") return "HS256"
  if (kty === "RSA") return "RS256"
  if (kty === "EC" && crv === "P-256") return "ES256"
  return kty === "OKP" && crv === "Ed25519" ? "EdDSA" : undefined
}

/** Bytes of a text in base64url; 0: it is none. */
function lengthOf(value: unknown): number {
  return typeof value === "string" && /^[\w-]+$/.test(value) ? Math.floor((value.length * 3) / 4) : 0
}

/** What a token says of its key. */
export interface Wanted {
  readonly algorithm: Algorithm
  readonly kid: string | undefined
}

/** The key for it; a sentence says why there is none. */
export function keyFor({ keys }: KeySet, { algorithm, kid }: Wanted): VerificationKey | string {
  const fitting = keys.filter((key) => key.algorithm === algorithm && (kid === undefined || key.kid === kid))
  const [key] = fitting
  if (key === undefined) {
    const named = kid === undefined ? "" : ` named ${JSON.stringify(kid.slice(0, 60))}`
    return `there is no key for ${algorithm}${named}`
  }
  if (fitting.length > 1)
    return kid === undefined
      ? `the token names no key (kid), and there are ${fitting.length} for ${algorithm}`
      : `there are ${fitting.length} keys for ${algorithm} of that name`
  return key
}

const algorithms: ReadonlyMap<string, Algorithm> = new Map([
  ["HS256", "HS256"],
  ["RS256", "RS256"],
  ["ES256", "ES256"],
  ["EdDSA", "EdDSA"],
  ["Ed25519", "EdDSA"],
])

/** Longest token, in bytes; a longer one is no token. */
export const longestToken = 8192

/** True for what begins as a JSON Web Token does: three parts, and an object at the beginning. It may still be none. */
export function looksLikeToken(text: string): boolean {
  return text.startsWith("eyJ") && /^[\w-]+\.[\w-]+\.[\w-]*$/.test(text)
}

/** What the header of a token asks for; a sentence says why it cannot have it. It is believed only once its signature is right. */
export function wantedBy(token: string): Wanted | string {
  let header: unknown
  try {
    const bytes = Uint8Array.from(
      atob(token.slice(0, token.indexOf(".")).replaceAll("-", "+").replaceAll("_", "/")),
      (c) => c.charCodeAt(0),
    )
    header = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes))
  } catch {
    return "its header cannot be read"
  }
  const [alg, kid] = [memberOf(header, "alg"), memberOf(header, "kid")]
  if (kid !== undefined && typeof kid !== "string") return "its kid is no text"
  const algorithm = typeof alg === "string" ? algorithms.get(alg) : undefined
  if (algorithm === undefined)
    return `its algorithm is ${typeof alg === "string" ? JSON.stringify(alg.slice(0, 20)) : "not said"}, none of ${[...algorithms.keys()].join(", ")}`
  return { algorithm, kid }
}

/** Own members only. */
function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined
  return new Map<string, unknown>(Object.entries(value)).get(name)
}
