import { spawn, spawnSync } from "node:child_process"
import { createHash, createPrivateKey, createPublicKey } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { connect as connectTcp, createServer as createTcpServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { PassThrough } from "node:stream"
import * as nodeTls from "node:tls"
import { afterAll, afterEach, describe, expect, it } from "vitest"
import { portOf, until } from "../../tests/tools/sockets.ts"
import { makeCrl, makeLeaf, makeOcsp, makeRoot, privateKeyOf, provider } from "../../tests/x509/pki.ts"
import { pinText } from "../adapters/node/handshake-report.ts"
import { createServer, type Server } from "../adapters/node/server.ts"
import { createDevelopmentCertificates, privateKeyToPem } from "../devcert/index.ts"
import type { TraceEvent } from "../trace/events.ts"
import { toPem } from "../x509/index.ts"
import { readAddress } from "./arguments.ts"
import { run } from "./run.ts"
import { serve } from "./serve.ts"

const folder = mkdtempSync(join(tmpdir(), "tls13-cli-"))
const at = (name: string) => join(folder, name)
const servers: Pick<Server, "close" | "closeAllHandshakes">[] = []

const pem = createDevelopmentCertificates({
  names: ["localhost", "127.0.0.1"],
  clientName: "device-1",
  now: Date.now(),
})
const expired = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() - 1000 * 86_400_000, days: 30 })
for (const [name, text] of Object.entries({ ...pem, expiredCert: expired.serverCert, expiredKey: expired.serverKey })) {
  writeFileSync(at(`${name}.pem`), text)
}
const own = ["--cert", at("serverCert.pem"), "--key", at("serverKey.pem")]
const trust = ["--ca", at("caCert.pem")]
const device = ["--cert", at("clientCert.pem"), "--key", at("clientKey.pem")]

afterAll(() => rmSync(folder, { recursive: true }))
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

function terminal() {
  const [input, output] = [new PassThrough(), new PassThrough()]
  const said: string[] = []
  let shown = ""
  output.on("data", (data) => {
    shown += data.toString("latin1")
  })
  return { input, output, said, say: (line: string) => void said.push(line), shown: () => shown }
}

async function serving(...args: string[]) {
  const io = terminal()
  const server = await serve(["0", ...args], io)
  servers.push(server)
  const address = server.address()
  if (typeof address !== "object" || address === null) throw new Error("no port")
  return { ...io, server, port: address.port }
}

/** Runs `connect` with the given input, to its end. */
async function connecting(port: number, input: string | undefined, ...args: string[]) {
  const io = terminal()
  if (input !== undefined) io.input.end(input)
  const status = await run(["connect", `127.0.0.1:${port}`, ...args], io)
  return { ...io, status, text: io.said.join("\n") }
}

/** As a server that shows this key tells it. */
async function pinOfKey(name: string): Promise<string> {
  const { said } = await serving("--echo", "--raw-public-key", "--key", at(name))
  return /--peer-key (sha256\/\S+)/.exec(said.join("\n"))![1]!
}

async function refused(...args: string[]) {
  const io = terminal()
  const status = await run(args, io)
  expect(io.said).toHaveLength(1)
  return [status, io.said[0]]
}

describe("addresses", () => {
  it("are read as people write them", () => {
    expect(readAddress("example.com:443")).toEqual({ host: "example.com", port: 443 })
    expect(readAddress("[::1]:8443")).toEqual({ host: "::1", port: 8443 })
    expect(readAddress("8443", { host: "127.0.0.1", port: 1 })).toEqual({ host: "127.0.0.1", port: 8443 })
    expect(readAddress("0.0.0.0", { host: "127.0.0.1", port: 4433 })).toEqual({ host: "0.0.0.0", port: 4433 })
  })

  for (const wrong of ["example.com", "a:b", "::1:443", "h:70000", "https://x:1", ""]) {
    it(`${JSON.stringify(wrong)} is none`, () => {
      expect(() => readAddress(wrong)).toThrow(/is no address/)
    })
  }
})

describe("help", () => {
  for (const args of [["--help"], ["connect", "--help"], ["serve", "-h"], ["inspect", "--help"], ["bench", "-h"]]) {
    it(`${args.join(" ")} ends well, and says how`, async () => {
      const io = terminal()
      expect(await run(args, io)).toBe(0)
      expect(io.shown()).toContain("tls13")
      expect(
        Math.max(
          ...io
            .shown()
            .split("\n")
            .map((line) => line.length),
        ),
      ).toBeLessThanOrEqual(120)
    })
  }

  it.each(["version", "--version"])("%s tells name and version", async (word) => {
    const io = terminal()
    expect(await run([word], io)).toBe(0)
    expect(io.shown()).toMatch(/^tls13 \d+\.\d+\.\d+\n$/)
  })

  it("no command is a usage error", async () => {
    expect(await run([], terminal())).toBe(2)
  })
})

