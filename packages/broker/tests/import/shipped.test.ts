// The examples that Mosquitto, NanoMQ and EMQX ship, which are not kept here: `npm run import-suite -- --suite DIR` runs this with a
// folder that has mosquitto/mosquitto.conf, nanomq/*.conf and emqx/*. What comes of each can be started.

import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { importConfig } from "../../src/cli/import.ts"
import { makeCertificates, startedWith } from "./start.ts"

const suite = process.env["IMPORT_SUITE"] ?? ""
const root = mkdtempSync(join(tmpdir(), "puremq-suite-"))
const certs = join(root, "certs")

beforeAll(() => {
  mkdirSync(certs)
  mkdirSync(join(root, "none"))
  makeCertificates(certs)
})
afterAll(() => rmSync(root, { recursive: true }))

/** What of a folder is an example. */
function examplesIn(product: string): string[] {
  const folder = join(suite, product)
  if (suite === "" || !existsSync(folder)) return []
  return readdirSync(folder).filter((name) => readFileSync(join(folder, name), "utf8").trim() !== "")
}

/** Imports a text, and starts a broker with it. Certificates are ours. @returns what was told */
async function importAndStart(product: string, text: string): Promise<string[]> {
  const file = join(root, `${product}.conf`)
  const out = join(root, "puremq.toml")
  writeFileSync(
    file,
    text.replaceAll(/(?:\/?\betc|data|\$\{EMQX_ETC_DIR\}|\{\{ ?platform_etc_dir ?\}\})\/certs\//g, `${certs}/`),
  )
  const told: string[] = []
  const args = [file, "--from", product, "--out", out, "--force"]
  expect(
    await importConfig(
      args,
      () => undefined,
      (line) => told.push(line),
    ),
    told.join("\n"),
  ).toBe(0)
  await startedWith(out)
  return told
}

const [nanomq, emqx] = ["nanomq", "emqx"].map((product) => examplesIn(product).map((name) => [product, name] as const))

describe.skipIf(suite === "")("examples that others ship", { timeout: 120_000 }, () => {
  it.each([...(nanomq ?? []), ...(emqx ?? [])])("%s/%s becomes something that starts", async (product, name) => {
    const told = await importAndStart(product, readFileSync(join(suite, product, name), "utf8"))
    expect(told.at(-1)).toMatch(/: \d+ carried over, \d+ with another meaning, \d+ not carried over/)
  })

  const mosquitto = suite === "" ? "" : join(suite, "mosquitto", "mosquitto.conf")
  const shipped = mosquitto !== "" && existsSync(mosquitto) ? readFileSync(mosquitto, "utf8").split("\n") : []
  const options = shipped.flatMap((line, at) => (/^#[a-z][\w.]*( |$)/.test(line) ? [[line.slice(1), at] as const] : []))

  it.each(options)(
    "mosquitto.conf with %j becomes something that starts, and says what became of it",
    async (option, at) => {
      const { before = [], line } = filled(option)
      const lines = shipped.map((each, index) => (index === at ? [...before, line].join("\n") : each))
      await importAndStart("mosquitto", lines.join("\n"))
      const toml = readFileSync(join(root, "puremq.toml"), "utf8")
      const [key = ""] = line.split(" ")
      // Its place is at the value that it became, or it is a comment.
      expect(toml, line).toMatch(
        new RegExp(`mosquitto\\.conf:${at + 1 + before.length}\\b|${key.replaceAll(/[.]/g, "\\.")}`),
      )
      expect(toml).not.toContain("Mosquitto 2.1 has no such option")
    },
  )

  it("mosquitto.conf with all of them at once becomes something that starts", async () => {
    const all = options.flatMap(([option]) => filled(option).line)
    await importAndStart("mosquitto", all.join("\n"))
  })
})

/** With a value, and what has to stand before it. */
function filled(option: string): { readonly before?: readonly string[]; readonly line: string } {
  const [key = "", ...rest] = option.split(" ")
  const value = rest.join(" ")
  const tls = [`listener 8883`, `certfile ${certs}/server.pem`, `keyfile ${certs}/server-key.pem`]
  const values: Readonly<Record<string, string>> = {
    ...{
      listener: "1883",
      certfile: `${certs}/server.pem`,
      keyfile: `${certs}/server-key.pem`,
      cafile: `${certs}/ca.pem`,
    },
    ...{
      persistence_location: "/var/lib/mosquitto",
      include_dir: join(root, "none"),
      persistent_client_expiration: "2m",
    },
  }
  const line = `${key} ${values[key] ?? (value === "" ? "1" : value)}`
  if (key === "certfile") return { before: [tls[0] ?? "", tls[2] ?? ""], line }
  if (key === "keyfile") return { before: tls.slice(0, 2), line }
  if (["cafile", "require_certificate", "ciphers_tls1.3", "tls_version"].includes(key)) return { before: tls, line }
  if (key === "password_file" || key === "acl_file") {
    writeFileSync(join(root, key), key === "acl_file" ? "topic read #\n" : "# nobody\n")
    return { line: `${key} ${join(root, key)}` }
  }
  return { line }
}
