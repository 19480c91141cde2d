// The files that the commands take: PEM, DER and encrypted keys; and one line for what they cannot use.

import { createPrivateKey, X509Certificate } from "node:crypto"
import { readFileSync, writeFileSync } from "node:fs"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Command } from "../../tests/command.ts"

const command = new Command()
const patience = 120_000
const made = createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], clientName: "device", now: Date.now() })
const other = createDevelopmentCertificates({ names: ["localhost"], clientName: "device", now: Date.now() })
const der = (pem: string): Uint8Array => new X509Certificate(pem).raw

/** A certificate with the serial number of another sign: it stands in the bundle, and no path needs it. */
function negativeSerial(pem: string): string {
  const bytes = Buffer.from(der(pem))
  const at = bytes.indexOf(Buffer.from([0xa0, 3, 2, 1, 2, 2])) + 7
  bytes[at] = 0x85
  const lines = bytes.toString("base64").match(/.{1,64}/g) ?? []
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`
}

function encrypted(pem: string, format: "pem" | "der"): string | Buffer {
  const how = { type: "pkcs8", cipher: "aes-256-cbc", passphrase: "open sesame" } as const
  const key = createPrivateKey(pem)
  return format === "pem" ? key.export({ format: "pem", ...how }) : key.export({ format: "der", ...how })
}

beforeAll(async () => {
  await command.build()
  const files: Record<string, string | Uint8Array> = {
    "ca.pem": made.caCert,
    "ca.der": der(made.caCert),
    "cert.pem": made.serverCert,
    "cert.der": der(made.serverCert),
    "key.pem": made.serverKey,
    "key.der": createPrivateKey(made.serverKey).export({ format: "der", type: "pkcs8" }),
    "sec1.der": createPrivateKey(made.serverKey).export({ format: "der", type: "sec1" }),
    "enc.pem": encrypted(made.serverKey, "pem"),
    "enc.der": encrypted(made.serverKey, "der"),
    "client.der": der(made.clientCert ?? ""),
    "client-enc.der": encrypted(made.clientKey ?? "", "der"),
    "client.pem": made.clientCert ?? "",
    "other-key.pem": other.clientKey ?? "",
    password: "open sesame\n",
    "wrong-password": "open barley",
    "no-password": "\n",
    "bundle.pem": `${made.caCert}${negativeSerial(other.caCert)}`,
    "unusable.pem": negativeSerial(other.caCert),
    "utf16.pem": Buffer.from(`\ufeff${made.serverCert}`, "utf16le"),
    "text.pem": "hello\n",
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(command.at(name), content)
}, patience)
afterAll(() => command.remove())

const server = (cert: string, key: string, ...more: string[]) => [
  "start",
  "--tls",
  "0",
  "--cert",
  cert,
  "--key",
  key,
  ...more,
]
const password = ["--key-password-file", "password"]

describe("puremq start", () => {
  it.each([
    ["DER", server("cert.der", "key.der")],
    ["a SEC 1 key in DER", server("cert.pem", "sec1.der")],
    ["an encrypted key", server("cert.pem", "enc.pem", ...password)],
    ["an encrypted key in DER", server("cert.der", "enc.der", ...password)],
    ["a password for a key that needs none", server("cert.pem", "key.pem", ...password)],
  ])("serves with %s", { timeout: patience }, async (_, args) => {
    const broker = command.start(args)
    const [, port = ""] = await broker.until(/tls on 127\.0\.0\.1:(\d+)/)
    const pub = ["pub", "-p", port, "--ca", "ca.der", "-t", "a", "-m", "b", "-q", "1"]
    expect(await command.run(pub)).toEqual({ status: 0, out: "", err: "" })
    broker.child.kill("SIGTERM")
    expect((await broker.ended).status).toBe(0)
  })

  it("takes all of it from a configuration file, and clients with DER and encrypted keys", {
    timeout: patience,
  }, async () => {
    const listener = {
      type: "tls",
      port: 0,
      cert: "cert.der",
      key: "enc.der",
      keyPasswordFile: "password",
      ca: "ca.der",
    }
    const config = { listeners: [{ ...listener, clientCertificate: "require" }] }
    writeFileSync(command.at("puremq.json"), JSON.stringify(config))
    const broker = command.start(["start", "--config", "puremq.json"])
    const [, port = ""] = await broker.until(/tls on 127\.0\.0\.1:(\d+)/)
    const pub = ["pub", "-p", port, "--ca", "ca.pem", "-t", "a", "-m", "b", "-q", "1"]
    const result = await command.run([...pub, "--cert", "client.der", "--key", "client-enc.der", ...password])
    expect(result).toEqual({ status: 0, out: "", err: "" })
    await broker.until(/client connected .*user=device/)
    broker.child.kill("SIGTERM")
    await broker.ended
  })

  it("an authority that cannot be read is left out, and told", { timeout: patience }, async () => {
    const broker = command.start(server("cert.pem", "key.pem", "--ca", "bundle.pem"))
    await broker.until(/tls on 127\.0\.0\.1:(\d+)/)
    const line = readFileSync(command.at("ca.pem"), "utf8").split("\n").length
    expect(broker.out).toMatch(
      new RegExp(
        `warning text="bundle\\.pem: certificate 2 \\(line ${line}\\) cannot be used: the serial number is negative; it is left out"`,
      ),
    )
    broker.child.kill("SIGTERM")
    const { err } = await broker.ended
    expect(err).toBe("")
  })
})

const pub = (...more: string[]) => ["pub", "-p", "1", "-t", "a", "-m", "b", ...more]

describe("what cannot be used is told in one line", () => {
  it.each([
    [
      "an encrypted key",
      server("cert.pem", "enc.pem"),
      /it is an encrypted private key; give its password \(--key-password-file/,
    ],
    [
      "a wrong password",
      server("cert.pem", "enc.pem", "--key-password-file", "wrong-password"),
      /enc\.pem: its password is wrong/,
    ],
    [
      "no password",
      server("cert.pem", "enc.pem", "--key-password-file", "no-password"),
      /no-password holds no password/,
    ],
    ["UTF-16", server("utf16.pem", "key.pem"), /it is text in UTF-16; convert it with `iconv/],
    ["a key as certificate", server("key.der", "key.pem"), /key\.der: no certificate: it is a private key/],
    [
      "only what cannot be used as --ca",
      server("cert.pem", "key.pem", "--ca", "unusable.pem"),
      /unusable\.pem: certificate 1 \(line 1\)/,
    ],
    [
      "a client's key without its password",
      pub("--cert", "client.pem", "--key", "client-enc.der"),
      /it is an encrypted private key/,
    ],
    ["another client's key", pub("--cert", "client.pem", "--key", "other-key.pem"), /does not belong/],
    ["a client's --ca with a key in it", pub("--ca", "key.pem"), /key\.pem: no certificate: it is a private key/],
    ["a client's --ca of text", pub("--ca", "text.pem"), /neither PEM .* nor DER/],
    ["a client's certificate that is none", pub("--cert", "text.pem", "--key", "key.pem"), /text\.pem/],
    ["a file that is not there", pub("--cert", "absent", "--key", "key.pem"), /absent: there is no such file/],
  ])("%s", { timeout: patience }, async (_, args, said) => {
    const { status, out, err } = await command.run(args)
    expect({ status, out, lines: err.split("\n").length }).toEqual({ status: 1, out: "", lines: 2 })
    expect(err).toMatch(/^puremq: cannot use |^puremq: cannot read |^puremq: \S+ holds no/)
    expect(err).toMatch(said)
  })

  it.each(["sub", "pub"])(
    "puremq %s: --cert without --key, and --key without --cert",
    { timeout: patience },
    async (name) => {
      const more = name === "pub" ? ["-m", "b"] : []
      for (const given of [
        ["--cert", "client.pem"],
        ["--key", "key.pem"],
      ]) {
        const { status, err } = await command.run([name, "-p", "1", "-t", "a", ...more, ...given])
        expect([status, err.split("\n").length]).toEqual([2, 2])
        expect(err).toMatch(/go together/)
      }
    },
  )
})
