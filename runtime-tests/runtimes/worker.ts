import { createFastProvider } from "@puremq/tls13/crypto/fast"
import aesGcm from "@puremq/tls13/webassembly/aes-gcm.wasm"
import chacha20Poly1305 from "@puremq/tls13/webassembly/chacha20-poly1305.wasm"
import curve25519 from "@puremq/tls13/webassembly/curve25519.wasm"
import mlKem from "@puremq/tls13/webassembly/ml-kem.wasm"
import p256 from "@puremq/tls13/webassembly/p256.wasm"
import p384 from "@puremq/tls13/webassembly/p384.wasm"
import sha2 from "@puremq/tls13/webassembly/sha2.wasm"
import {
  type AcceptStreamOptions,
  type ByteStreams,
  connect,
  createAcceptor,
  type TlsAcceptor,
} from "@puremq/tls13/workerd"
import { createPeer, protocols } from "../checks/backpressure.ts"
import { checks, type Setting, slowChecks } from "../checks/openssl.ts"
import { type Host, scenarios } from "../suite/scenarios.ts"

const modules = {
  "aes-gcm": aesGcm,
  "chacha20-poly1305": chacha20Poly1305,
  curve25519,
  "ml-kem": mlKem,
  p256,
  p384,
  sha2,
}

interface Env {
  readonly SETTING: Setting & Pick<Host, "certificates" | "now"> & { readonly ownPort: number }
}

const provider = createFastProvider({ webAssembly: modules })
const peer = createPeer()
let acceptor: TlsAcceptor | undefined

/**
 * What workerd runs: a scenario, or the checks of the adapter, when it is asked over HTTP; and a server of ours for the latter, at
 * its TCP port.
 */
// biome-ignore lint/style/noDefaultExport: it is what the runtime calls
export default {
  async fetch(request: Request, { SETTING }: Env): Promise<Response> {
    const random = (length: number): Uint8Array => globalThis.crypto.getRandomValues(new Uint8Array(length))
    try {
      const name = decodeURIComponent(new URL(request.url).pathname.slice(1))
      if (name === "backpressure") {
        const { ownPort } = SETTING
        return new Response((await slowChecks({ connect }, SETTING, { ownPort, provider })).join("\n"))
      }
      if (name === "") return new Response((await checks({ connect }, SETTING)).join("\n"))
      const scenario = scenarios.find((each) => each.name === name)
      return new Response(scenario?.run({ ...SETTING, random, modules }))
    } catch (error) {
      return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), { status: 500 })
    }
  },
  async connect(streams: ByteStreams, { SETTING: { cert, key } }: Env): Promise<void> {
    const options: AcceptStreamOptions = { cert, key, provider, alpnProtocols: protocols, allowHalfOpen: true }
    acceptor ??= createAcceptor(options)
    await peer(await acceptor.accept(streams)).catch(() => undefined)
  },
}
