// SCRAM-SHA-256 as a hostile client speaks it (RFC 5802, RFC 7677): independent of the code under test, and wrong where asked.

import { createHash, createHmac, pbkdf2Sync, randomBytes } from "node:crypto"
import { type Content, property, type Received, textProperty } from "./mqtt.ts"

export const scramMethod = "SCRAM-SHA-256"

/** RFC 7677 section 4: the fewest that there may be. */
const iterations = 4096

/** What `puremq passwd --scram` writes after the scrypt hash. */
export function scramKeys(password: string): string {
  const salt = randomBytes(16)
  const { clientKey, salted } = derived(password, salt, iterations)
  const keys = [sha256(clientKey), hmac(salted, "Server Key")].map((key) => key.toString("base64"))
  return `:SCRAM-SHA-256$${iterations}:${salt.toString("base64")}$${keys.join(":")}`
}

/** The properties of CONNECT and AUTH; without data: none of that kind. */
export function scramProperties(data: Content | undefined, method: Content = scramMethod): Uint8Array[] {
  const named = textProperty(property.authenticationMethod, method)
  return data === undefined ? [named] : [named, textProperty(property.authenticationData, data)]
}

export function clientFirst(user: string, nonce: string): string {
  return `n,,${bare(user, nonce)}`
}

/**
 * @param serverFirst what the broker has answered
 * @param known what was derived before: else each costs the client milliseconds
 */
export function clientFinal(
  user: string,
  password: string,
  nonce: string,
  serverFirst: string,
  known?: Map<string, Derived>,
): string {
  const [, combined = "", salt = "", count = ""] = /^r=([^,]+),s=([^,]+),i=(\d+)$/.exec(serverFirst) ?? []
  const { clientKey } = derived(password, Buffer.from(salt, "base64"), Number(count), known)
  const withoutProof = `c=biws,r=${combined}`
  const signature = hmac(sha256(clientKey), `${bare(user, nonce)},${serverFirst},${withoutProof}`)
  const proof = clientKey.map((byte, i) => byte ^ signature[i]!)
  return `${withoutProof},p=${Buffer.from(proof).toString("base64")}`
}

export function freshNonce(): string {
  return randomBytes(18).toString("base64")
}

function bare(user: string, nonce: string): string {
  return `n=${user.replaceAll("=", "=3D").replaceAll(",", "=2C")},r=${nonce}`
}

/** The Authentication Data of an AUTH of the broker; undefined: it has none. */
export function authenticationDataOf({ body }: Received): string | undefined {
  // Behind the Reason Code and a Property Length of one byte or two; it has properties of text alone.
  for (let at = (body[1] ?? 0) >= 0x80 ? 3 : 2; at + 3 <= body.length; ) {
    const end = at + 3 + body[at + 1]! * 256 + body[at + 2]!
    if (body[at] === property.authenticationData) return Buffer.from(body.subarray(at + 3, end)).toString("utf8")
    at = end
  }
  return undefined
}

/** What a client makes of its password. */
export interface Derived {
  readonly salted: Buffer
  readonly clientKey: Buffer
}

function derived(password: string, salt: Uint8Array, count: number, known?: Map<string, Derived>): Derived {
  const name = `${password} ${count} ${Buffer.from(salt).toString("base64")}`
  const before = known?.get(name)
  if (before !== undefined) return before
  const salted = pbkdf2Sync(password, salt, count, 32, "sha256")
  const all = { salted, clientKey: hmac(salted, "Client Key") }
  known?.set(name, all)
  return all
}

function hmac(key: Uint8Array, text: string): Buffer {
  return createHmac("sha256", key).update(text).digest()
}

function sha256(bytes: Uint8Array): Buffer {
  return createHash("sha256").update(bytes).digest()
}
