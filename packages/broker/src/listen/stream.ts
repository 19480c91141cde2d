// Joins a Node stream to the broker: bytes in, writes out, backpressure both ways. What is thrown on the way ends this stream.

import type { Duplex } from "node:stream"
import type { Connection } from "../client/connection.ts"
import type { Broker } from "../hub/broker.ts"
import type { PeerInfo, Sink } from "../ports/peer.ts"
import { Boundary, type OnFault } from "./boundary.ts"

/** Milliseconds that a peer has to take the last bytes and close; then the stream is destroyed. */
const lingerMilliseconds = 1000
/** One that is sending does not look: each so many bytes begin that time anew, but for no longer than this. */
const sendingBytes = 16_384
const longestLinger = 5000

/**
 * What a stream has of the bytes that it was given, when nothing waits in it. A TLS socket has made records of them as soon as
 * it was given them, a TCP socket has copied them when it has taken all; another stream may hand on the very same memory.
 */
export type Taking = "seals" | "copies" | "keeps"

/** Serves MQTT on `stream`. The stream is destroyed when the connection ends. */
export function attachStream(
  broker: Broker,
  stream: Duplex,
  peer: PeerInfo,
  onFault: OnFault,
  taking: Taking = "keeps",
): void {
  let linger: NodeJS.Timeout[] = []
  let dropped = 0
  let attached: Connection | undefined
  const boundary = new Boundary(onFault, peer.address, () => {
    stream.destroy()
    attached?.abandon()
  })
  let keeps = true
  const sink: Sink = {
    write: (chunks) =>
      boundary.run(() => {
        keeps = true
        const isFree = stream.writableLength === 0
        let more = true
        if (chunks.length === 1) more = stream.write(chunks[0])
        else {
          stream.cork() // one writev, one TLS flight
          for (const chunk of chunks) more = stream.write(chunk)
          stream.uncork()
        }
        keeps = !(taking === "seals" ? isFree : taking === "copies" && stream.writableLength === 0)
        return more
      }, false),
    get keeps() {
      return keeps
    },
    end: boundary.handler(() => {
      // It has ended of itself: nothing is to be told any more, and no timer may hold it.
      if (stream.destroyed) return
      stream.end()
      stream.resume() // what the peer still sends is thrown away, so that its end can be seen
      linger = [lingerMilliseconds, longestLinger].map((time) => setTimeout(() => stream.destroy(), time).unref())
    }),
    destroy: boundary.handler(() => stream.destroy()),
    pause: boundary.handler(() => stream.pause()),
    resume: boundary.handler(() => stream.resume()),
  }
  // First of all: an error that nobody listens for would end the process.
  let failure = ""
  stream.on(
    "error",
    boundary.handler((error: Error) => {
      failure = "connection failed"
      failure = describe(error)
    }),
  )
  const lingerOn = (bytes: number) => {
    dropped += bytes
    if (dropped < sendingBytes) return
    dropped = 0
    linger[0]?.refresh()
  }
  const connection = boundary.run(() => broker.accept(peer, sink, broker.now()), undefined)
  if (connection === undefined) return
  attached = connection
  stream.on(
    "data",
    boundary.handler((chunk: Uint8Array) => {
      if (linger.length > 0) lingerOn(chunk.length)
      connection.receive(chunk, broker.now())
    }),
  )
  stream.on(
    "drain",
    boundary.handler(() => connection.drained(broker.now())),
  )
  const closed = boundary.handler((reason: string) => connection.transportClosed(broker.now(), reason))
  stream.on("end", () => closed("connection closed by the client"))
  stream.on(
    "close",
    boundary.handler(() => {
      linger.forEach(clearTimeout)
      closed(failure === "" ? "connection closed" : failure)
    }),
  )
}

/** A fixed text for each kind of failure, so that it can be counted. */
function describe(error: Error): string {
  const code = "code" in error && typeof error.code === "string" ? error.code : ""
  switch (code) {
    case "ECONNRESET":
      return "connection reset by the client"
    case "EPIPE":
      return "connection closed while sending"
    case "ERR_TLS_CLOSED":
      return "connection closed without TLS close_notify"
    case "ETIMEDOUT":
      return "connection timed out"
    default:
      // A client chooses the number of its alert.
      if (code.startsWith("ERR_TLS_PEER_")) return "connection ended by a TLS alert of the client"
      return code === "" ? "connection failed" : `connection failed (${code})`
  }
}
