// What is checked where a runtime has an entry of its own: that entry against OpenSSL (a server of the Node that runs us), and
// against itself where it can listen.

import type {
  ConnectStreamOptions,
  connect as connectOfDeno,
  ListenStreamOptions,
  listen as listenOfDeno,
  TlsListener,
  TlsStreamSocket,
} from "@puremq/tls13/deno"
import { backpressureChecks, createPeer, type Protocol, protocols } from "./backpressure.ts"
import { startTlsCheck } from "./start-tls.ts"
import { keyExchangeChecks } from "./webcrypto.ts"

export interface Setting {
  /** A server of OpenSSL on 127.0.0.1: it echoes, or does what a protocol of backpressure.ts says. */
  readonly port: number
  /** The same over a connection that begins in the clear. */
  readonly startTlsPort: number
  readonly ca: string
  readonly cert: string
  readonly key: string
}

/** Every runtime has the same. */
export type Connect = typeof connectOfDeno

export interface Entry {
  readonly connect: Connect
  readonly listen?: typeof listenOfDeno
}

export interface SlowOptions {
  /** Where a server of ours listens already, with the peer of backpressure.ts. */
  readonly ownPort?: number
  readonly provider?: ConnectStreamOptions["provider"]
}

/** Who stops and who is stuck: with OpenSSL, and with a server of our own. */
export async function slowChecks(
  { connect, listen }: Entry,
  setting: Setting,
  own: SlowOptions = {},
): Promise<string[]> {
  const { port, ca, cert, key } = setting
  const { provider } = own
  const checksAt = async (who: string, to: number) => {
    const open = (protocol: Protocol) =>
      connect({ hostname: "127.0.0.1", port: to, ca, provider, alpnProtocols: [protocol], allowHalfOpen: true })
    return (await backpressureChecks(open)).map((line) => `with ${who}, ${line}`)
  }
  const done = await checksAt("OpenSSL", port)
  if (own.ownPort !== undefined) done.push(...(await checksAt("our own server", own.ownPort)))
  if (listen === undefined) return done
  const options: ListenStreamOptions = { port: 0, cert, key, provider, alpnProtocols: protocols, allowHalfOpen: true }
  const listener: TlsListener = listen(options)
  const peer = createPeer()
  const serving = (async () => {
    for await (const socket of listener) void peer(socket).catch(() => undefined)
  })()
  done.push(...(await checksAt("our own server", listener.port)))
  listener.close()
  await serving
  return done
}

/** The names of the checks that held; throws at the first that did not. */
export async function checks({ connect, listen }: Entry, setting: Setting): Promise<string[]> {
  const { port, ca, cert, key } = setting
  const done: string[] = []
  const hostname = "127.0.0.1"
  const million = new Uint8Array(1_000_000).map((_, i) => i % 251)

  const small = await connect({ hostname, port, ca, serverName: "localhost", alpnProtocols: ["echo"] })
  const { alpn, handshake } = await small.opened
  equal([alpn, handshake.protocol, handshake.serverName], ["echo", "TLSv1.3", "localhost"])
  equal(text(await echoed(small, bytes("hello"))), "hello")
  await small.closed
  done.push("hello, echoed by OpenSSL")

  const large = await connect({ hostname, port, ca })
  large.opened.then(() => large.updateKeys({ peer: true }))
  equal(text(await echoed(large, million)), text(million))
  done.push("1 MB, echoed by OpenSSL, with new keys on the way")

  const stranger = await connect({ hostname, port, ca, serverName: "other.test" })
  const refusal: unknown = await stranger.opened.then(
    () => "opened",
    (error: { kind?: unknown }) => error.kind,
  )
  equal(refusal, "CertificateRejected")
  done.push("a server of another name is refused")

  const absent: unknown = await connect({ hostname, port: 1, ca })
    .then(
      (socket) => socket.opened.then(() => "opened"),
      () => "refused",
    )
    .catch(() => "refused")
  equal(absent, "refused")
  done.push("a port where nothing listens is an error")

  done.push(...(await keyExchangeChecks(connect, { hostname, port, ca, serverName: "localhost" })))

  done.push(...(await startTlsCheck(connect, setting)))

  if (listen === undefined) return done
  const listener = listen({ port: 0, cert, key, allowHalfOpen: true })
  const serving = (async () => {
    for await (const socket of listener) void socket.readable.pipeTo(socket.writable).catch(() => undefined)
  })()
  const own = await connect({ hostname, port: listener.port, ca, allowHalfOpen: true })
  equal(text(await echoed(own, million)), text(million))
  await own.closed
  done.push("1 MB, echoed by our own server, each half closed by itself")
  listener.close()
  await serving
  return done
}

async function echoed(socket: TlsStreamSocket, data: Uint8Array): Promise<Uint8Array> {
  const sending = (async () => {
    const writer = socket.writable.getWriter()
    await writer.write(data)
    await writer.close()
  })()
  const got = new Uint8Array(data.length)
  let at = 0
  const reader = socket.readable.getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    got.set(value, at)
    at += value.length
  }
  await sending
  return got.subarray(0, at)
}

const bytes = (value: string): Uint8Array => new TextEncoder().encode(value)
const text = (value: Uint8Array): string => new TextDecoder("latin1").decode(value)

function equal(actual: unknown, expected: unknown): void {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`expected ${b?.slice(0, 200)}, got ${a?.slice(0, 200)}`)
}
