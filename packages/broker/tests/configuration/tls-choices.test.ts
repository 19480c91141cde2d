// What of TLS a listener offers, by its own configuration file: suites, groups, signature schemes, a staple, tickets and their keys.

import { spawnSync } from "node:child_process"
import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { createX25519MLKEM768 } from "@puremq/tls13/crypto/fast-pq"
import { createHostProvider } from "@puremq/tls13/crypto/host"
import { createNamed, generateBrainpoolKey, generateEd448Key, publicKeyOfAny } from "@puremq/tls13/crypto/more"
import { createNobleProvider } from "@puremq/tls13/crypto/noble"
import { certificateToPem, createAuthority, createLeaf, privateKeyToPem } from "@puremq/tls13/devcert"
import { type ConnectOptions, connect } from "@puremq/tls13/node"
import { parseCertificate } from "@puremq/tls13/x509"
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest"
import type { LogEvent } from "../../src/admin/log.ts"
import { cert } from "../../src/cli/cert.ts"
import { schemesToAdd } from "../../src/config/certificate.ts"
import { loadConfigFile } from "../../src/config/load.ts"
import { groups, isAdded, providerWith, signatureSchemes, suites } from "../../src/listen/tls-choices.ts"
import { createBroker, type PureMqBroker } from "../../src/platform/node.ts"

const now = Date.now()
const authority = createAuthority({ now })
const server = createLeaf({ now, issuer: authority, usage: "server", names: ["localhost"] })
const ca = certificateToPem(authority)

let folder = ""
const at = (name: string) => join(folder, name)
const write = (name: string, content: string | Uint8Array): void => writeFileSync(at(name), content)
const brokers: PureMqBroker[] = []
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "puremq-"))
  write("ca.pem", ca)
  write("ca-key.pem", privateKeyToPem(authority.privateKey))
  write("cert.pem", certificateToPem(server))
  write("key.pem", privateKeyToPem(server.privateKey))
})
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()))
})
afterAll(() => rmSync(folder, { recursive: true }))

const usualFiles = 'cert = "cert.pem"\nkey = "key.pem"'

const load = (more: string, files: string = usualFiles) => {
  write("puremq.toml", `store.type = "memory"\n[listeners.tls]\nport = 0\n${files}\n${more}\n`)
  return loadConfigFile(at("puremq.toml"), Date.now())
}

async function start(more: string, files?: string) {
  const events: LogEvent[] = []
  const { config, warnings } = load(more, files)
  const broker = createBroker({ ...config, onEvent: (event) => events.push(event) })
  brokers.push(broker)
  const [{ port = 0 } = {}] = await broker.listen()
  const shake = async (options: Partial<ConnectOptions> = {}) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: "localhost",
      ca,
      ALPNProtocols: ["mqtt"],
      ...options,
    })
    await once(socket, "secureConnect")
    return socket
  }
  const session = async () => {
    const socket = await shake()
    const [given] = await once(socket, "session")
    socket.destroy()
    return given
  }
  const resumes = async (given: Buffer) => {
    const socket = await shake({ session: given })
    socket.destroy()
    return socket.isSessionReused()
  }
  const handshake = async () => {
    await expect.poll(() => events.some(({ event }) => event === "tls handshake")).toBe(true)
    return events.findLast(({ event }) => event === "tls handshake")
  }
  return { broker, events, shake, session, resumes, handshake, warnings }
}

