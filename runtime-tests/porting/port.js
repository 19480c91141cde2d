// What a runtime gets of a connection: functions of numbers, texts and bytes. `lendRandom(length)` is all that it lends.

import { ClientConnection } from "@puremq/tls13"

export const random = (length) => new Uint8Array(lendRandom(length))

/** @param configOf makes the client's configuration of what the host starts it with */
export function port(configOf) {
  let client
  let problem = ""
  const data = []

  /** Bytes for the server. Plaintext is kept until it is taken. */
  function done({ output, events }) {
    for (const event of events) {
      if (event.type === "data") data.push(event.data)
      if (event.type === "failed") problem = event.error.message // and `output` is the alert
    }
    return Uint8Array.from(output).buffer
  }

  Object.assign(globalThis, {
    start(now, ...given) {
      client = new ClientConnection(configOf(...given), now)
      return done(client.start())
    },
    receive: (now, bytes) => done(client.receive(new Uint8Array(bytes), now)),
    end: (now) => done(client.receiveEnd(now)),
    tick: (now) => done(client.tick(now)),
    send: (bytes) => done(client.send(new Uint8Array(bytes))),
    close: () => done(client.close()),
    take: () => (data.length === 0 ? new ArrayBuffer(0) : Uint8Array.from(data.shift()).buffer),
    info: () => JSON.stringify(client.info ?? null),
    problem: () => problem,
  })
}
