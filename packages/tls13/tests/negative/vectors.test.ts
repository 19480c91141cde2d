// test-vectors/negative: the bytes, and what our server does with them.

import { readFileSync, writeFileSync } from "node:fs"
import { describe, expect, it } from "vitest"
import { fromHex } from "../../src/bytes/hex.ts"
import { serverUnderTest } from "../support.ts"
import { clientHelloVectors, type Vector } from "./vectors.ts"

const file = new URL("../../../../test-vectors/negative/client-hello.json", import.meta.url)
// WRITE_VECTORS=1 writes the file anew, after a case was added.
if (process.env["WRITE_VECTORS"]) writeFileSync(file, `${JSON.stringify(clientHelloVectors(), null, 1)}\n`)
const vectors = JSON.parse(readFileSync(file, "utf8")) as readonly Vector[]

describe("test-vectors/negative/client-hello.json", () => {
  it("has the cases of client-hello-cases.ts", () => {
    expect(vectors).toEqual(clientHelloVectors())
  })

  it.each(vectors.map((vector) => [vector.name, vector.alert ?? "goes on", vector] as const))(
    "%s: %s",
    (_name, _what, vector) => {
      const puppet = serverUnderTest({ server: { alpnProtocols: vector.server ? ["mqtt"] : [] } })
      puppet.receive(fromHex(vector.record))
      expect(puppet.subject.failure?.alert).toBe(vector.alert)
      expect(puppet.alerts.map(({ description }) => description)).toEqual(vector.alert ? [vector.alert] : [])
    },
  )
})
