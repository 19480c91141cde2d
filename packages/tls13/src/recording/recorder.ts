// Connections that are recorded: made as others are, over a configuration whose callbacks are taped, and with a tape around the
// calls that change them. Nothing of the core knows of it.

import { toHex } from "../bytes/hex.ts"
import { checkRange } from "../bytes/range.ts"
import { ClientConnection } from "../connection/client-connection.ts"
import type { Connection } from "../connection/connection.ts"
import type { Outcome } from "../connection/events.ts"
import type { ConnectionRecorder } from "../connection/recorder.ts"
import { ServerConnection } from "../connection/server-connection.ts"
import { formOf, tapedClient, tapedServer } from "./callbacks.ts"
import { headOf } from "./head.ts"
import { type Call, type CallName, thrownOf } from "./lines.ts"
import { toPlain } from "./plain.ts"
import { longestRecording } from "./read.ts"
import { type RecordingSink, Tape } from "./tape.ts"

/** Characters after which a recording ends, unless another limit is given. */
const usualLimit = 16 * 1_048_576

export interface RecorderOptions {
  /** Characters (bytes, as all is ASCII) of a recording, 4,096 to 67,108,864; default 16,777,216. What comes later is not in it. */
  readonly limit?: number | undefined
  /**
   * Whether what the application sends is recorded with its bytes; default true. false: only how many they are, and a replay sends
   * as many zeros. What the peer sends is recorded in any case, as nothing could be replayed without it.
   */
  readonly payload?: boolean | undefined
}

/**
 * Records each connection that it makes into a sink of its own. ALL SECRETS of a connection go there: who reads it reads
 * everything that was sent and received. For tests and for finding faults; see `redact` for what may be shown to others.
 * @param open gives the sink of one more connection; undefined: that one is not recorded
 * @throws Misuse for a limit out of range
 */
export function createRecorder(
  open: () => RecordingSink | undefined,
  { limit = usualLimit, payload = true }: RecorderOptions = {},
): ConnectionRecorder {
  checkRange(limit, [4096, longestRecording], "limit of a recorder")
  const tapeOf = (head: () => object): Tape | undefined => {
    const sink = open()
    if (sink === undefined) return undefined
    const tape = new Tape(sink, limit, payload)
    tape.write(head())
    return tape
  }
  return {
    client(config, now) {
      const tape = tapeOf(() => headOf(config, now))
      if (tape === undefined) return new ClientConnection(config, now)
      const connection = new ClientConnection(tapedClient(config, tape), now)
      const start = connection.start.bind(connection)
      connection.start = () => tape.call(connection, () => ({ do: "start" }), start)
      return taped(connection, tape, payload)
    },
    server(config, now) {
      const tape = tapeOf(() => headOf(config, now))
      if (tape === undefined) return new ServerConnection(config, now)
      const connection = new ServerConnection(tapedServer(config, tape), now)
      const request = connection.requestCertificate.bind(connection)
      connection.requestCertificate = () => tape.call(connection, () => ({ do: "requestCertificate" }), request)
      return taped(connection, tape, payload)
    },
  }
}

/** The calls of both roles. */
function taped<End extends Connection>(connection: End, tape: Tape, payload: boolean): End {
  const real = Object.getPrototypeOf(connection) as Connection
  const call = (line: () => Call, work: () => Outcome) => tape.call(connection, line, work)
  const sends = (name: CallName, bytes: Uint8Array, work: () => Outcome) =>
    tape.call(
      connection,
      () => ({ do: name, ...(payload ? { bytes: toHex(bytes) } : { length: bytes.length }) }),
      work,
      true,
    )
  const target: Connection = connection
  target.receive = (bytes, now, given) =>
    call(
      () => ({ do: "receive", now, bytes: toHex(bytes) }),
      () => real.receive.call(connection, bytes, now, given),
    )
  target.receiveEnd = (now) =>
    call(
      () => ({ do: "receiveEnd", now }),
      () => real.receiveEnd.call(connection, now),
    )
  target.answer = (value, now) => {
    const form = tape.decision && formOf(tape.decision, tape)
    return call(
      // What comes too late is erased, and makes no difference.
      () => ({ do: "answer", now, ...(form && { value: toPlain(form.plain(value)) }) }),
      () => real.answer.call(connection, form === undefined ? value : form.live(value), now),
    )
  }
  target.reject = (error, now) =>
    call(
      () => ({ do: "reject", now, error: thrownOf(error) }),
      () => real.reject.call(connection, error, now),
    )
  target.abandon = (reason, now, cause) =>
    call(
      () => ({ do: "abandon", now, reason }),
      () => real.abandon.call(connection, reason, now, cause),
    )
  target.abort = (alert, reason) =>
    call(
      () => ({ do: "abort", alert, ...(reason !== undefined && { reason }) }),
      () => real.abort.call(connection, alert, reason),
    )
  target.tick = (now) =>
    call(
      () => ({ do: "tick", now }),
      () => real.tick.call(connection, now),
    )
  target.send = (bytes) => sends("send", bytes, () => real.send.call(connection, bytes))
  target.sendEarlyData = (bytes) => sends("sendEarlyData", bytes, () => real.sendEarlyData.call(connection, bytes))
  target.sendHalfRtt = (bytes) => sends("sendHalfRtt", bytes, () => real.sendHalfRtt.call(connection, bytes))
  target.updateKeys = (request) =>
    call(
      () => ({ do: "updateKeys", ...(request !== undefined && { request }) }),
      () => real.updateKeys.call(connection, request),
    )
  target.close = () =>
    call(
      () => ({ do: "close" }),
      () => real.close.call(connection),
    )
  target.destroy = () => {
    tape.call(
      connection,
      () => ({ do: "destroy" }),
      () => {
        real.destroy.call(connection)
        return undefined
      },
    )
  }
  return connection
}
