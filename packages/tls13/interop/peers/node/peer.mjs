// node:tls as a peer, run by any Node. It connects, sends bytes and checks that the same come back, or it echoes what comes.

import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { connect, createServer } from "node:tls"
import { parseArgs } from "node:util"

const [mode, ...args] = process.argv.slice(2)
const text = { type: "string" }
const { values } = parseArgs({
  args,
  options: {
    ...{ port: text, ca: text, cert: text, key: text, groups: text, psk: text },
    bytes: { type: "string", default: "300" },
    connections: { type: "string", default: "1" },
  },
})
const read = (file) => file && readFileSync(file)
const [identity, hex] = values.psk?.split(":") ?? []
const common = {
  minVersion: "TLSv1.3",
  ca: read(values.ca),
  cert: read(values.cert),
  key: read(values.key),
  ...(values.groups && { ecdhCurve: values.groups }),
}

function say(socket) {
  const { name } = socket.getCipher()
  // getPeerCertificate ends Node 26 with a fault when the key is on a curve of RFC 5639.
  const certificate = socket.getPeerX509Certificate()?.subject
  console.log(`${socket.getProtocol()} ${name} resumed: ${socket.isSessionReused()} certificate: ${certificate}`)
}

/** @param again whether another connection comes, by the session of this one; node:tls keeps none of more than 10 KiB */
async function exchange(session, again) {
  const socket = connect({
    ...common,
    ...{ host: "127.0.0.1", port: Number(values.port), servername: "localhost", session },
    ...(hex && {
      pskCallback: () => ({ identity, psk: Buffer.from(hex, "hex") }),
      checkServerIdentity: () => undefined,
    }),
  })
  const ticket = again ? once(socket, "session") : undefined
  await once(socket, "secureConnect")
  const sent = randomBytes(Number(values.bytes))
  let got = Buffer.alloc(0)
  socket.on("data", (data) => {
    got = Buffer.concat([got, data])
    socket.emit("got")
  })
  // In parts, each after the echo of the last: what a renewal of keys asks for is answered with the next.
  const part = Math.max(4096, Math.ceil(sent.length / 8))
  for (let at = 0; at < sent.length; at += part) {
    const end = Math.min(at + part, sent.length)
    socket.write(sent.subarray(at, end))
    while (got.length < end) await once(socket, "got")
  }
  if (!got.equals(sent)) throw new Error("another text came back")
  say(socket)
  const next = again && !hex ? (await ticket)[0] : undefined
  socket.end()
  return next
}

if (mode === "client") {
  let session
  for (let left = Number(values.connections); left > 0; left--) session = await exchange(session, left > 1)
} else {
  const client = values.ca ? { requestCert: true, rejectUnauthorized: true } : {}
  const psk = hex ? { pskCallback: (_, name) => (name === identity ? Buffer.from(hex, "hex") : null) } : {}
  const server = createServer({ ...common, ...client, ...psk, allowHalfOpen: true }, (socket) => {
    say(socket)
    socket.on("error", () => undefined).pipe(socket)
  })
  server.on("tlsClientError", (error) => console.error(error.message))
  server.listen(0, "127.0.0.1", () => console.log(`listening on 127.0.0.1:${server.address().port}`))
}
