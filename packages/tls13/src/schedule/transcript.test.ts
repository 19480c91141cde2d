import { describe, expect, it } from "vitest"
import { concatBytes } from "../bytes/concat.ts"
import { toHex } from "../bytes/hex.ts"
import { sha256, sha384 } from "../crypto/noble/index.ts"
import { hashWith, Transcript } from "./transcript.ts"

const one = Uint8Array.of(1, 0, 0, 2, 7, 8)
const two = Uint8Array.of(2, 0, 0, 1, 9)

describe.each([sha256, sha384])("RFC 9846 4.1: the transcript hash, $name", (hash) => {
  it("is the hash of the messages one after the other, and can be read at any time", () => {
    const transcript = new Transcript(hash)
    expect(toHex(transcript.hash())).toBe(toHex(hash.digest(new Uint8Array(0))))
    transcript.add(one)
    expect(toHex(transcript.hash())).toBe(toHex(hash.digest(one)))
    transcript.add(two)
    expect(toHex(transcript.hash())).toBe(toHex(hash.digest(concatBytes(one, two))))
  })

  it("a clone goes on by itself", () => {
    const transcript = new Transcript(hash)
    transcript.add(one)
    const clone = transcript.clone()
    clone.add(two)
    expect(toHex(transcript.hash())).toBe(toHex(hash.digest(one)))
    expect(toHex(clone.hash())).toBe(toHex(hash.digest(concatBytes(one, two))))
  })

  it("4.3.11.2: hashWith leaves the transcript as it is", () => {
    const transcript = new Transcript(hash)
    transcript.add(one)
    expect(toHex(hashWith(transcript, two))).toBe(toHex(hash.digest(concatBytes(one, two))))
    expect(toHex(transcript.hash())).toBe(toHex(hash.digest(one)))
  })

  it("after a HelloRetryRequest, ClientHello1 is replaced with message_hash", () => {
    const synthetic = concatBytes(Uint8Array.of(254, 0, 0, hash.length), hash.digest(one))
    const transcript = Transcript.afterHelloRetryRequest(hash, one)
    transcript.add(two)
    expect(toHex(transcript.hash())).toBe(toHex(hash.digest(concatBytes(synthetic, two))))
  })

  it("4.3.2: a stateless server goes on from Hash(ClientHello1) in its cookie", () => {
    const stateful = Transcript.afterHelloRetryRequest(hash, one)
    const stateless = Transcript.afterHelloRetryRequestFromHash(hash, hash.digest(one))
    expect(toHex(stateless.hash())).toBe(toHex(stateful.hash()))
  })
})