describe("one clear line and a status", () => {
  it("for command lines that cannot be used", async () => {
    expect(await refused("listen")).toEqual([2, 'tls13: unknown command listen; see "tls13 --help"'])
    expect(await refused("conect")).toEqual([
      2,
      'tls13: unknown command conect (did you mean connect?); see "tls13 --help"',
    ])
    expect(await refused("serve", "--portt", "1")).toEqual([
      2,
      'tls13: unknown option --portt; see "tls13 serve --help"',
    ])
    expect(await refused("serve", "--ticket=1")).toEqual([
      2,
      'tls13: unknown option --ticket (did you mean --tickets?); see "tls13 serve --help"',
    ])
    expect(await refused("serve", "--cert")).toEqual([2, 'tls13: --cert needs a value; see "tls13 serve --help"'])
    expect(await refused("serve", "--verify", "always")).toEqual([
      2,
      'tls13: --verify must be one of none, request, require, post-handshake, not "always"; see "tls13 serve --help"',
    ])
    expect(await refused("serve", "--tickets", "300")).toEqual([2, expect.stringContaining("from 0 to 255")])
    expect(await refused("serve", "--www", "--echo")).toEqual([2, "tls13: --www and --echo exclude each other"])
    expect(await refused("connect")).toEqual([2, 'tls13: give one HOST:PORT; see "tls13 connect --help"'])
    expect(await refused("connect", "localhost")).toEqual([2, expect.stringContaining('"localhost" is no address')])
    expect(await refused("connect", "x:1", "--psk", "device")).toEqual([2, expect.stringContaining("IDENTITY:KEY")])
    expect(await refused("connect", "x:1", "--psk", "device:0011")).toEqual([2, expect.stringContaining("has 16 bits")])
    expect(await refused("serve", "--raw-public-key")).toEqual([2, expect.stringContaining("give one")])
    expect(await refused("connect", "x:1", "--peer-key", "abc")).toEqual([2, expect.stringContaining("is no pin")])
    expect(await refused("serve", ...own, "--key", at("clientKey.pem"))).toEqual([
      2,
      "tls13: 1 --cert but 2 --key: give them in pairs, in the same order",
    ])
  })

  it("for text files: path, what it is, what to do", async () => {
    const key = createPrivateKey(pem.serverKey)
    const how = { type: "pkcs8", cipher: "aes-256-cbc", passphrase: "open sesame" } as const
    writeFileSync(at("enc.pem"), `\ufeff${key.export({ format: "pem", ...how })}`)
    const strange: [content: string | Uint8Array, said: RegExp][] = [
      [Buffer.from("\ufeffopen sesame", "utf16le"), /it is text in UTF-16; /],
      [Buffer.from("\xfcber", "latin1"), /line 1 is not UTF-8/],
      [Buffer.from("MIACAQMwgAYJKoZIhvcNAQcBoIA=", "base64"), /it is a PKCS#12 file; /],
      [Uint8Array.of(1, 0, 2, 3), /it is a binary file, not text; /],
      ["", /it is empty; /],
    ]
    for (const [content, said] of strange) {
      writeFileSync(at("strange"), content)
      for (const args of [
        ["serve", "--cert", at("serverCert.pem"), "--key", at("enc.pem"), "--key-password-file", at("strange")],
        ["connect", "a:1", "--pin", at("strange")],
        ["connect", "a:1", "--session-file", at("strange")],
      ]) {
        const [status, line] = await refused(...args)
        expect({ args, status, line }).toEqual({ args, status: 1, line: expect.stringMatching(said) })
        expect(line).toContain(at("strange"))
      }
    }
    writeFileSync(at("strange"), "hello\n")
    expect(await refused("connect", "a:1", "--session-file", at("strange"))).toEqual([
      1,
      expect.stringMatching(/strange: no session can be resumed from it; delete it/),
    ])
  })

  it("not for a byte order mark, nor for a pin in PEM, in DER or as a line", async () => {
    const spki = createPublicKey(pem.serverKey).export({ format: "der", type: "spki" })
    const digits = createHash("sha256").update(spki).digest("hex")
    writeFileSync(at("bom-password"), "\ufeffopen sesame\r\n")
    const key = createPrivateKey(pem.serverKey)
    const how = { type: "pkcs8", cipher: "aes-256-cbc", passphrase: "open sesame" } as const
    writeFileSync(at("enc.pem"), `\ufeff${key.export({ format: "pem", ...how })}`)
    const encrypted = ["--key", at("enc.pem"), "--key-password-file", at("bom-password")]
    const { port } = await serving("--echo", "--cert", at("serverCert.pem"), ...encrypted)
    const pins = [`\ufeff${toPem("PUBLIC KEY", spki)}`, spki, `\ufeff${digits}\n`, digits]
    for (const pin of pins) {
      writeFileSync(at("pin"), pin)
      expect(await connecting(port, "x", ...trust, "--pin", at("pin"))).toMatchObject({ status: 0 })
    }
  })

  it("for files", async () => {
    expect(await refused("serve", "--cert", at("absent.pem"))).toEqual([
      1,
      `tls13: ${at("absent.pem")} cannot be read: it does not exist`,
    ])
    expect(await refused("serve", "--cert", at("serverCert.pem"), "--key", at("clientKey.pem"))).toEqual([
      1,
      expect.stringMatching(/serverCert\.pem, .*clientKey\.pem: .*private key/),
    ])
    expect(await refused("serve", "--cert", at("serverKey.pem"), "--key", at("serverKey.pem"))).toEqual([
      1,
      expect.stringContaining("no certificate"),
    ])
    expect(await refused("serve", "--cert", at("expiredCert.pem"), "--key", at("expiredKey.pem"))).toEqual([
      1,
      expect.stringMatching(/expiredCert\.pem: the certificate expired on 20/),
    ])
    expect(await refused("connect", "localhost:1", "--ca", at("serverKey.pem"))).toEqual([
      1,
      expect.stringContaining("serverKey.pem: no certificate"),
    ])
    expect(await refused("connect", "localhost:1", "--keylog", join(folder, "no", "keys"))).toEqual([
      1,
      expect.stringContaining("cannot be written: it does not exist"),
    ])
    expect(await refused("inspect", at("absent.pem"))).toEqual([1, expect.stringContaining("does not exist")])
  })

  it("for the network", async () => {
    const taken = createTcpServer()
    const port = await portOf(taken)
    expect(await refused("serve", `${port}`)).toEqual([
      1,
      `tls13: cannot listen on 127.0.0.1:${port}: the port is taken`,
    ])
    taken.close()
    await once(taken, "close")
    expect(await refused("connect", `127.0.0.1:${port}`)).toEqual([
      1,
      `tls13: cannot connect to 127.0.0.1:${port}: nothing listens there; check host and port, or start a server ("tls13 serve")`,
    ])
    expect(await refused("inspect", `127.0.0.1:${port}`)).toEqual([
      1,
      `tls13: cannot connect to 127.0.0.1:${port}: nothing listens there; check host and port, or start a server ("tls13 serve")`,
    ])
  })
})

describe("connect and serve", () => {
  it("a group that nobody has is named beside each that there is, once", async () => {
    const [, line] = await refused("connect", "127.0.0.1:1", "--groups", "MLKEM2048")
    const [, listed = ""] = /no group MLKEM2048; it has (.*)$/.exec(`${line}`) ?? []
    const names = listed.split(", ")
    expect(names).toContain("MLKEM1024")
    expect(names).toEqual([...new Set(names)])
  })

  it.each([
    ["--groups", "X448", "x448"],
    ["--groups", "x25519,FFDHE2048", "ffdhe2048"],
    ["--groups", "mlkem768", "MLKEM768"],
    ["--sigalgs", "Ed448", "ed448"],
    ["--ciphers", "tls_aes_128_ccm_sha256", "TLS_AES_128_CCM_SHA256"],
  ])("%s %s: a name in other letters is told as it is", async (option, given, meant) => {
    const said = `tls13: ${option} knows no ${given.split(",").at(-1)}: write ${meant}`
    expect(await refused("connect", "127.0.0.1:1", option, given)).toEqual([2, said])
  })

  it("--echo: what is typed comes back, and both sides tell what was agreed", async () => {
    const server = await serving("--echo", ...own, "--alpn", "mqtt")
    const client = await connecting(server.port, "hello\n", ...trust, "--alpn", "h2,mqtt", "--groups", "P-256")
    expect([client.status, client.shown()]).toEqual([0, "hello\n"])
    for (const line of ["cipher suite TLS_", "key exchange secp256r1", 'ALPN         "mqtt"', "verified     yes"]) {
      expect(client.text).toContain(line)
    }
    expect(server.said.at(-1)).toMatch(/^127\.0\.0\.1:\d+ TLSv1\.3 TLS_\w+ secp256r1 new alpn "mqtt" \d+ ms$/)
  })

  it.each(["TLS_AES_128_CCM_SHA256", "TLS_AES_128_CCM_8_SHA256"])("RFC 6655: --ciphers %s", async (suite) => {
    const server = await serving("--echo", ...own, "--ciphers", `TLS_CHACHA20_POLY1305_SHA256,${suite}`)
    const client = await connecting(server.port, "hello\n", ...trust, "--ciphers", suite)
    expect([client.status, client.shown()]).toEqual([0, "hello\n"])
    expect(client.text).toContain(`cipher suite ${suite}\n`)
    const other = await connecting(server.port, "hello\n", ...trust)
    expect(other.text).toContain("cipher suite TLS_CHACHA20_POLY1305_SHA256\n")
  })

  it("without --cert makes a certificate, of which --save-ca writes the authority", async () => {
    const server = await serving("--echo", "--save-ca", at("made.pem"))
    const client = await connecting(server.port, "x", "--ca", at("made.pem"))
    expect([client.status, client.shown()]).toEqual([0, "x"])
  })

  it("a server that is not trusted ends connect; --insecure goes on and says so", async () => {
    const server = await serving("--echo", ...own)
    const strict = await connecting(server.port, "x")
    expect([strict.status, strict.text]).toEqual([1, expect.stringMatching(/^tls13: 127\.0\.0\.1:\d+: .*issuer/)])
    const lax = await connecting(server.port, "x", "--insecure")
    expect([lax.status, lax.shown()]).toEqual([0, "x"])
    expect(lax.text).toMatch(/verified {5}NO: .*issuer/)
  })

  it("--www answers HTTP with what was negotiated", async () => {
    const server = await serving("--www", ...own)
    const client = await connecting(server.port, "GET /x HTTP/1.0\r\n\r\n", ...trust, "--quiet")
    expect(client.shown()).toMatch(/^HTTP\/1\.0 200 OK\r\n/)
    expect(client.shown()).toContain("GET /x HTTP/1.0\n\nprotocol     TLSv1.3\n")
    expect(client.said).toEqual([])
  })

  it("what clients send is shown, and what is typed is sent to them", async () => {
    const server = await serving(...own)
    const io = terminal()
    const ended = run(["connect", `127.0.0.1:${server.port}`, ...trust], io)
    io.input.write("question\n")
    await until(() => server.shown() === "question\n")
    server.input.write("answer\n")
    await until(() => io.shown() === "answer\n")
    io.input.end()
    expect(await ended).toBe(0)
  })

  it("--verify require: client certificates", async () => {
    const server = await serving("--echo", ...own, ...trust, "--verify", "require")
    const without = await connecting(server.port, "x", ...trust)
    expect([without.status, without.text]).toEqual([1, expect.stringContaining("certificate_required")])
    const client = await connecting(server.port, "x", ...trust, ...device)
    expect([client.status, client.shown()]).toEqual([0, "x"])
    expect(server.said.at(-1)).toContain("client CN=device-1 ")
  })

  it("--verify post-handshake: asked for once the connection is there", async () => {
    const server = await serving("--echo", ...own, ...trust, "--verify", "post-handshake")
    const io = terminal()
    const ended = run(["connect", `127.0.0.1:${server.port}`, ...trust, ...device], io)
    await until(() => server.said.some((line) => /client CN=device-1, valid until .* verified yes/.test(line)))
    io.input.end("x")
    expect(await ended).toBe(0)
    expect(io.shown()).toBe("x")
    await connecting(server.port, "x", ...trust)
    await until(() => server.said.some((line) => line.includes("cannot be asked for a certificate")))
  })

  it("RFC 7250: --raw-public-key and --peer-key, on both sides", async () => {
    const show = (name: string) => ["--raw-public-key", "--key", at(name)]
    const trusting = await serving("--echo", ...show("serverKey.pem"))
    const pin = /--peer-key (sha256\/\S+)/.exec(trusting.said.join("\n"))![1]!
    const client = await connecting(trusting.port, "x", "--peer-key", pin)
    expect([client.status, client.shown()]).toEqual([0, "x"])
    expect(client.text).toContain(`server       raw public key ${pin}\n  verified     yes`)
    const wrong = await connecting(trusting.port, "x", "--peer-key", `sha256/${"A".repeat(43)}=`)
    expect([wrong.status, wrong.text]).toEqual([1, expect.stringContaining("raw public key")])

    const asking = await serving("--echo", ...own, "--verify", "require", "--peer-key", await pinOfKey("clientKey.pem"))
    const device = await connecting(asking.port, "x", ...trust, ...show("clientKey.pem"))
    expect([device.status, device.shown()]).toEqual([0, "x"])
    expect(asking.said.at(-1)).toMatch(/client sha256\/\S+ \d+ ms$/)
    const stranger = await connecting(asking.port, "x", ...trust, ...show("serverKey.pem"))
    expect(stranger.status).toBe(1)
  })

  it("--psk: no certificate", async () => {
    const psk = ["--psk", "a:b:00112233445566778899aabbccddeeff"]
    const server = await serving("--echo", ...psk)
    const client = await connecting(server.port, "x", ...psk)
    expect([client.status, client.shown()]).toEqual([0, "x"])
    expect(client.text).toContain("has the pre-shared key a:b")
    const bad = await connecting(server.port, "x", "--psk", "a:b:ff112233445566778899aabbccddeeff")
    expect([bad.status, bad.text]).toEqual([1, expect.stringContaining("decrypt_error")])
  })

  it("--session-file resumes from one run to the next, --early-data uses it", async () => {
    const server = await serving("--echo", ...own, "--early-data", "1000")
    const session = ["--session-file", at("session"), ...trust]
    expect((await connecting(server.port, "x", ...session)).text).not.toContain("resumed")
    expect(statSync(at("session")).mode & 0o777).toBe(0o600)
    const second = await connecting(server.port, "more", ...session, "--early-data", "early\\n")
    expect(second.text).toContain("session resumed")
    expect(second.text).toContain("early data   accepted")
    expect(second.shown()).toBe("early\nmore")
  })

  it("--reconnect resumes again and again", async () => {
    const server = await serving("--echo", ...own)
    const client = await connecting(server.port, "x", ...trust, "--reconnect", "3")
    expect(client.text.match(/protocol .*/g)?.map((line) => line.includes("resumed"))).toEqual([
      false,
      true,
      true,
      true,
    ])
    expect(client.shown()).toBe("x")
  })

  it("--commands: K and B renew keys, Q ends", async () => {
    const server = await serving("--echo", ...own)
    const io = terminal()
    const ended = run(["connect", `127.0.0.1:${server.port}`, ...trust, "--commands", "--trace"], io)
    for (const line of ["one", "K", "two", "B", "three"]) {
      io.input.write(`${line}\n`)
      await new Promise((resolve) => setTimeout(resolve, 30))
    }
    await until(() => io.shown() === "one\ntwo\nthree\n")
    io.input.write("Q\n")
    expect(await ended).toBe(0)
    expect(io.said.filter((line) => /^(sent|received) KeyUpdate/.test(line)).map((line) => line.split(",")[0])).toEqual(
      ["sent KeyUpdate (section 4.7.3)", "sent KeyUpdate (section 4.7.3)", "received KeyUpdate (section 4.7.3)"],
    )
  })

  it("--key-update BYTES renews as it goes", async () => {
    const server = await serving("--echo", ...own, "--key-update", "1000")
    const client = await connecting(server.port, "x".repeat(5000), ...trust, "--key-update", "2000", "--trace")
    expect(client.shown()).toBe("x".repeat(5000))
    expect(client.text).toContain("sent KeyUpdate")
    expect(client.text).toContain("received KeyUpdate")
  })

  it("--cert-compression: the certificate goes compressed", async () => {
    const server = await serving("--echo", ...own, "--cert-compression", "--trace")
    const client = await connecting(server.port, "x", ...trust, "--cert-compression", "--trace")
    expect([client.status, client.shown()]).toEqual([0, "x"])
    expect(client.text).toContain("received CompressedCertificate")
    expect(server.said.join("\n")).toContain("sent CompressedCertificate")
  })

  it("--key-update-peer asks for the peer's renewal too", async () => {
    const server = await serving("--echo", ...own, "--key-update", "1000", "--key-update-peer", "--trace")
    const client = await connecting(server.port, "x".repeat(5000), ...trust)
    expect(client.shown()).toBe("x".repeat(5000))
    expect(server.said.join("\n")).toContain("asks the receiver to update its own keys too")
  })

  it("--trace tells the handshake in words, --keylog writes the keys", async () => {
    const server = await serving("--echo", ...own, "--trace")
    const client = await connecting(server.port, "x", ...trust, "--trace", "--keylog", at("keys"))
    expect(client.text).toContain("sent ClientHello")
    expect(server.said.join("\n")).toMatch(/^127\.0\.0\.1:\d+ received ClientHello/m)
    const keys = readFileSync(at("keys"), "latin1")
    expect(keys).toMatch(/^CLIENT_HANDSHAKE_TRAFFIC_SECRET [0-9a-f]{64} /)
    for (const secret of keys.match(/[0-9a-f]{64}$/gm) ?? []) expect(client.text).not.toContain(secret)
  })

  it("--trace=bytes,secrets has the bytes by field, and the secrets", async () => {
    const server = await serving("--echo", ...own, "--trace=secrets")
    const client = await connecting(server.port, "x", ...trust, "--trace=bytes,secrets", "--keylog", at("more-keys"))
    expect(client.text).toMatch(/^ {4}\| random: [0-9a-f]{64}$/m)
    expect(client.text).toMatch(/^ {4}\| {3}key_share \(type 0033, length [0-9a-f]{4}\): /m)
    const secrets = readFileSync(at("more-keys"), "latin1").match(/[0-9a-f]{64}$/gm) ?? []
    expect(secrets.length).toBeGreaterThan(4)
    for (const secret of secrets) expect(client.text).toContain(`    ${secret}`)
    expect(server.said.join("\n")).toMatch(/ {4}key: [0-9a-f]+$/m)
    expect(server.said.join("\n")).not.toContain("| random")
    expect(await refused("connect", "127.0.0.1:1", "--trace=all")).toEqual([
      2,
      'tls13: --trace takes bytes, secrets or both, as in --trace=bytes,secrets, not "all"',
    ])
  })

  it("many clients at once, and those that fail end nothing", async () => {
    const server = await serving("--echo", ...own)
    for (const garbage of ["GET / HTTP/1.0\r\n\r\n", "", "\x16\x03\x01"]) {
      connectTcp({ port: server.port, host: "127.0.0.1" })
        .on("error", () => undefined)
        .end(garbage)
    }
    const clients = await Promise.all(
      Array.from({ length: 8 }, (_, i) => connecting(server.port, `client ${i}`, ...trust)),
    )
    expect(clients.map(({ status, shown }) => [status, shown()])).toEqual(clients.map((_, i) => [0, `client ${i}`]))
    await until(() => server.said.filter((line) => line.includes("failed: ")).length === 3)
    expect(server.said.find((line) => line.includes("plain HTTP"))).toMatch(
      /client's fault, alert unexpected_message sent/,
    )
  })

  it("--timeout bounds the handshake", async () => {
    const server = await serving("--echo", ...own, "--timeout", "50")
    connectTcp({ port: server.port, host: "127.0.0.1" })
      .on("error", () => undefined)
      .resume()
    await until(() => server.said.some((line) => line.includes("longer than 50 ms")))
  })

  it("ML-KEM groups come in when they are asked for", async () => {
    const server = await serving("--echo", ...own, "--groups", "X25519MLKEM768,x25519")
    const client = await connecting(server.port, "x", ...trust, "--groups", "X25519MLKEM768")
    expect(client.text).toContain("key exchange X25519MLKEM768")
  })
})

describe("which certificates are believed", () => {
  const now = Date.now()
  const day = 86_400_000
  const valid = { notBefore: now - day, notAfter: now + 90 * day }
  const root = makeRoot({ ...valid, key: 7101 })
  const leaf = makeLeaf(root, {
    ...valid,
    subject: { commonName: "127.1" },
    key: 7102,
    serial: Uint8Array.of(7),
    names: ["127.0.0.1"],
  })
  const fresh = { thisUpdate: now - day, nextUpdate: now + day }
  const files: Readonly<Record<string, string | Uint8Array>> = {
    "root.pem": toPem("CERTIFICATE", root.der),
    "leaf.pem": toPem("CERTIFICATE", leaf.der),
    "leaf-key.pem": privateKeyToPem(privateKeyOf(7102)),
    "empty.crl": makeCrl(root, fresh),
    "revoked.crl": toPem("X509 CRL", makeCrl(root, { ...fresh, revoked: [{ serial: Uint8Array.of(7) }] })),
    "good.ocsp": makeOcsp(leaf, root, fresh),
    "revoked.ocsp": makeOcsp(leaf, root, { ...fresh, status: "revoked" }),
  }
  for (const [name, content] of Object.entries(files)) writeFileSync(at(name), content)
  const server = ["--echo", "--cert", at("leaf.pem"), "--key", at("leaf-key.pem")]
  const roots = ["--ca", at("root.pem")]
  const pin = (of: typeof root): string => pinText(of.certificate.spki, provider) ?? ""

  it.each<[string, string[], string[], RegExp | undefined]>([
    ["a list without it", [], ["--crl", at("empty.crl")], undefined],
    ["a list with it", [], ["--crl", at("revoked.crl")], /it was revoked on/],
    ["a list with it, not looked at", [], ["--crl", at("revoked.crl"), "--revocation", "off"], undefined],
    ["no list, and one required", [], ["--revocation", "require"], /no revocation list of its issuer was given/],
    ["a good staple, required", ["--ocsp-response", at("good.ocsp")], ["--ocsp", "require"], undefined],
    ["no staple, and one required", [], ["--ocsp", "require"], /came without a stapled OCSP response/],
    [
      "a staple that says revoked",
      ["--ocsp-response", at("revoked.ocsp")],
      ["--ocsp", "ifPresent"],
      /it was revoked on/,
    ],
    ["a pinned key", [], ["--pin", pin(root)], undefined],
    ["another pinned key", [], ["--pin", pin(makeRoot({ key: 7103 }))], /is one of the pinned keys/],
    ["an authority for this address", [], ["--ca-names", "IP:127.0.0.0/8"], undefined],
    ["an authority for other addresses", [], ["--ca-names", "IP:192.0.2.0/24"], /in none of the permitted subtrees/],
    ["the profile webpki", [], ["--profile", "webpki"], /CA\/B Forum 7\.1\.4\.3/],
  ])("%s", async (_title, serving_, connecting_, expected) => {
    const { port } = await serving(...server, ...serving_)
    const client = await connecting(port, "", ...roots, ...connecting_)
    expect(client.status).toBe(expected === undefined ? 0 : 1)
    if (expected === undefined) expect(client.text).toContain("verified     yes")
    else expect(client.text.split("\n").at(-1)).toMatch(expected)
  })

  it("what makes no sense is one line", async () => {
    expect(await refused("connect", "a:1", "--pin", "abc")).toEqual([
      2,
      expect.stringMatching(/^tls13: --pin: "abc" is no pin/),
    ])
    expect(await refused("connect", "a:1", "--ca-names", "a")).toEqual([2, expect.stringMatching(/--ca-names limits/)])
    expect(await refused("connect", "a:1", "--crl", at("root.pem"))).toEqual([
      1,
      expect.stringMatching(/root\.pem: no revocation list/),
    ])
    expect(await refused("serve", ...server, "--ocsp-response", at("root.pem"))).toEqual([
      1,
      expect.stringMatching(/root\.pem is no OCSP response in DER/),
    ])
    expect(await refused("serve", "--ocsp-response", at("good.ocsp"))).toEqual([
      2,
      expect.stringMatching(/--ocsp-response needs the --cert/),
    ])
  })
})

describe("inspect", () => {
  const text = ({ shown }: ReturnType<typeof terminal>): string => Buffer.from(shown(), "latin1").toString()

  it("a file: what it says, and a status for whether it is accepted", async () => {
    const io = terminal()
    expect(await run(["inspect", at("serverCert.pem"), ...trust, "--name", "localhost"], io)).toBe(0)
    expect(text(io)).toMatch(
      /^\u2714 localhost is trusted as a server, for localhost\n {2}CN=PureMQ development CA +trusted, /,
    )
    expect(text(io)).toContain("DNS:localhost")
    const other = terminal()
    expect(await run(["inspect", at("serverCert.pem"), ...trust, "--name", "other.test", "--json"], other)).toBe(1)
    expect(JSON.parse(other.shown()).verdict).toMatchObject({ accepted: false, reason: "name_mismatch" })
    const late = terminal()
    expect(await run(["inspect", at("expiredCert.pem"), ...trust], late)).toBe(1)
    expect(text(late)).toMatch(/^\u2718 localhost is not trusted as a server: expired\n/)
  })

  it("what it is for decides: a server, a client, or what --for says", async () => {
    const shown = async (...args: string[]): Promise<string> => {
      const io = terminal()
      await run(["inspect", ...args, ...trust], io)
      return text(io).split("\n")[0] ?? ""
    }
    expect(await shown(at("clientCert.pem"))).toMatch(/is trusted as a client$/)
    expect(await shown(at("clientCert.pem"), "--for", "server")).toMatch(
      /is not trusted as a server: extended_key_usage$/,
    )
    expect(await shown(at("clientCert.pem"), "--for", "any")).toMatch(/is trusted$/)
  })

  it("a name that no certificate can be for is a usage error", async () => {
    expect(await refused("inspect", at("serverCert.pem"), ...trust, "--name", "b\u00fccher.example")).toEqual([
      2,
      expect.stringMatching(/^tls13: --name: .* is not ASCII; give internationalised names as A-labels/),
    ])
  })

  it("a server of an older version is told apart", async () => {
    const old = nodeTls.createServer({ cert: pem.serverCert, key: pem.serverKey, maxVersion: "TLSv1.2" })
    old.on("tlsClientError", () => undefined)
    const port = await portOf(old)
    expect(await refused("inspect", `127.0.0.1:${port}`)).toEqual([
      1,
      expect.stringMatching(/it does not speak TLS 1\.3/),
    ])
    old.close()
  })

  it("a machine's roots are a list", async () => {
    writeFileSync(
      at("roots.pem"),
      `${pem.caCert}${createDevelopmentCertificates({ names: ["a"], now: Date.now() }).caCert}`,
    )
    const io = terminal()
    expect(await run(["inspect", at("roots.pem")], io)).toBe(0)
    expect(text(io)).toMatch(/^2 authorities, 2 not expired\n/)
  })

  it.each([
    [
      "garbage.pem",
      "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
      /certificate 1 \(line 1\) cannot be read/,
    ],
    ["text.txt", "hello\n", /neither PEM \(no BEGIN.*\) nor DER/],
    ["empty.pem", "", /it is empty/],
    ["half.pem", pem.caCert.slice(0, 300), /has no END line/],
    ["key.pem", pem.serverKey, /it is a private key/],
  ])("%s is answered with what is wrong, and no stack", async (name, content, expected) => {
    writeFileSync(at(name), content)
    const io = terminal()
    expect(await run(["inspect", at(name)], io)).toBe(1)
    expect(`${text(io)}${io.said.join("\n")}`).toMatch(expected)
    expect(`${text(io)}${io.said.join("\n")}`).not.toContain("    at ")
  })

  it("a server: its chain, also when it is not accepted", async () => {
    const server = await serving("--echo", ...own)
    const good = terminal()
    expect(await run(["inspect", `localhost:${server.port}`, ...trust], good)).toBe(0)
    expect(text(good)).toMatch(/^\u2714 localhost is trusted as a server, for localhost\n/)
    expect(text(good)).toContain("no OCSP response was stapled")
    const bad = terminal()
    expect(await run(["inspect", `localhost:${server.port}`], bad)).toBe(1)
    expect(text(bad)).toContain("is not trusted as a server, for localhost: unknown_issuer")
  })

  it("RFC 9846 6.1: a server: the handshake is called off, by user_canceled and close_notify: nobody is distrusted", async () => {
    const alerts: string[] = []
    const trace = (event: TraceEvent) => {
      if (event.type === "alert" && event.direction === "received") alerts.push(`${event.level} ${event.description}`)
    }
    const server = createServer({ cert: pem.serverCert, key: pem.serverKey, trace })
    servers.push(server)
    const failed = once(server, "tlsClientError")
    const port = await portOf(server)
    expect(await run(["inspect", `localhost:${port}`, ...trust], terminal())).toBe(0)
    const [error] = (await failed) as [Error]
    expect(alerts).toEqual(["1 user_canceled", "1 close_notify"])
    expect(error.message).toBe("peer closed the connection during the handshake")
  })
})

const openssl = spawnSync("openssl", ["version"]).status === 0

describe.skipIf(!openssl)("with OpenSSL's own commands (not installed here when skipped)", () => {
  it("s_client talks to serve", async () => {
    const server = await serving("--echo", ...own)
    const child = spawn("openssl", [
      "s_client",
      "-connect",
      `127.0.0.1:${server.port}`,
      "-quiet",
      "-CAfile",
      at("caCert.pem"),
    ])
    let got = ""
    child.stdout.on("data", (data) => {
      got += data
    })
    child.stdin.write("hello\n")
    await until(() => got === "hello\n")
    child.kill()
  })

  it("connect renews keys under s_server", async () => {
    const child = spawn("openssl", [
      "s_server",
      "-accept",
      "127.0.0.1:0",
      "-cert",
      at("serverCert.pem"),
      "-key",
      at("serverKey.pem"),
      "-tls1_3",
      "-rev",
    ])
    let told = ""
    child.stdout.on("data", (data) => {
      told += data
    })
    await until(() => /ACCEPT 127\.0\.0\.1:\d+/.test(told))
    const port = Number(/ACCEPT 127\.0\.0\.1:(\d+)/.exec(told)?.[1])
    const io = terminal()
    const ended = run(["connect", `127.0.0.1:${port}`, ...trust, "--commands"], io)
    io.input.write("abc\n")
    await until(() => io.shown() === "cba\n")
    io.input.write("B\n")
    await until(() => io.said.some((line) => line.includes("renewed")))
    io.input.write("xyz\n")
    await until(() => io.shown() === "cba\nzyx\n")
    io.input.write("Q\n")
    expect(await ended).toBe(0)
    child.kill()
  })
})

describe("Node's TLS", () => {
  it("connect talks to its server", async () => {
    const server = nodeTls.createServer({ cert: pem.serverCert, key: pem.serverKey, allowHalfOpen: true }, (socket) =>
      socket.pipe(socket),
    )
    const port = await portOf(server)
    const client = await connecting(port, "hello", ...trust)
    server.close()
    expect([client.status, client.shown()]).toEqual([0, "hello"])
  })
})