describe("what is offered", () => {
  it("each name is one that every provider has, or that an entry of its own adds", () => {
    for (const provider of [createFastProvider(), createNobleProvider(), createHostProvider()]) {
      expect([...suites].sort()).toEqual(provider.cipherSuites.map(({ name }) => name).sort())
      const plain = groups.filter((group) => !isAdded(group, "host"))
      expect([...plain].sort()).toEqual(provider.keyExchanges.map(({ name }) => name).sort())
    }
    expect(signatureSchemes.filter((scheme) => !isAdded(scheme, "mixed"))).toHaveLength(10)
    const more = createNamed([...groups, ...signatureSchemes])
    expect(more.keyExchanges.map(({ name }) => name)).toEqual(
      groups.filter((group) => isAdded(group, "mixed") && !group.includes("MLKEM")),
    )
    expect(more.signatures).toHaveLength(4)
  })

  it("a suite, a group and no others", async () => {
    const { shake, handshake } = await start(
      'suites = ["TLS_AES_256_GCM_SHA384"]\ngroups = ["secp256r1"]\nsignatureSchemes = ["ecdsa_secp256r1_sha256"]\nversions = ["TLSv1.3"]\nearlyData = false',
    )
    ;(await shake()).destroy()
    expect(await handshake()).toMatchObject({ suite: "TLS_AES_256_GCM_SHA384", group: "secp256r1" })
    await expect(shake({ ciphers: "TLS_CHACHA20_POLY1305_SHA256" })).rejects.toThrow()
    await expect(shake({ ecdhCurve: "X25519" })).rejects.toThrow()
  })

  it.each(["mixed", "fast", "noble", "host"])("a group of ML-KEM with the provider %s", async (name) => {
    const { shake, handshake } = await start(`provider = "${name}"\ngroups = ["X25519MLKEM768", "x25519"]`)
    const fast = createFastProvider()
    const provider = { ...fast, keyExchanges: [createX25519MLKEM768(), ...fast.keyExchanges] }
    ;(await shake({ provider })).destroy()
    expect(await handshake()).toMatchObject({ group: "X25519MLKEM768" })
  })

  it.each(["x448", "ffdhe2048", "brainpoolP256r1tls13"])("the group %s, which few clients have", async (group) => {
    const { shake, handshake } = await start(`groups = ["${group}"]`)
    const fast = createFastProvider()
    const provider = { ...fast, keyExchanges: createNamed([group]).keyExchanges }
    ;(await shake({ provider })).destroy()
    expect(await handshake()).toMatchObject({ group })
    await expect(shake()).rejects.toThrow()
  })

  it("a certificate with a key of Ed448, whose scheme has to be named", async () => {
    const { random, ...plain } = createFastProvider()
    const provider = { ...plain, random, signatures: [...plain.signatures, ...createNamed(["ed448"]).signatures] }
    const privateKey = generateEd448Key(random)
    const keyPair = { privateKey, publicKey: publicKeyOfAny(privateKey) }
    const leaf = createLeaf({ now, issuer: authority, usage: "server", names: ["localhost"], keyPair })
    write("cert.pem", certificateToPem(leaf))
    write("key.pem", privateKeyToPem(leaf.privateKey))
    try {
      expect(() => load("")).toThrow(
        /key of the certificate, Ed448, signs by ed448 alone: name it in listeners\.tls\.s/,
      )
      const { shake } = await start('signatureSchemes = ["ed448", "ecdsa_secp256r1_sha256"]')
      ;(await shake({ provider })).destroy()
      await expect(shake()).rejects.toThrow()
    } finally {
      write("cert.pem", certificateToPem(server))
      write("key.pem", privateKeyToPem(server.privateKey))
    }
  })

  it("a client has the schemes of its certificates and authorities that nobody has of himself", async () => {
    const { random } = createFastProvider()
    const { signatures } = createNamed(["ed448", "ecdsa_brainpoolP384r1tls13_sha384"])
    const provider = { ...createNobleProvider(), signatures }
    const made = [generateEd448Key(random), generateBrainpoolKey("brainpoolP384r1", random)].map((privateKey) => {
      const keyPair = { privateKey, publicKey: publicKeyOfAny(privateKey) }
      return certificateToPem(createAuthority({ now, provider, keyPair }))
    })
    expect(schemesToAdd([made.join("")])).toEqual(["ed448", "ecdsa_brainpoolP384r1tls13_sha384"])
    expect(schemesToAdd([ca, made[0]!])).toEqual(["ed448"])
    await cert(["--key", "ml-dsa-44", "--dir", at("mldsa")], () => undefined)
    expect(schemesToAdd([ca, readFileSync(at("mldsa/ca.pem"), "utf8"), "", "no certificate"])).toEqual([])
  })

  it("a certificate of ML-DSA, as `puremq cert --key` makes it, and clients that have one", async () => {
    await cert(["--key", "ml-dsa-44", "--dir", at("pq")], () => undefined)
    const read = (name: string) => readFileSync(at(`pq/${name}.pem`), "utf8")
    const files = 'cert = "pq/server.pem"\nkey = "pq/server-key.pem"\nca = "pq/ca.pem"'
    const { shake, handshake } = await start('clientCertificate = "require"', files)
    const provider = await providerWith("fast", [], true)
    const socket = await shake({ ca: read("ca"), cert: read("client"), key: read("client-key"), provider })
    expect(socket.info).toMatchObject({ group: "X25519MLKEM768", peerSignatureScheme: "mldsa44" })
    socket.destroy()
    expect(await handshake()).toMatchObject({ group: "X25519MLKEM768", identity: "CN=client" })
    const alone = () => load("workers = 1", files)
    expect(alone).toThrow(/tls\.workers do not compute ML-DSA, which the certificate is of/)
  })

  it("a certificate of ML-DSA is not taken by a reload where there was none: no client could be answered", async () => {
    await cert(["--key", "ml-dsa-44", "--dir", at("later")], () => undefined)
    const [own, mlDsa] = ["", "later/"].map((place) => {
      const read = (name: string) => readFileSync(at(`${place}${name}.pem`), "utf8")
      return place === "" ? { cert: read("cert"), key: read("key") } : { cert: read("server"), key: read("server-key") }
    })
    const { broker, shake } = await start("")
    expect(() => broker.reload({ certificates: [mlDsa] })).toThrow(/ML-DSA .*needs a restart/)
    const authority = readFileSync(at("later/ca.pem"), "utf8")
    expect(() => broker.reload({ certificates: [{ ...own!, ca: authority }] })).toThrow(/ML-DSA .*needs a restart/)
    ;(await shake()).destroy()
    const named = await start('signatureSchemes = ["ecdsa_secp256r1_sha256", "mldsa44"]')
    named.broker.reload({ certificates: [mlDsa] })
    const provider = await providerWith("fast", [], true)
    ;(await named.shake({ ca: authority, provider })).destroy()
  })

  it.each([
    ['versions = ["TLSv1.2"]', /versions\[0\] must be TLSv1\.3, not "TLSv1\.2": nothing older is spoken here/],
    ['versions = ["1.3"]', /versions\[0\] must be TLSv1\.3, not "1\.3": write "TLSv1\.3"/],
    ["earlyData = true", /earlyData must be false, not true: whoever records early data can send it again/],
    ['suites = ["TLS_AES_128_GCM_SHA257"]', /suites\[0\] must be one of .*: did you mean `TLS_AES_128_GCM_SHA256`\?/],
    ['groups = ["X25519"]', /groups\[0\] must be one of .*: write "x25519"/],
    [
      'groups = ["MLKEM768"]\nworkers = 1',
      /tls\.groups has a group that is there only when it is named, which workers do not compute/,
    ],
    [
      'signatureSchemes = ["ed448"]',
      /tls\.signatureSchemes has none that the key of the certificate, EC P-256, can sign with: add ecdsa_secp256r1_sha256/,
    ],
    ["tickets = { count = 17 }", /tickets\.count must be a whole number from 0 to 16/],
  ])("%s is refused", (more, said) => {
    expect(() => load(more)).toThrow(said)
  })
})

