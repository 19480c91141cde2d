// A Duplex below may give chunks of any length, as a tunnel does that reads whole messages: what comes while a decision is due
// is read when it is made, and is no flood.

import { Duplex } from "node:stream"
import { expect, it } from "vitest"
import {
  clientCertificate,
  clientKey,
  clientOptions,
  serverCredential,
  serverKey,
  serverOptions,
} from "../../../tests/support.ts"
import { always, testVerifier } from "../../../tests/tools/credentials.ts"
import { readAll } from "../../../tests/tools/sockets.ts"
import { concatBytes } from "../../bytes/concat.ts"
import { Pause } from "../../bytes/pause.ts"
import { ClientConnection } from "../../connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../../connection/config.ts"
import { ServerConnection } from "../../connection/server-connection.ts"
import { publicKeyOf } from "../../crypto/noble/index.ts"
import type { CertificateVerdict, CertificateVerifier } from "../../x509/interfaces.ts"
import { connect } from "./connect.ts"
import { createServer } from "./server.ts"
import type { TLSSocket } from "./tls-socket.ts"

const data = new Uint8Array(300_000).fill(7)

/** The same verdicts, later. */
function slow(verifier: CertificateVerifier): CertificateVerifier {
  return {
    verify: (verification) =>
      new Pause(
        new Promise<CertificateVerdict>((resolve) => {
          setTimeout(() => resolve(verifier.verify(verification) as CertificateVerdict), 20)
        }),
      ),
  }
}

/** A stream whose other end answers what is written, in one chunk. */
function answering(answer: (bytes: Uint8Array) => Uint8Array): Duplex {
  const stream = new Duplex({
    read: () => undefined,
    write(bytes, _encoding, done) {
      const output = answer(bytes)
      if (output.length > 0) setImmediate(() => stream.push(output))
      done()
    },
  })
  return stream
}

it("to a server that makes up its mind about the client", async () => {
  const options = { ...clientOptions, ...clientCertificate.client }
  const client = new ClientConnection(createClientConfig(options), Date.now())
  const server = createServer({
    credentials: always(serverCredential),
    requestCert: true,
    verifier: slow(testVerifier(publicKeyOf(clientKey))),
  })
  const accepted = new Promise<TLSSocket>((resolve, reject) => {
    server.on("secureConnection", resolve).on("tlsClientError", reject)
  })
  const raw = answering((bytes) => {
    const { output } = client.receive(bytes, Date.now())
    return client.writable && output.length > 0
      ? concatBytes(output, client.send(data).output, client.close().output)
      : output
  })
  server.emit("connection", raw)
  raw.push(client.start().output)
  expect((await readAll(await accepted)).length).toBe(data.length)
})

it("to a client that makes up its mind about the server", async () => {
  const server = new ServerConnection(createServerConfig(serverOptions), Date.now())
  const raw = answering((bytes) => {
    const { output } = server.receive(bytes, Date.now())
    if (server.halfRttWritable) return concatBytes(output, server.sendHalfRtt(data).output)
    return concatBytes(output, server.close().output)
  })
  const verifier = slow(testVerifier(publicKeyOf(serverKey)))
  expect((await readAll(connect({ socket: raw, servername: "server.test", verifier }))).length).toBe(data.length)
})
