// SCRAM-SHA-256 on the client's side (RFC 5802, RFC 7677). It takes no count of iterations below the least of RFC 7677, with
// which a false server could make its search for the password cheap, and none that would keep it busy for minutes.

import { sha256 } from "@noble/hashes/sha2.js"
import { encodeText } from "../packet/bytes.ts"
import { toBase64 } from "./base64.ts"
import { equal } from "./password-file.ts"
import { saslprep } from "./saslprep.ts"
import {
  clientKeyOf,
  leastIterations,
  mostIterations,
  type Pbkdf2,
  serverKeyOf,
  signatureOf,
  xor,
} from "./scram-keys.ts"
import {
  clientFinalWithoutProof,
  clientFirstBare,
  parseServerFinal,
  parseServerFirst,
  ScramError,
} from "./scram-messages.ts"

const gs2Header = "n,,"

/** One exchange: `first`, `final`, `verify`, in this order. */
export class ScramClient {
  readonly #password: Uint8Array
  readonly #nonce: string
  readonly #bare: string
  readonly #pbkdf2: Pbkdf2
  #serverSignature: Uint8Array | undefined

  /** `nonce`: printable ASCII without comma, of at least 18 random bytes. Throws SaslprepError for what no name or password is. */
  constructor(user: string, password: string, nonce: string, pbkdf2: Pbkdf2) {
    this.#password = encodeText(saslprep(password, false))
    this.#nonce = nonce
    this.#bare = clientFirstBare(saslprep(user, false), nonce)
    this.#pbkdf2 = pbkdf2
  }

  /** The client-first-message. */
  first(): Uint8Array {
    return encodeText(gs2Header + this.#bare)
  }

  /** Answers the server-first-message. Rejects with ScramError. */
  async final(message: Uint8Array): Promise<Uint8Array> {
    const { nonce, salt, iterations, text } = parseServerFirst(message)
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw new ScramError("the server's nonce does not begin with ours, or adds nothing to it")
    if (iterations < leastIterations || iterations > mostIterations)
      throw new ScramError(`the server asks for ${iterations} iterations (${leastIterations} to ${mostIterations})`)
    const saltedPassword = await this.#pbkdf2(this.#password, salt, iterations)
    const withoutProof = clientFinalWithoutProof(gs2Header, nonce)
    const authMessage = `${this.#bare},${text},${withoutProof}`
    const clientKey = clientKeyOf(saltedPassword)
    const proof = xor(clientKey, signatureOf(sha256(clientKey), authMessage))
    this.#serverSignature = signatureOf(serverKeyOf(saltedPassword), authMessage)
    return encodeText(`${withoutProof},p=${toBase64(proof)}`)
  }

  /** Takes the server-final-message. Throws ScramError when it does not prove that the server knows the user. */
  verify(message: Uint8Array | undefined): void {
    const expected = this.#serverSignature
    if (message === undefined || expected === undefined || !equal(parseServerFinal(message), expected))
      throw new ScramError("the server does not prove that it knows the user")
  }
}
