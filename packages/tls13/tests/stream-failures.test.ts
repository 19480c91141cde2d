// TLS over streams when the peer or the transport fails: no promise is left that nobody listens to, and no handle of the host.

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest"
import { connect, listen } from "../src/adapters/deno.ts"
import {
  acceptOverStreams,
  type ByteStreams,
  connectOverStreams,
  type TlsStreamSocket,
} from "../src/adapters/streams.ts"
import { concatBytes } from "../src/bytes/concat.ts"
import { Pause } from "../src/bytes/pause.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { publicKeyOf } from "../src/crypto/noble/index.ts"
import { createDevelopmentCertificates } from "../src/devcert/index.ts"
import type { CertificateVerifier } from "../src/x509/interfaces.ts"
import { clientCertificate, clientKey, clientOptions, serverOptions } from "./support.ts"
import { testVerifier } from "./tools/credentials.ts"
import { until } from "./tools/sockets.ts"

const rejections: unknown[] = []
const note = (reason: unknown) => {
  rejections.push(reason)
}
beforeEach(() => {
  rejections.length = 0
  process.on("unhandledRejection", note)
})
afterEach(() => {
  process.off("unhandledRejection", note)
})

/** Rejections are told of when the promises' turn is over. */
const turns = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve))
}

function streamsThat(says: Uint8Array): ByteStreams {
  return {
    readable: new ReadableStream<Uint8Array>({
      start(controller) {
        controller.enqueue(says)
        controller.close()
      },
    }),
    writable: new WritableStream<Uint8Array>(),
  }
}

describe("close() during a handshake that the peer then spoils", () => {
  const garbage = new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")

  it.each([
    ["a client", () => connectOverStreams(streamsThat(garbage), createClientConfig(clientOptions))],
    ["a server", () => acceptOverStreams(streamsThat(garbage), createServerConfig(serverOptions))],
  ])("rejects `closed` and nothing else: %s", async (_, make) => {
    const socket = make()
    const closed = socket.close()
    await expect(closed).rejects.toMatchObject({ kind: "PeerMisbehaved" })
    await turns()
    expect(rejections).toEqual([])
  })
})

describe("Deno: a connection that fails is closed, so that its handle does not stay", () => {
  const pem = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
  interface FakeConn {
    read(into?: Uint8Array): Promise<number | null>
    readonly remoteAddr: { readonly hostname: string }
    write(bytes: Uint8Array): Promise<number>
    closeWrite(): Promise<void>
    close(): void
  }

  function conn(over: Partial<FakeConn>) {
    const close = vi.fn()
    const fake: FakeConn = {
      remoteAddr: { hostname: "127.0.0.1" },
      read: async () => null,
      write: async (bytes) => bytes.length,
      closeWrite: async () => undefined,
      close,
      ...over,
    }
    return { fake, close }
  }

  function withDeno(fake: FakeConn): void {
    let taken = 0
    vi.stubGlobal("Deno", {
      connect: async () => fake,
      listen: () => ({
        addr: { hostname: "127.0.0.1", port: 1 },
        close: () => undefined,
        accept: () => (taken++ === 0 ? Promise.resolve(fake) : new Promise(() => undefined)),
      }),
    })
  }
  afterEach(() => {
    vi.unstubAllGlobals()
    vi.useRealTimers()
  })
  const reset = async (): Promise<never> => {
    throw new Error("Connection reset by peer")
  }

  it.each([
    ["by a read", { read: reset }],
    ["by a read, and no FIN can be sent", { read: reset, closeWrite: reset }],
    ["by a write", { read: () => new Promise<never>(() => undefined), write: reset }],
    ["by both", { read: reset, write: reset, closeWrite: reset }],
  ])("a client's: %s", async (_, over) => {
    const { fake, close } = conn(over)
    withDeno(fake)
    const socket = await connect({ hostname: "localhost", port: 1, ca: pem.caCert })
    await expect(socket.opened).rejects.toThrow(/reset/)
    await until(() => close.mock.calls.length > 0)
    await turns()
    expect(close).toHaveBeenCalledTimes(1)
    expect(rejections).toEqual([])
  })

  it.each([
    ["that fails", () => undefined],
    ["that is being closed", (socket: TlsStreamSocket) => socket.close().catch(() => undefined)],
  ])("one %s while its peer takes nothing, after five seconds", async (_, before) => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] })
    const never = () => new Promise<never>(() => undefined)
    const garbage = new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n")
    let reads = 0
    const read = async (into?: Uint8Array) => {
      if (reads++ > 0) return never()
      into?.set(garbage)
      return garbage.length
    }
    const { fake, close } = conn({ read, write: never })
    withDeno(fake)
    const socket = await connect({ hostname: "localhost", port: 1, ca: pem.caCert })
    before(socket)
    await expect(socket.opened).rejects.toMatchObject({ kind: "PeerMisbehaved" })
    await vi.advanceTimersByTimeAsync(4999)
    expect(close).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    await turns()
    expect(close).toHaveBeenCalledTimes(1)
    expect(rejections).toEqual([])
  })

  it("a server's, whose client resets at once", async () => {
    const { fake, close } = conn({ read: reset })
    withDeno(fake)
    for await (const socket of listen({ port: 1, cert: pem.serverCert, key: pem.serverKey })) {
      await expect(socket.opened).rejects.toThrow(/reset/)
      break
    }
    await until(() => close.mock.calls.length > 0)
    expect(close).toHaveBeenCalledTimes(1)
  })

  it("one that ends as it should is closed once, too", async () => {
    const { fake, close } = conn({})
    withDeno(fake)
    const socket = await connect({ hostname: "localhost", port: 1, ca: pem.caCert })
    await expect(socket.opened).rejects.toMatchObject({ kind: "Closed" })
    await until(() => close.mock.calls.length > 0)
    await turns()
    expect(close).toHaveBeenCalledTimes(1)
  })
})

describe("a chunk of any length", () => {
  it("that comes while the server makes up its mind is read when it has, and is no flood", async () => {
    const verifier = testVerifier(publicKeyOf(clientKey))
    const slow: CertificateVerifier = {
      verify: (verification) => {
        const verdict = verifier.verify(verification)
        if (verdict instanceof Pause) return verdict
        return new Pause(new Promise((resolve) => setTimeout(() => resolve(verdict), 20)))
      },
    }
    const config = createServerConfig({ ...serverOptions, clientAuthentication: { mode: "require", verifier: slow } })
    const client = new ClientConnection(
      createClientConfig({ ...clientOptions, ...clientCertificate.client }),
      Date.now(),
    )
    let toServer: ReadableStreamDefaultController<Uint8Array> | undefined
    const data = new Uint8Array(300_000).fill(7)
    const socket = acceptOverStreams(
      {
        readable: new ReadableStream<Uint8Array>({
          start(controller) {
            toServer = controller
          },
        }),
        writable: new WritableStream<Uint8Array>({
          write(bytes) {
            const { output } = client.receive(bytes, Date.now())
            if (output.length > 0)
              toServer?.enqueue(concatBytes(output, client.send(data).output, client.close().output))
          },
        }),
      },
      config,
    )
    toServer?.enqueue(client.start().output)
    let length = 0
    for await (const chunk of socket.readable) length += chunk.length
    expect(length).toBe(data.length)
  })
})
