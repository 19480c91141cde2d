// A connection that begins without TLS and turns to it when its protocol says so: STARTTLS of SMTP (RFC 3207), PostgreSQL's
// SSLRequest. The shape is that of the WinterTC Sockets API with `secureTransport: "starttls"`.

import { Misuse } from "../bytes/errors.ts"
import type { ByteStreams, TlsStreamSocket } from "./streams.ts"

export interface StartTlsSocket extends ByteStreams {
  readonly secureTransport: "starttls"
  /** Whether `startTls` has been called: reading and writing are those of its socket from then on. */
  readonly upgraded: boolean
  /**
   * TLS over the same streams from here on. The locks of `readable` and `writable` must have been released. Whatever was read
   * behind the peer's consent came in the clear, from anybody: end the connection then, and use none of it.
   * @throws Misuse when it was called before, or a stream is locked
   */
  startTls(): TlsStreamSocket
  /** Ends a connection that did not become TLS. */
  close(): Promise<void>
}

/** @param secure makes the socket of the streams, once */
export function startTlsOver(streams: ByteStreams, secure: (streams: ByteStreams) => TlsStreamSocket): StartTlsSocket {
  const { readable, writable } = streams
  let upgraded = false
  return {
    readable,
    writable,
    secureTransport: "starttls",
    get upgraded() {
      return upgraded
    },
    startTls() {
      if (upgraded) throw new Misuse("startTls was called before: use the socket that it gave")
      if (readable.locked || writable.locked)
        throw new Misuse("startTls: release the locks of `readable` and `writable` first (reader.releaseLock())")
      upgraded = true
      return secure(streams)
    },
    async close() {
      if (upgraded) throw new Misuse("close: this connection is TLS by now; close the socket that startTls gave")
      await Promise.all([readable.cancel(), writable.close()].map((end) => end.catch(() => undefined)))
    },
  }
}
