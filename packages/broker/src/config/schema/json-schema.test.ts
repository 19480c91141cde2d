// The JSON Schema that is committed is that of the table: `npx vitest run packages/broker/src/config/schema -u` writes it. And what
// it says of a configuration is what the broker says, as far as a schema can.

import { readFileSync } from "node:fs"
import { Ajv2020 } from "ajv/dist/2020.js"
import { parse } from "smol-toml"
import { describe, expect, it } from "vitest"
import { checkFileConfig } from "../check.ts"
import { configurationSchema } from "./json-schema.ts"
import { options } from "./options.ts"

const schema = configurationSchema(options)
const ajv = new Ajv2020({ strict: true, allowUnionTypes: true, strictRequired: false })
const validate = ajv.compile(schema)

it("puremq.schema.json is that of the table", async () => {
  await expect(`${JSON.stringify(schema, undefined, 2)}\n`).toMatchFileSnapshot("../../../puremq.schema.json")
})

describe("takes what the broker takes", () => {
  it.each([
    {},
    { listeners: { tls: { port: 1, cert: "c", key: "k" }, office: { type: "ws", port: 2, origins: ["*"] } } },
    { listeners: { tls: { type: "wss", port: 1, cert: "c", key: "k", path: "/mqtt" } } },
    { listeners: [{ type: "tcp", port: 0, proxyProtocol: { trusted: ["10.0.0.0/8"] } }] },
    { limits: { maximumConnections: 1, connectTimeout: 500 }, features: { maximumQos: 1 }, log: "json" },
    { metrics: { port: 9100 }, store: { type: "memory" }, serverReference: { server: "a:1" } },
  ])("%j", (value) => {
    expect(() => checkFileConfig(value)).not.toThrow()
    expect([validate(value), validate.errors]).toEqual([true, null])
    expect(validate({ ...value, $schema: "./puremq.schema.json" })).toBe(true)
  })

  it("of each wrong configuration that the broker refuses for what is in the file, or less", () => {
    const path = new URL("../../../tests/configuration/wrong.toml", import.meta.url)
    const { wrong } = parse(readFileSync(path, "utf8")) as unknown as {
      wrong: { name: string; toml?: string; says: string }[]
    }
    let refused = 0
    for (const { toml } of wrong) {
      let value: unknown
      try {
        value = parse(toml ?? "")
      } catch {
        continue
      }
      let isGood = true
      try {
        checkFileConfig(value)
      } catch {
        isGood = false
      }
      // What it refuses is wrong. It lets through what only the broker knows.
      if (!validate(value)) {
        refused++
        expect([toml, isGood]).toEqual([toml, false])
      }
    }
    expect(refused).toBeGreaterThan(35)
  })
})

describe("refuses what the broker refuses", () => {
  it.each([
    { listeners: { office: { port: 1 } } },
    { listeners: { tcp: { port: 1, cert: "c" } } },
    { listeners: { tls: { port: 1 } } },
    { listeners: { "a b": { type: "tcp", port: 1 } } },
    { listeners: [{ port: 1 }] },
    { listeners: [{ type: "tcp", port: 65_536 }] },
    { limits: { maximumConnection: 1 } },
    { limits: { connectTimeout: "10s" } },
    { log: "yaml" },
    { metrics: {} },
    { nothing: 1 },
  ])("%j", (value) => {
    expect(() => checkFileConfig(value)).toThrow()
    expect(validate(value)).toBe(false)
  })
})
