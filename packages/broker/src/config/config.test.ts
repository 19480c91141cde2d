import { existsSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { getHeapStatistics } from "node:v8"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { earliestWall } from "../hub/timeline.ts"
import { checkCertificate, checkSchemes } from "./certificate.ts"
import { checkFileConfig, checkLimits } from "./check.ts"
import { ConfigError } from "./config.ts"
import { loadConfigFile } from "./load.ts"
import { aclFile, readText } from "./text-file.ts"

describe("the configuration file", () => {
  it("deeper than the stack is one line", () => {
    const deep: unknown = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`)
    expect(() => checkFileConfig(deep)).toThrow("must be an object, not a list of lists of lists")
  })

  it("takes everything it may hold", () => {
    const whole = {
      listeners: [
        { type: "tcp", port: 1883 },
        {
          type: "tls",
          host: "0.0.0.0",
          port: 8883,
          cert: "c",
          key: "k",
          ca: "a",
          clientCertificate: "require",
          provider: "host",
          alpn: ["mqtt", "x-amzn-mqtt-ca"],
          handshakeTimeout: 5000,
        },
        { type: "ws", port: 0, path: "/mqtt", origins: ["https://example.org"] },
      ],
      login: { anonymous: false, passwordFile: "users", certificates: true },
      aclFile: "acl",
      disconnectRevoked: true,
      reload: 60,
      limits: { loginTimeout: 5000, maximumPasswordChecks: 1, maximumPacketSize: 1000, receiveMaximum: 65_535 },
      metrics: { port: 9100 },
      sysInterval: 0,
      log: "json",
    }
    expect(checkFileConfig(whole)).toEqual(whole)
    expect(checkFileConfig({})).toEqual({})
  })

  it.each<[unknown, string | RegExp]>([
    [[], "the configuration must be an object, not []"],
    [{ listener: [] }, "listener is not known; did you mean `listeners`?"],
    [{ listeners: 1 }, "listeners must be objects by their names, or a list, not 1: such as listeners.tls.port"],
    [{ listeners: [{ type: "tcp" }] }, "listeners[0].port is missing"],
    [{ listeners: [{ type: "udp", port: 1 }] }, 'listeners[0].type must be one of tcp, tls, ws, wss, not "udp"'],
    [
      { listeners: [{ type: "tcp", port: "1883" }] },
      'listeners[0].port must be a whole number from 0 to 65535, not "1883"',
    ],
    [
      { listeners: [{ type: "tcp", port: 65_536 }] },
      "listeners[0].port must be a whole number from 0 to 65535, not 65536",
    ],
    [{ listeners: [{ type: "tls", port: 1 }] }, "listeners[0].cert is missing: a tls listener needs one"],
    [{ listeners: [{ type: "tcp", port: 1, key: "k" }] }, "listeners[0].key does not belong to a tcp listener"],
    [
      { listeners: [{ type: "tls", port: 1, cert: "c", key: "k", clientCertificate: "request" }] },
      "listeners[0].ca is missing",
    ],
    [
      { listeners: [{ type: "tcp", port: 1, proxyProtocol: { trusted: ["10.0.0.0/33"] } }] },
      'listeners[0].proxyProtocol.trusted[0]: "10.0.0.0/33" is no address or network',
    ],
    [{ listeners: [{ type: "tcp", port: 1, proxyProtocol: {} }] }, "listeners[0].proxyProtocol.trusted is missing"],
    [
      { listeners: [{ type: "ws", port: 1, origins: ["https://example.org/path"] }] },
      "listeners[0].origins[0] must be an origin such as https://example.org, without a path, or *",
    ],
    [
      { listeners: [{ type: "tcp", port: 1, origins: ["*"] }] },
      "listeners[0].origins does not belong to a tcp listener",
    ],
    [
      { listeners: [{ type: "ws", port: 1, maxWaitingHandshakes: 1 }] },
      "listeners[0].maxWaitingHandshakes does not belong to a ws listener",
    ],
    [
      { listeners: [{ type: "wss", port: 1, cert: "c", key: "k", alpn: ["mqtt"] }] },
      "listeners[0].alpn does not belong to a wss listener",
    ],
    [
      { listeners: [{ type: "tls", port: 1, cert: "c", key: "k", alpn: ["m".repeat(256)] }] },
      "listeners[0].alpn[0] must be 1 to 255 visible ASCII characters, such as mqtt, not",
    ],
    [
      { listeners: [{ type: "tls", port: 1, cert: "c", key: "k", alpn: ["mqtt "] }] },
      "listeners[0].alpn[0] must be 1 to 255 visible",
    ],
    [{ features: { maximumQos: 3 } }, "features.maximumQos must be one of 0, 1, 2, not 3"],
    [{ features: { retainAvailable: 0 } }, "features.retainAvailable must be true or false"],
    [{ features: { retained: false } }, "features.retained is not known"],
    [{ limits: { maximumPacketSize: 1 } }, "limits.maximumPacketSize must be a whole number from 128"],
    [{ limits: { maxPacketSize: 1000 } }, "limits.maxPacketSize is not known"],
    [{ limits: { maxPacketSize: 1000 } }, "; did you mean `maximumPacketSize`?"],
    [{ limits: { maximumPublisherPause: -1 } }, "limits.maximumPublisherPause must be a whole number from 0"],
    [
      { limits: { maximumTotalBytes: 0 } },
      "limits.maximumTotalBytes must be a whole number from 1 to 9007199254740991",
    ],
    [{ lisetners: [] }, "; did you mean `listeners`?"],
    [{ xyzzy: 1 }, /^xyzzy is not known; known here: [\w, ]+$/],
    [JSON.parse('{"__proto__": {}}'), "__proto__ is not known"],
    [{ listeners: [{ port: 1883 }] }, "listeners[0].type is missing"],
    [{ listeners: [null] }, "listeners[0] must be an object, not null"],
    [
      { listeners: [{ type: "tls", port: 1, cert: "c", key: "k", orgins: [] }] },
      "listeners[0].orgins is not known; did you mean `listeners.ws.origins`?",
    ],
    [
      { listeners: [{ type: "tls", port: 1, cert: "c", key: "k", crl: "l" }] },
      "listeners[0].crl is about client certificates, and listeners[0].clientCertificate does not ask for any",
    ],
    [
      {
        listeners: [
          { type: "tls", port: 1, cert: "c", key: "k", ca: "a", clientCertificate: "require", revocation: "require" },
        ],
      },
      'listeners[0].crl is missing: revocation "require" needs the lists',
    ],
    [{ limits: { maximumTopicLevels: 1025 } }, "limits.maximumTopicLevels must be a whole number from 1 to 1024"],
    [{ limits: { maximumFiltersPerPacket: 0 } }, "limits.maximumFiltersPerPacket must be a whole number from 1"],
    [
      { limits: { maximumWildcardSubscriptions: -1 } },
      "limits.maximumWildcardSubscriptions must be a whole number from 0",
    ],
    [{ login: { anonymous: "yes" } }, 'login.anonymous must be true or false, not "yes"'],
    [{ metrics: {} }, "metrics.port is missing"],
    [{ metrics: { port: 1, cert: "c" } }, "metrics.cert needs metrics.key"],
    [{ metrics: { port: 1, ca: "c" } }, "metrics.ca needs metrics.cert"],
    [{ metrics: { port: 1, open: 1 } }, "metrics.open must be true or false"],
    [{ metrics: { port: 1, token: "x" } }, "; did you mean `tokenFile`?"],
    [{ serverReference: { when: "always" } }, "serverReference.server is missing"],
    [{ serverReference: { server: "a  b" } }, "serverReference.server must be servers such as broker-2.example:8883"],
    [{ serverReference: { server: "a".repeat(1025) } }, "1024 characters at most"],
    [{ aclFile: "" }, "aclFile must be a text"],
    [{ disconnectRevoked: 1 }, "disconnectRevoked must be true or false, not 1"],
    [{ limits: { maximumPasswordChecks: 0 } }, "limits.maximumPasswordChecks must be a whole number from 1"],
  ])("refuses %j in one line", (value, message) => {
    expect(() => checkFileConfig(value)).toThrow(ConfigError)
    expect(() => checkFileConfig(value)).toThrow(message)
  })

  it("a limit at its bounds, and one past them", () => {
    expect(checkLimits({ receiveMaximum: 1 })).toEqual({ receiveMaximum: 1 })
    expect(checkLimits({ receiveMaximum: 65_535, topicAliasMaximum: 0 })).toMatchObject({ topicAliasMaximum: 0 })
    expect(checkLimits({ maximumPublisherPause: 0 })).toEqual({ maximumPublisherPause: 0 })
    expect(() => checkLimits({ receiveMaximum: 0 })).toThrow(ConfigError)
    expect(() => checkLimits({ receiveMaximum: 65_536 })).toThrow(ConfigError)
    expect(() => checkLimits({ maximumInflight: 65_535 })).toThrow(ConfigError)
  })
})

it("a Server Reference has 1024 characters at most", () => {
  const serverReference = { server: `a ${"b".repeat(1022)}`, when: "always" }
  expect(checkFileConfig({ serverReference })).toEqual({ serverReference })
})

it("a protocol name has 1 to 255 characters", () => {
  const listeners = [{ type: "tls", port: 1, cert: "c", key: "k", alpn: ["m", "m".repeat(255)] }]
  expect(checkFileConfig({ listeners })).toEqual({ listeners })
})

describe("files", () => {
  let folder = ""
  const now = Date.UTC(2026, 10, 24)
  const made = createDevelopmentCertificates({ names: ["localhost"], now, days: 10 })
  const other = createDevelopmentCertificates({ names: ["localhost"], now, days: 10 })
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "puremq-"))
  })
  afterAll(() => rmSync(folder, { recursive: true }))

  const write = (name: string, text: string): string => {
    writeFileSync(join(folder, name), text)
    return join(folder, name)
  }

  it("names in the file are relative to it, and their texts are read", () => {
    write("cert.pem", made.serverCert)
    write("key.pem", made.serverKey)
    write("acl.txt", "all readwrite #")
    const file = write(
      "puremq.json",
      JSON.stringify({ listeners: [{ type: "tls", port: 0, cert: "cert.pem", key: "key.pem" }], aclFile: "acl.txt" }),
    )
    const { config, log } = loadConfigFile(file, now)
    expect(config.listeners).toMatchObject([{ type: "tls", cert: made.serverCert, key: made.serverKey }])
    expect([config.acl, log]).toMatchObject([{ text: "all readwrite #", acl: { size: 1 } }, "text"])
  })

  it("what cannot be read or is not JSON ends in one line with the file's name", () => {
    expect(() => loadConfigFile(join(folder, "none.json"), now)).toThrow(
      /cannot read the configuration .*none\.json: there is no such file/,
    )
    expect(() => loadConfigFile(folder, now)).toThrow(/it is a folder/)
    symlinkSync("loop.json", join(folder, "loop.json"))
    expect(() => loadConfigFile(join(folder, "loop.json"), now)).toThrow(/it is a link that leads back to itself/)
    writeFileSync(join(folder, "huge.json"), "")
    truncateSync(join(folder, "huge.json"), 1_048_577)
    expect(() => loadConfigFile(join(folder, "huge.json"), now)).toThrow(/it has 1048577 bytes; 1048576 are the most/)
    // A list may have a part of the heap.
    const lists = { login: { passwordFile: "huge" }, aclFile: "huge" }
    for (const [name, parts] of [
      ["login", 32],
      ["aclFile", 96],
    ] as const) {
      const most = Math.min(64 * 1_048_576, Math.floor(getHeapStatistics().heap_size_limit / parts))
      const path = write("list.json", JSON.stringify({ listeners: [{ type: "tcp", port: 0 }], [name]: lists[name] }))
      writeFileSync(join(folder, "huge"), "")
      truncateSync(join(folder, "huge"), most + 1)
      expect(() => loadConfigFile(path, now)).toThrow(`huge: it has ${most + 1} bytes; ${most} are the most`)
    }
    // It has no end.
    if (existsSync("/dev/zero")) expect(() => loadConfigFile("/dev/zero", now)).toThrow(/it is a device, no file/)
    expect(() => loadConfigFile(write("bad.json", "{"), now)).toThrow(/bad\.json:1:2: this is not JSON: a name/)
    expect(() => loadConfigFile(write("odd.json", '{"x":1}'), now)).toThrow(/odd\.json:1: x is not known/)
  })

  it("a long list is read as a short one is", () => {
    const path = join(folder, "long")
    const read = (content: string | Buffer) => {
      writeFileSync(path, content)
      return readText(path, aclFile)
    }
    const long = "x".repeat(70_000)
    const mark = "\ufeff"
    expect(read(`${mark}a\n${long}\n${mark}\u00fc${mark}\r\n`)).toBe(`a\n${long}\n\u00fc${mark}\r\n`)
    // What is cut at the end of the head is no mistake.
    for (const before of ["", "x", "xx", "xxx"]) {
      const text = `${before}${"\u{1f600}".repeat(20_000)}`
      expect(read(text)).toBe(text)
    }
    expect(read(`${"\n".repeat(70_000)}x`)).toHaveLength(70_001)
    for (const [content, said] of [
      ["\n".repeat(70_000), /it is empty; wanted/],
      [Buffer.concat([Buffer.from(`${long}\n\n`), Buffer.of(0xfc)]), /line 3 is not UTF-8/],
      [Buffer.concat([Buffer.from(long), Buffer.of(0)]), /it is a binary file, not text/],
      [`-----BEGIN CERTIFICATE-----\n${long}`, /it is a certificate; wanted/],
      [Buffer.from(long, "utf16le"), /it is text in UTF-16/],
    ] as const)
      expect(() => read(content)).toThrow(said)
  })

  it("certificate and key: good, mismatched, unreadable, expired, not yet valid", () => {
    const names = { cert: "cert.pem", key: "key.pem" }
    const check =
      (cert: string, key: string, at = now) =>
      () =>
        checkCertificate(cert, key, names, at)
    const day = 86_400_000
    expect(check(made.serverCert, made.serverKey)).not.toThrow()
    expect(check(made.serverCert, other.serverKey)).toThrow(/cannot use certificate cert\.pem with key key\.pem/)
    expect(check("nonsense", made.serverKey)).toThrow(/cannot use certificate cert\.pem/)
    expect(check(made.serverCert, "nonsense")).toThrow(/private key/)
    expect(check(made.serverCert, made.serverKey, now + 11 * day)).toThrow(/in cert\.pem expired on 2026-12-0/)
    expect(check(made.serverCert, made.serverKey, now - 10 * day)).toThrow(/valid only from/)
  })

  it("a certificate that is not valid yet on a machine whose clock is not set is a warning; the rest is as ever", () => {
    const names = { cert: "cert.pem", key: "key.pem" }
    const warnings: string[] = []
    const check = (key: string, at: number) =>
      checkCertificate(made.serverCert, key, names, at, (text) => warnings.push(text))
    for (const unset of [0, 60_000, earliestWall - 1]) check(made.serverKey, unset)
    expect(warnings).toHaveLength(3)
    expect(warnings[0]).toMatch(/in cert\.pem is valid only from 2026-\d\d-\d\d, and this machine's clock is not set$/)
    expect(() => check(other.serverKey, 0)).toThrow(/cannot use certificate/)
    expect(() => check(made.serverKey, earliestWall)).toThrow(/valid only from .*check this machine's clock/)
  })
})

describe("signature schemes", () => {
  const own = { p256: "ecdsa_secp256r1_sha256", ed25519: "ed25519", rsa: "rsa_pss_rsae_sha256" } as const

  it.each(["p256", "ed25519", "rsa"] as const)(
    "have one that a key of %s signs with, or no handshake would",
    (type) => {
      const { serverCert } = createDevelopmentCertificates({ names: ["localhost"], now: Date.now(), keyType: type })
      const others = Object.values(own).filter((scheme) => scheme !== own[type])
      expect(() => checkSchemes(serverCert, others, "here")).toThrow(
        new RegExp(`^here has none that the key of the certificate, .*, can sign with: add ${own[type]}`),
      )
      for (const schemes of [undefined, [own[type]], [...others, own[type]]])
        expect(() => checkSchemes(serverCert, schemes, "here")).not.toThrow()
    },
  )
})
