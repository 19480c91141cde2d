// The files that the commands take: PEM, DER and encrypted keys; and one line for what they cannot use.

import { execFileSync } from "node:child_process"
import { createPrivateKey, X509Certificate } from "node:crypto"
import { readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs"
import { createAuthority, createDevelopmentCertificates, createRevocationList } from "@puremq/tls13/devcert"
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

const line = (user: string): string => `${user}:$scrypt$ln=10,r=8,p=1$${"A".repeat(22)}$${"A".repeat(43)}`

/** What mistakes make of a text file, and what is said of it. */
const strange: Record<string, { readonly content: string | Uint8Array; readonly said: RegExp }> = {
  "s-utf16": {
    content: Buffer.from("\ufeffalice", "utf16le"),
    said: /it is text in UTF-16; save it as UTF-8, or convert/,
  },
  "s-latin1": {
    content: Buffer.from("# users\nm\xfcller\n", "latin1"),
    said: /line 2 is not UTF-8, so .*Latin-1; save it as UTF-8, or convert it with `iconv/,
  },
  "s-pkcs12": { content: Buffer.from("MIACAQMwgAYJKoZIhvcNAQcBoIA=", "base64"), said: /it is a PKCS#12 file; wanted / },
  "s-der": { content: der(made.caCert), said: /it is a certificate; wanted / },
  "s-pem": { content: made.serverKey, said: /it is a private key; wanted / },
  "s-binary": {
    content: Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 0, 1, 2, 3),
    said: /it is a binary file, not text; wanted /,
  },
  "s-empty": { content: "", said: /it is empty; wanted / },
  "s-blank": { content: " \n\n", said: /it is empty; wanted / },
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
    "no-password": "\nopen sesame\n",
    "bundle.pem": `${made.caCert}${negativeSerial(other.caCert)}`,
    "unusable.pem": negativeSerial(other.caCert),
    "utf16.pem": Buffer.from(`\ufeff${made.serverCert}`, "utf16le"),
    "text.pem": "hello\n",
    "bom-enc.pem": `\ufeff${encrypted(made.serverKey, "pem")}`,
    "bom-cert.pem": `\ufeff${made.serverCert}`,
    "bom-password": "\ufeffopen sesame\r\n",
    "bom-users": `\ufeff${line("alice")}\r\n\ufeff${line("bob")}\r\n`,
    "bom-acl": "\ufeffuser alice readwrite a/#\r\n",
    "bom.json": `\ufeff${JSON.stringify({ listeners: [{ type: "tcp", port: 0 }] })}`,
    ...Object.fromEntries(Object.entries(strange).map(([name, { content }]) => [name, content])),
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
    [
      "byte order marks in front of everything",
      server("bom-cert.pem", "bom-enc.pem", "--key-password-file", "bom-password"),
    ],
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

  it.each(Object.keys(strange))(
    "%s as password file, access control list, key password and configuration: path, what it is, what to do",
    { timeout: patience },
    async (name) => {
      const uses: [what: string, args: string[]][] = [
        ["the password file", ["--no-tls", "--tcp", "0", "--password-file", name]],
        ["the access control list", ["--no-tls", "--tcp", "0", "--acl", name]],
        ["the key's password", server("cert.pem", "enc.pem", "--key-password-file", name).slice(1)],
        ["the configuration", ["--config", name]],
      ]
      for (const [what, args] of uses) {
        const { status, out, err } = await command.run(["start", ...args])
        expect({ what, status, out, lines: err.split("\n").length }).toEqual({ what, status: 1, out: "", lines: 2 })
        expect(err).toMatch(new RegExp(`^puremq: cannot use ${what} \\S*${name}: `))
        expect(err).toMatch(strange[name]!.said)
      }
    },
  )

  it.each([
    [
      "users",
      ["--password-file", "text.pem"],
      /^puremq: cannot use the password file \S*text\.pem, line 1: expected NAME/,
    ],
    [
      "rules",
      ["--acl", "text.pem"],
      /^puremq: cannot use the access control list \S*text\.pem, line 1: expected: user/,
    ],
  ])("%s with a line that is none: path and line", { timeout: patience }, async (_, args, said) => {
    const { status, err } = await command.run(["start", "--no-tls", "--tcp", "0", ...args])
    expect([status, err.split("\n").length]).toEqual([1, 2])
    expect(err).toMatch(said)
  })

  it("puremq pub -f with a file that is not there", { timeout: patience }, async () => {
    const { status, err } = await command.run(["pub", "--tcp", "-p", "1", "-t", "a", "-f", "absent"])
    expect([status, err]).toEqual([1, "puremq: cannot read the message absent: there is no such file\n"])
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

describe("text files", () => {
  it("a byte order mark, also within files that were put together, is no part of users and rules", {
    timeout: patience,
  }, async () => {
    writeFileSync(command.at("bom-own"), `\ufeff${line("alice")}\r\n\ufeff${line("bob")}\r\n`)
    for (const user of ["alice", "bob"]) {
      const { status, out } = await command.run(["passwd", "bom-own", user, "--delete"])
      expect([status, out]).toEqual([0, `Deleted ${user} from bom-own\n`])
    }
    for (const args of [
      ["--config", "bom.json"],
      ["--no-tls", "--tcp", "0", "--password-file", "bom-users", "--acl", "bom-acl"],
      // What is left of the users is no empty file.
      ["--no-tls", "--tcp", "0", "--password-file", "bom-own"],
    ]) {
      const broker = command.start(["start", ...args])
      await broker.until(/tcp on 127\.0\.0\.1:(\d+)/)
      broker.child.kill("SIGTERM")
      expect((await broker.ended).err).toBe("")
    }
  })

  it("a reload with one of them that cannot be used is refused whole, and says which and why", {
    timeout: patience,
  }, async () => {
    const authority = createAuthority({ now: Date.now() })
    const list = createRevocationList({ issuer: authority, revoked: [], now: Date.now() })
    const live = (): void => {
      writeFileSync(command.at("live-users"), `${line("alice")}\n`)
      writeFileSync(command.at("live-acl"), "all readwrite #\n")
      writeFileSync(command.at("live-ca"), made.caCert)
      writeFileSync(command.at("live-crl"), list)
      writeFileSync(command.at("live-password"), "open sesame\n")
    }
    live()
    const files = ["--password-file", "live-users", "--acl", "live-acl", "--ca", "live-ca", "--crl", "live-crl"]
    const broker = command.start(server("cert.pem", "enc.pem", "--key-password-file", "live-password", ...files))
    await broker.until(/tls on/)
    const uses = { "live-users": "s-utf16", "live-acl": "s-latin1", "live-password": "s-binary" }
    const refusals: [name: string, content: string | Uint8Array, said: RegExp][] = [
      ...Object.entries(uses).map(([name, kind]): [string, string | Uint8Array, RegExp] => [
        name,
        strange[kind]!.content,
        strange[kind]!.said,
      ]),
      ["live-ca", strange["s-utf16"]!.content, /it is text in UTF-16/],
      ["live-crl", "", /it is empty/],
    ]
    for (const [name, content, said] of refusals) {
      live()
      writeFileSync(command.at(name), content)
      const before = broker.out.length
      broker.child.kill("SIGHUP")
      await broker.until(new RegExp(`error text="nothing was reloaded, [^\n]*${name}[^\n]*`))
      expect(broker.out.slice(before)).toMatch(said)
      expect(broker.out).not.toMatch(/ reloaded text/)
    }
    broker.child.kill("SIGTERM")
    expect((await broker.ended).err).toBe("")
  })

  it.skipIf(process.platform === "win32").each<[string, string, (path: string) => void, RegExp]>([
    ["a link that leads back to itself", "looped", (path) => symlinkSync(path, path), /leads back to itself/],
    ["a link to what no name may be", "long", (path) => symlinkSync("x".repeat(300), path), /long/],
    [
      "a pipe that nobody writes into",
      "pipe",
      (path) => execFileSync("mkfifo", [path]),
      /is a pipe, .* needs a restart/,
    ],
  ])(
    "%s in the place of a file is looked at and refused by a broker that goes on",
    { timeout: patience },
    async (...row) => {
      const [, name, put, said] = row
      const users = command.at(`${name}-users`)
      writeFileSync(users, `${line("alice")}\n`)
      const broker = command.start(server("cert.pem", "key.pem", "--password-file", `${name}-users`, "--reload", "1"))
      await broker.until(/tls on/)
      rmSync(users)
      put(users)
      const [refused] = await broker.until(/error text="nothing was reloaded, .*/)
      expect(refused).toMatch(said)
      rmSync(users)
      writeFileSync(users, `${line("bob")}\n`)
      await broker.until(/ reloaded text=".*users: 1, 1 added, 1 removed/)
      broker.child.kill("SIGTERM")
      expect((await broker.ended).err).toBe("")
    },
  )
})
