import aesGcm from "@puremq/tls13/webassembly/aes-gcm.wasm"
import chacha20Poly1305 from "@puremq/tls13/webassembly/chacha20-poly1305.wasm"
import curve25519 from "@puremq/tls13/webassembly/curve25519.wasm"
import mlKem from "@puremq/tls13/webassembly/ml-kem.wasm"
import p256 from "@puremq/tls13/webassembly/p256.wasm"
import p384 from "@puremq/tls13/webassembly/p384.wasm"
import sha2 from "@puremq/tls13/webassembly/sha2.wasm"
import { connect } from "../../packages/tls13/dist/adapters/workerd.js"
import { checks, type Setting } from "../checks.ts"

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
  readonly SETTING: Setting
}

/** What workerd runs, as the default export of the module that the bundle is made of. */
export const worker = {
  /** Runs the checks when it is asked over HTTP. */
  async fetch(_request: Request, { SETTING }: Env): Promise<Response> {
    try {
      return new Response((await checks({ connect, modules }, SETTING)).join("\n"))
    } catch (error) {
      return new Response(error instanceof Error ? (error.stack ?? error.message) : String(error), { status: 500 })
    }
  },
}
