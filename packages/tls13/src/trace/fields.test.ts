import { describe, expect, it } from "vitest"
import { fromHex, toHex } from "../bytes/hex.ts"
import { encodeCertificate } from "../codec/certificate.ts"
import { encodeKeyUpdate } from "../codec/key-update.ts"
import { messageFields } from "./fields.ts"

describe("a message by its fields", () => {
  it("has every byte once, in order", () => {
    const entry = (byte: number) => ({ data: new Uint8Array(40).fill(byte), extensions: {} })
    const message = encodeCertificate(Uint8Array.of(7), [entry(1), entry(2)])
    const lines = messageFields("certificate", message)
    const bytes = lines.map((line) =>
      [...line.matchAll(/\(length ([0-9a-f]+)\)|^ *([0-9a-f]+)$|: ([0-9a-f]+)$/g)]
        .map((found) => found.slice(1).join(""))
        .join(""),
    )
    expect(bytes.join("")).toBe(toHex(message))
    expect(lines.slice(0, 5)).toEqual([
      "msg_type: 0b",
      `length: ${toHex(message.subarray(1, 4))}`,
      "certificate_request_context (length 01): 07",
      "certificate_list, length: 00005a",
      "  cert_data (length 000028): 40 bytes",
    ])
  })

  it("names what a ServerHello has", () => {
    const hello = `02000032 0303 ${"11".repeat(32)} 00 1301 00 000a 002b0002 0304 002c0000`
    expect(messageFields("server_hello", fromHex(hello))).toEqual([
      "msg_type: 02",
      "length: 000032",
      "legacy_version: 0303",
      `random: ${"11".repeat(32)}`,
      "legacy_session_id_echo (length 00):",
      "cipher_suite: 1301",
      "legacy_compression_method: 00",
      "extensions, length: 000a",
      "  supported_versions (type 002b, length 0002): 0304",
      "  cookie (type 002c, length 0000):",
    ])
  })

  it("never throws: what is cut short is what there is, and what is too much is told", () => {
    for (let end = 0; end < 20; end++) {
      for (const name of ["client_hello", "certificate", "new_session_ticket", "message_hash"] as const)
        expect(() => messageFields(name, new Uint8Array(end).fill(0xff))).not.toThrow()
    }
    expect(messageFields("key_update", fromHex("18000002 0001")).at(-1)).toBe("(more bytes): 01")
    expect(messageFields("key_update", encodeKeyUpdate("update_requested")).at(-1)).toBe("request_update: 01")
  })
})
