// The program of docs/workerd.md, with the kernels that workerd wants as modules.

import { DurableObject } from "cloudflare:workers"
import { DurableBroker } from "@puremq/broker/workerd"
import { createFastProvider } from "@puremq/tls13/crypto/fast"
import aesGcm from "@puremq/tls13/webassembly/aes-gcm.wasm"
import chacha20Poly1305 from "@puremq/tls13/webassembly/chacha20-poly1305.wasm"
import curve25519 from "@puremq/tls13/webassembly/curve25519.wasm"
import p256 from "@puremq/tls13/webassembly/p256.wasm"
import sha2 from "@puremq/tls13/webassembly/sha2.wasm"

const webAssembly = { "aes-gcm": aesGcm, "chacha20-poly1305": chacha20Poly1305, curve25519, p256, sha2 }
const provider = createFastProvider({ webAssembly })

export class MqttBroker extends DurableObject {
  constructor(state, env) {
    super(state, env)
    const { cert, key, ca } = env.TLS
    this.broker = new DurableBroker(state, {
      tls: { cert, key, ca, clientCertificate: "require", provider },
      login: { anonymous: true },
      onEvent: (event) => console.log(JSON.stringify(event)),
    })
  }
  connect(socket) {
    return this.broker.connect(socket)
  }
  fetch(request) {
    return this.broker.fetch(request)
  }
  alarm() {
    return this.broker.alarm()
  }
}

const brokerOf = (env) => env.BROKER.get(env.BROKER.idFromName("broker"))

// biome-ignore lint/style/noDefaultExport: workerd looks for the handlers there
export default {
  async connect(socket, env) {
    const { remoteAddress } = await socket.opened
    const inner = brokerOf(env).connect(remoteAddress)
    await Promise.all([socket.readable.pipeTo(inner.writable), inner.readable.pipeTo(socket.writable)])
  },
  fetch: (request, env) => brokerOf(env).fetch(request),
}
