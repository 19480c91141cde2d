// The cases as bytes, for any TLS 1.3 server: test-vectors/negative/client-hello.json.

import { fromHex, toHex } from "../../src/bytes/hex.ts"
import { utf8ToBytes } from "../../src/bytes/text.ts"
import { encodeClientHello } from "../../src/codec/client-hello.ts"
import type { ClientHelloExtensions } from "../../src/codec/extensions/messages.ts"
import { editClientHello } from "../tools/edit.ts"
import { type BaseName, cases } from "./client-hello-cases.ts"

export interface Vector {
  readonly name: string
  /** The record to send: a TLSPlaintext with the whole ClientHello, hexadecimal. */
  readonly record: string
  /** What the server answers with; undefined: it goes on. */
  readonly alert?: string
  /** What the server has to have for the case to be what it says. */
  readonly server?: string
}

/** The public keys of RFC 7748 section 6.1 (Alice) and of the generator of P-256. */
const x25519Share = fromHex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")
const p256Share = fromHex(
  "046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c2964fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5",
)

function base(name: BaseName | undefined): Uint8Array {
  const shares = [{ group: 0x001d, keyExchange: x25519Share }]
  if (name === "two shares") shares.push({ group: 0x0017, keyExchange: p256Share })
  const withPsk = name === "psk" || name === "early data"
  const extensions: ClientHelloExtensions = {
    server_name: "server.test",
    supported_versions: [0x0304],
    supported_groups: [0x001d, 0x0017],
    signature_algorithms: [0x0403, 0x0807, 0x0804],
    ...(name === "alpn" && { application_layer_protocol_negotiation: ["mqtt"] }),
    key_share: shares,
    ...(withPsk && { psk_key_exchange_modes: [1] }),
    ...(name === "early data" && { early_data: true }),
    ...(withPsk && {
      pre_shared_key: {
        identities: [{ identity: utf8ToBytes("nobody knows this ticket"), obfuscatedTicketAge: 0 }],
        binders: [new Uint8Array(32).fill(0xb1)],
      },
    }),
  }
  return encodeClientHello({
    legacyVersion: 0x0303,
    random: new Uint8Array(32).fill(0x52),
    legacySessionId: new Uint8Array(32).fill(0x53),
    cipherSuites: [0x1301, 0x1303, 0x1302],
    legacyCompressionMethods: Uint8Array.of(0),
    extensions,
  })
}

const needs: Partial<Record<BaseName, string>> = { alpn: "speaks the application protocol mqtt" }

export function clientHelloVectors(): readonly Vector[] {
  const good = ([undefined, "alpn", "two shares", "psk", "early data"] as const).map((name) =>
    vector(`a good ClientHello${name ? ` (${name})` : ""}`, base(name), undefined, name),
  )
  const bad = cases.map(([rule, alert, , edit, name]) =>
    vector(`RFC 9846 ${rule}`, editClientHello(base(name), edit), alert, name),
  )
  return [...good, ...bad]
}

function vector(name: string, hello: Uint8Array, alert: string | undefined, baseName: BaseName | undefined): Vector {
  const server = baseName && needs[baseName]
  const record = toHex(Uint8Array.of(22, 3, 1, hello.length >> 8, hello.length, ...hello))
  return { name, record, ...(alert && { alert }), ...(server && { server }) }
}
