// A crypto provider that fails in the middle of its work, as an accelerator may: nothing leaves that it did not finish.

import { describe, expect, it } from "vitest"
import { asciiToBytes, bytesToLatin1 } from "../src/bytes/text.ts"
import { ClientConnection } from "../src/connection/client-connection.ts"
import { createClientConfig, createServerConfig } from "../src/connection/config.ts"
import { ServerConnection } from "../src/connection/server-connection.ts"
import type { AeadKey, CryptoProvider } from "../src/crypto/provider.ts"
import { Pair } from "../src/testing/pair.ts"
import { clientOptions, provider, serverOptions, start } from "./support.ts"

/** The provider, whose AEAD stops working at the call that `fails` says. */
function faulty(fails: (sealed: number) => boolean): CryptoProvider {
  let sealed = 0
  const wrapped = (key: AeadKey): AeadKey => ({
    seal(nonce, aad, plaintext, out, at) {
      if (fails(sealed++)) throw new Error("the accelerator does not answer")
      key.seal(nonce, aad, plaintext, out, at)
    },
    open: (...given) => key.open(...given),
    wipe: () => key.wipe(),
  })
  const cipherSuites = provider.cipherSuites.map((suite) => ({
    ...suite,
    aead: { ...suite.aead, key: (key: Uint8Array) => wrapped(suite.aead.key(key)) },
  }))
  return { ...provider, cipherSuites }
}

const secret = "the password is swordfish"

describe("a record that could not be sealed", () => {
  it.each([
    ["and none after it", (at: number) => (sealed: number) => sealed >= at],
    ["though the alert after it could", (at: number) => (sealed: number) => sealed === at],
  ])("does not leave as plaintext, %s", (_, failsFrom) => {
    let fails: (sealed: number) => boolean = () => false
    const server = new ServerConnection(
      createServerConfig({ ...serverOptions, provider: faulty((sealed) => fails(sealed)) }),
      start,
    )
    const pair = new Pair(new ClientConnection(createClientConfig(clientOptions), start), server, start).handshake()
    let count = 0
    const counting = (sealed: number) => {
      count = sealed + 1
      return false
    }
    fails = counting
    pair.take(pair.server, server.send(asciiToBytes("hello")))
    pair.run()
    fails = failsFrom(count)
    const { output, events } = server.send(asciiToBytes(secret))
    expect(bytesToLatin1(output)).not.toContain("swordfish")
    expect(events).toMatchObject([{ type: "failed", error: { alert: "internal_error" } }])
    // What does leave is whole: the client reads the alert, or nothing.
    pair.client.connection.receive(output, start)
    const { failure } = pair.client.connection
    expect(output.length === 0 ? failure : failure?.message).toBe(
      output.length === 0 ? undefined : "peer ended the connection with the alert internal_error",
    )
  })
})
