// What listen does with what Bun gives it; `npm run runtimes` runs it there.

import { afterEach, expect, it, vi } from "vitest"
import { createDevelopmentCertificates } from "../devcert/index.ts"
import { listen } from "./bun.ts"

afterEach(() => vi.unstubAllGlobals())

it("one whose peer has reset it already has no address, and is no fault", async () => {
  let open: (socket: object) => void = () => undefined
  const stub = {
    listen({ socket }: { socket: { open: (socket: object) => void } }) {
      open = socket.open
      return { hostname: "127.0.0.1", port: 1, stop: () => undefined }
    },
  }
  vi.stubGlobal("Bun", stub)
  const { serverCert: cert, serverKey: key } = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
  const faults: unknown[] = []
  const listener = listen({ port: 0, cert, key, onFault: (error) => faults.push(error) })
  const calls: string[] = []
  const record = (name: string) => () => void calls.push(name)
  const names = ["pause", "resume", "shutdown", "end", "terminate", "setNoDelay"]
  open({ remoteAddress: undefined, write: () => -1, ...Object.fromEntries(names.map((name) => [name, record(name)])) })
  await new Promise((resolve) => setTimeout(resolve, 10))
  expect(faults).toEqual([])
  expect(calls).not.toContain("terminate")
  expect(listener.handshakes.pending).toBe(1)
  listener.close()
})
