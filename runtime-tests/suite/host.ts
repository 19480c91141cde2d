// What a runtime lends to the suite. The suite itself names no API of any runtime: it runs where there is only a language.

import type { CompiledModules } from "@puremq/tls13/crypto/fast"

export interface Host {
  /** `length` bytes of a secure generator, not kept by it. */
  random(length: number): Uint8Array
  /** Milliseconds since 1970-01-01T00:00:00Z. */
  readonly now: number
  readonly certificates: Certificates
  /** The kernels, where the runtime compiles none at run time. */
  readonly modules?: CompiledModules
}

/** PEM texts. */
export interface Own {
  readonly cert: string
  readonly key: string
}

export interface Certificates {
  /** That of all but `stranger`. */
  readonly authority: string
  /** That of `stranger` alone. */
  readonly otherAuthority: string
  /** For `localhost` and `127.0.0.1`. */
  readonly server: Own
  /** The same, and it expired yesterday. */
  readonly expired: Own
  readonly client: Own
  /** A server's and a client's. */
  readonly stranger: Own
}

export interface Scenario {
  readonly name: string
  /** Throws when something is otherwise than it has to be. @returns what there is to say, if there is anything */
  run(host: Host): string | undefined
}
