import { describe, expect, it } from "vitest"
import { makeRoot } from "../../../tests/x509/pki.ts"
import { fromHex } from "../../bytes/hex.ts"
import { toPem, trustStoreFromPem, trustStoreOfUsable } from "../index.ts"

const good = toPem("CERTIFICATE", makeRoot().der)
const withSerial = (hex: string): string => toPem("CERTIFICATE", makeRoot({ serialDer: fromHex(hex) }).der)
const bad: readonly [what: string, pem: string, said: RegExp][] = [
  ["a negative serial number", withSerial("0201fb"), /serial number is negative/],
  ["a serial number of 21 octets", withSerial(`0215${"11".repeat(21)}`), /serial number has 21 octets/],
]

describe("a bundle of authorities", () => {
  it("a serial number of 20 octets is no matter", () => {
    expect(trustStoreFromPem(withSerial(`0214${"11".repeat(20)}`)).skipped).toEqual([])
  })

  it.each(bad)("RFC 5280 4.1.2.2: one with %s is left out, and named by number and line", (_, pem, said) => {
    const line = good.split("\n").length + 1
    for (const store of [trustStoreFromPem(`${good}\n${pem}`), trustStoreOfUsable([`${good}\n${pem}`]).store]) {
      expect(store.anchors).toHaveLength(1)
      expect(store.skipped).toHaveLength(1)
      expect(store.skipped[0]).toMatch(said)
      expect(store.skipped[0]).toContain(`certificate 2 (line ${line}) cannot be used: `)
    }
  })

  it.each(bad)("with nothing but one with %s cannot be used", (_, pem, said) => {
    expect(() => trustStoreFromPem(pem)).toThrow(said)
    expect(() => trustStoreFromPem(pem + pem)).toThrow(/^none of 2 certificates can be used as a trust anchor; cert/)
  })

  it("a constraint that is none is no certificate that is left out", () => {
    expect(() => trustStoreFromPem(good, { permittedNames: [".lan"] })).toThrow(/\.lan/)
  })
})
