// The process behind the launcher (the file `shim` beside this one): one TCP connection for each test, with its arguments.
//   launcher: the number of arguments, the arguments, each ended by a zero octet
//   resident: the exit status, what goes to stdout, what goes to stderr, each ended by a zero octet

import { createServer, type Server, type Socket } from "node:net"
import type { CryptoProvider } from "../src/crypto/provider.ts"
import { runShim, type ShimResult } from "./shim.ts"

export interface Resident {
  readonly port: number
  /** How often each reason made a test unimplemented. */
  readonly unimplemented: ReadonlyMap<string, number>
  close(): void
}

export async function startResident(provider: CryptoProvider): Promise<Resident> {
  const unimplemented = new Map<string, number>()
  const server = createServer((launcher) => {
    serve(launcher, provider, ({ unimplemented: reason }) => {
      if (reason !== undefined) unimplemented.set(reason, (unimplemented.get(reason) ?? 0) + 1)
    })
  })
  return { port: await listen(server), unimplemented, close: () => server.close() }
}

function listen(server: Server): Promise<number> {
  return new Promise((resolve, reject) => {
    server.on("error", reject)
    server.listen(0, "127.0.0.1", () => {
      const address = server.address()
      if (typeof address === "object" && address !== null) resolve(address.port)
    })
  })
}

function serve(launcher: Socket, provider: CryptoProvider, note: (result: ShimResult) => void): void {
  const gone = new AbortController()
  let received = ""
  let started = false
  launcher.setEncoding("latin1")
  launcher.setNoDelay(true)
  launcher.on("error", () => gone.abort())
  launcher.on("close", () => gone.abort())
  launcher.on("data", (text: string) => {
    received += text
    const [count, ...args] = received.split("\0")
    // The text after the last zero octet is one part more.
    if (started || args.length <= Number(count)) return
    started = true
    runShim(args.slice(0, -1), provider, gone.signal).then((result) => {
      note(result)
      launcher.end(`${result.status}\0${result.output}\0${result.errors}\0`)
    })
  })
}
