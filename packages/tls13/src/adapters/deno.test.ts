// What listen does with what Deno gives it; `npm run runtimes` runs it there.

import { afterEach, expect, it, vi } from "vitest"
import { createDevelopmentCertificates } from "../devcert/index.ts"
import { listen } from "./deno.ts"

afterEach(() => vi.unstubAllGlobals())

const { serverCert: cert, serverKey: key } = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })

/** A listener of Deno, whose connections come as they are told. */
function toyListener(accepted: readonly (() => object)[]) {
  const never = new Promise<never>(() => undefined)
  const rest = [...accepted]
  const listener = {
    addr: { hostname: "127.0.0.1", port: 1 },
    accept: async () => rest.shift()?.() ?? never,
    close: () => undefined,
  }
  vi.stubGlobal("Deno", { listen: () => listener })
}

function conn() {
  return {
    remoteAddr: { hostname: "192.0.2.1" },
    read: () => new Promise<never>(() => undefined),
    write: async (bytes: Uint8Array) => bytes.length,
    closeWrite: async () => undefined,
    close: () => undefined,
  }
}

function failing(name: string): () => never {
  return () => {
    throw Object.assign(new Error(name), { name })
  }
}

it("peers that have reset their connections hold up nobody, and are no faults", async () => {
  const gone = ["NotConnected", "ConnectionReset", "ConnectionAborted"]
  toyListener([...Array.from({ length: 300 }, (_, i) => failing(gone[i % 3]!)), conn])
  const faults: unknown[] = []
  const listener = listen({ port: 0, cert, key, onFault: (error) => faults.push(error) })
  const began = performance.now()
  for await (const socket of listener) {
    socket.close().catch(() => undefined)
    break
  }
  expect(performance.now() - began).toBeLessThan(5000) // with a pause for each it was 30 seconds
  expect(faults).toEqual([])
  listener.close()
})

it("other failures are told, and it goes on after a pause", async () => {
  toyListener([failing("Busy"), conn])
  const faults: unknown[] = []
  const listener = listen({ port: 0, cert, key, onFault: (error) => faults.push(error) })
  for await (const socket of listener) {
    socket.close().catch(() => undefined)
    break
  }
  expect(faults).toMatchObject([{ name: "Busy" }])
  listener.close()
})
