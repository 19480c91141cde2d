// The private key is in another process: this one sends it what is to be signed, and never sees the key.

import { type ChildProcess, fork } from "node:child_process"
import { once } from "node:events"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, expect, it } from "vitest"
import { Pause } from "../../src/bytes/pause.ts"
import type { PublicKey } from "../../src/crypto/keys.ts"
import { createNobleProvider } from "../../src/crypto/noble/index.ts"
import type { Credential, Signer } from "../../src/x509/interfaces.ts"
import { parseSpki } from "../../src/x509/keys/spki.ts"
import { handshakeWith } from "./driven.ts"

const provider = createNobleProvider()
let holder: ChildProcess
let publicKey: PublicKey

beforeAll(async () => {
  const program = fileURLToPath(new URL("key-process.mjs", import.meta.url))
  holder = fork(program, { serialization: "advanced", execArgv: [] })
  const [{ spki }] = (await once(holder, "message")) as [{ spki: Uint8Array }]
  publicKey = parseSpki(new Uint8Array(spki))
})

afterAll(() => void holder.kill())

/** Asks the other process; answers may come in any order. */
function signerOf(child: ChildProcess): Signer {
  let requests = 0
  const waiting = new Map<number, { resolve: (signature: Uint8Array) => void; reject: (error: Error) => void }>()
  child.on("message", ({ id, signature }: { id: number; signature: Uint8Array }) => {
    waiting.get(id)?.resolve(new Uint8Array(signature))
    waiting.delete(id)
  })
  child.on("exit", () => {
    for (const { reject } of waiting.values()) reject(new Error("the process with the key has ended"))
    waiting.clear()
  })
  return {
    sign(_scheme, content) {
      const id = requests++
      return new Pause(
        new Promise<Uint8Array>((resolve, reject) => {
          waiting.set(id, { resolve, reject })
          child.send({ id, content: content.slice() }, (error) => {
            if (error !== null) reject(error)
          })
        }),
      )
    },
  }
}

it("RFC 9846 4.5.2: signs for a server and for a client, several connections at once", async () => {
  const credential: Credential = { type: "X509", chain: [Uint8Array.of(0x30, 0)], publicKey, signer: signerOf(holder) }
  const handshakes = await Promise.all(Array.from({ length: 4 }, () => handshakeWith(credential, { provider })))
  for (const { client, server } of handshakes) {
    expect(client).toMatchObject({ authentication: "certificate", peerSignatureScheme: "ecdsa_secp256r1_sha256" })
    expect(server).toMatchObject({ authentication: "certificate", peerSignatureScheme: "ecdsa_secp256r1_sha256" })
  }
})

it("a process that ends leaves its handshakes with internal_error", async () => {
  const signer = signerOf(holder)
  const credential: Credential = { type: "X509", chain: [Uint8Array.of(0x30, 0)], publicKey, signer }
  holder.kill("SIGSTOP")
  const handshake = expect(handshakeWith(credential, { provider })).rejects.toMatchObject({ alert: "internal_error" })
  holder.kill("SIGKILL")
  await handshake
})