describe("tickets", () => {
  it("none, and their time", async () => {
    const none = await start("tickets = { count = 0 }")
    const socket = await none.shake()
    let given = false
    socket.on("session", () => {
      given = true
    })
    socket.end()
    socket.resume()
    await once(socket, "close")
    expect(given).toBe(false)

    const short = await start("tickets = { lifetime = 1 }")
    const session = await short.session()
    await new Promise((resolve) => setTimeout(resolve, 2100))
    expect(await short.resumes(session)).toBe(false)
  })

  it("keys in a file are those of all who have it; a reload rotates them", async () => {
    const [old, next, last] = [randomBytes(48), randomBytes(48), randomBytes(48)]
    const more = 'tickets = { keysFile = "tickets.key" }'
    write("tickets.key", old)
    const [one, other] = [await start(more), await start(more)]
    expect(await other.resumes(await one.session())).toBe(true)

    const before = await one.session()
    write("tickets.key", Buffer.concat([next, old]))
    const reload = ({ broker }: typeof one) => {
      const [listener] = load(more).config.listeners ?? []
      if (listener?.type !== "tls") throw new TypeError("no TLS")
      const { cert, key, tickets } = listener
      broker.reload({ certificates: [{ cert, key, ticketKeys: tickets?.keys }] })
    }
    reload(one)
    expect(one.events.at(-1)).toMatchObject({
      event: "reloaded",
      text: expect.stringContaining("ticket keys: 2, changed"),
    })
    expect(await one.resumes(before)).toBe(true)
    // A new ticket is of the new key, which the other does not have yet.
    const after = await one.session()
    expect(await other.resumes(after)).toBe(false)
    reload(other)
    expect(await other.resumes(await one.session())).toBe(true)

    const second = await one.session()
    write("tickets.key", last)
    reload(one)
    expect(await one.resumes(second)).toBe(false)
    reload(one)
    expect(one.events.at(-1)).toMatchObject({
      event: "unchanged",
      text: expect.stringContaining("ticket keys: 1, unchanged"),
    })
    expect(one.events.map((event) => JSON.stringify(event)).join()).not.toContain(next.toString("base64").slice(0, 12))
  })

  it.each([
    ["too short", randomBytes(47), /has 47 bytes, and a key has 48/],
    ["four of them", randomBytes(192), /has 192 bytes/],
    ["none", new Uint8Array(0), /has 0 bytes/],
    ["text", Buffer.from("0123456789abcdef".repeat(3)), /they are text, not random bytes/],
  ])("keys that are %s are refused", (_, keys, said) => {
    write("wrong.key", keys)
    expect(() => load('tickets = { keysFile = "wrong.key" }')).toThrow(said)
  })
})

