// Joins a Node stream to the broker: bytes in, writes out, backpressure both ways.

import type { Duplex } from "node:stream"
import type { Broker } from "../broker.ts"
import type { PeerInfo, Sink } from "./peer.ts"

/** Milliseconds a peer has to take the last bytes and close; then the stream is destroyed. */
const lingerMilliseconds = 1000

/** Serves MQTT on `stream`. The stream is destroyed when the connection ends. */
export function attachStream(broker: Broker, stream: Duplex, peer: PeerInfo): void {
  let linger: NodeJS.Timeout | undefined
  const sink: Sink = {
    write(chunks) {
      if (chunks.length === 1) return stream.write(chunks[0])
      stream.cork() // one writev, one TLS flight
      let more = true
      for (const chunk of chunks) more = stream.write(chunk)
      stream.uncork()
      return more
    },
    end() {
      stream.end()
      stream.resume() // what the peer still sends is thrown away, so that its end can be seen
      linger = setTimeout(() => stream.destroy(), lingerMilliseconds)
      linger.unref()
    },
    destroy: () => stream.destroy(),
    pause: () => stream.pause(),
    resume: () => stream.resume(),
  }
  const connection = broker.accept(peer, sink, broker.now())
  if (connection === undefined) {
    stream.on("error", () => undefined) // destroyed above; nobody is left to tell
    return
  }
  let failure = ""
  stream.on("data", (chunk: Uint8Array) => connection.receive(chunk, broker.now()))
  stream.on("drain", () => connection.drained(broker.now()))
  stream.on("error", (error: Error) => {
    failure = describe(error)
  })
  stream.on("end", () => connection.transportClosed(broker.now(), "connection closed by the client"))
  stream.on("close", () => {
    clearTimeout(linger)
    connection.transportClosed(broker.now(), failure === "" ? "connection closed" : failure)
  })
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
