// A client's session as one Buffer, for the `session` event and option of node:tls. It holds a pre-shared key: keep it as
// one keeps a password.

import { copyOf } from "../../bytes/copy.ts"
import { Misuse } from "../../bytes/errors.ts"
import { Reader } from "../../bytes/reader.ts"
import { Writer } from "../../bytes/writer.ts"
import { decodeSession, encodeSession } from "../../session/serialize.ts"
import type { ClientSession, ClientSessionStore } from "../../session/session.ts"

export function encodeClientSession(session: ClientSession): Buffer {
  return Buffer.from(new Writer(512).vector16(session.ticket).vector24(encodeSession(session)).finish())
}

/** @throws Misuse for bytes that `encodeClientSession` did not make */
export function decodeClientSession(bytes: Uint8Array): ClientSession {
  try {
    const reader = new Reader(bytes, "session")
    const ticket = copyOf(reader.vector16("ticket"))
    const parameters = decodeSession(reader.vector24("parameters"))
    reader.expectEnd()
    if (parameters !== undefined) return { ticket, ...parameters }
  } catch {
    // The same answer as for a format of another version.
  }
  throw new Misuse("`session` is not one that `getSession()` or the `session` event gave")
}

/** Gives `first` once, and keeps what else is learned in `store`, when there is one. */
export function withSession(
  first: ClientSession | undefined,
  store: ClientSessionStore | undefined,
): ClientSessionStore {
  let unused = first
  return {
    take(key, now) {
      const session = unused ?? store?.take(key, now)
      unused = undefined
      return session
    },
    put(key, session) {
      store?.put(key, session)
    },
  }
}