const hasOpenssl = spawnSync("openssl", ["version"]).status === 0

describe.skipIf(!hasOpenssl)("an OCSP staple, of openssl", () => {
  const respond = (name: string, ...more: string[]) => {
    const { serialNumber } = parseCertificate(server.certificate)
    const serial = Buffer.from(serialNumber).toString("hex").toUpperCase()
    write("index.txt", `V\t471231235959Z\t\t${serial}\tunknown\t/CN=localhost\n`)
    const made = spawnSync(
      "openssl",
      [
        ...[
          "ocsp",
          "-index",
          at("index.txt"),
          "-CA",
          at("ca.pem"),
          "-rsigner",
          at("ca.pem"),
          "-rkey",
          at("ca-key.pem"),
        ],
        ...["-issuer", at("ca.pem"), "-cert", at("cert.pem"), "-respout", at(name), ...more],
      ],
      { encoding: "utf8" },
    )
    if (made.status !== 0) throw new Error(made.stderr)
  }

  it("is there for a client that wants one", async () => {
    respond("staple.der", "-ndays", "3")
    const { shake, warnings } = await start('ocspFile = "staple.der"')
    expect(warnings).toEqual([])
    ;(await shake({ revocation: { ocsp: "require" } })).destroy()
    const without = await start("")
    await expect(without.shake({ revocation: { ocsp: "require" } })).rejects.toThrow()
  })

  it("what is none, or of another certificate, is refused; one that is too old is left out, with a warning", async () => {
    write("none.der", "no response")
    expect(() => load('ocspFile = "none.der"')).toThrow(
      /puremq\.toml:6: cannot use the OCSP response in none\.der|cannot use the OCSP response in \S*none\.der/,
    )
    respond("other.der", "-ndays", "3")
    const other = createLeaf({ now, issuer: authority, usage: "server", names: ["localhost"] })
    write("cert.pem", certificateToPem(other))
    write("key.pem", privateKeyToPem(other.privateKey))
    expect(() => load('ocspFile = "other.der"')).toThrow(/other\.der: it is about another certificate/)
    write("cert.pem", certificateToPem(server))
    write("key.pem", privateKeyToPem(server.privateKey))
    respond("old.der", "-nmin", "1")
    write("puremq.toml", 'listeners.tls = { port = 0, cert = "cert.pem", key = "key.pem", ocspFile = "old.der" }')
    const later = loadConfigFile(at("puremq.toml"), Date.now() + 120_000)
    expect(later.warnings).toEqual([
      expect.stringMatching(/old\.der was to be renewed by .*; the certificate goes without$/),
    ])
    expect(later.config.listeners?.[0]).toMatchObject({ ocsp: undefined })
    expect(later.watchedFiles).toContain(at("old.der"))
  })
})

describe("without the package @noble/post-quantum", () => {
  beforeEach(() => {
    vi.resetModules()
    for (const each of ["ml-kem", "ml-dsa"])
      vi.doMock(`@noble/post-quantum/${each}.js`, () => {
        throw new Error("Cannot find package '@noble/post-quantum'")
      })
  })
  afterEach(() => {
    vi.doUnmock("@noble/post-quantum/ml-kem.js")
    vi.doUnmock("@noble/post-quantum/ml-dsa.js")
    vi.resetModules()
  })

  it("a listener has what is of crypto/more, and X25519MLKEM768 as ever", async () => {
    const choices = await import("../../src/listen/tls-choices.ts")
    const made = await choices.providerWith("mixed", ["x448", "ed448"], false)
    if (typeof made === "string") throw new Error("nothing was added")
    const names = made.keyExchanges.map(({ name }) => name)
    expect(names[0]).toBe("X25519MLKEM768")
    expect(names).toContain("x448")
    expect(made.signatures.map(({ name }) => name)).toContain("ed448")
    await expect(choices.providerWith("mixed", ["MLKEM768"], false)).rejects.toThrow()
  })
})
