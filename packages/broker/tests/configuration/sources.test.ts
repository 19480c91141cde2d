// One configuration from a file, the environment and the command line: which goes before which, and where each value comes from.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { readArguments } from "@puremq/tls13/command-line"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { startCommand } from "../../src/cli/start-command.ts"
import { startConfigOf } from "../../src/cli/start-config.ts"
import { loadConfigFile } from "../../src/config/load.ts"
import { asObject, asToml, printed } from "../../src/config/print.ts"
import { text } from "../../src/config/schema/kinds.ts"
import { everyOption } from "../../src/config/schema/option.ts"
import { options } from "../../src/config/schema/options.ts"
import { isInList } from "../../src/config/schema/paths.ts"
import { meantAnywhere, namesElsewhere } from "../../src/config/schema/suggestions.ts"
import { environmentSettings, variableOf } from "../../src/config/sources/environment.ts"
import { originText } from "../../src/config/sources/origin.ts"

const own = { cert: "own.pem", key: "own-key.pem" }
let folder = ""
const at = (name: string) => join(folder, name)
const write = (name: string, content: string): string => {
  writeFileSync(at(name), content)
  return at(name)
}
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "puremq-"))
  const made = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
  write("cert.pem", made.serverCert)
  write("key.pem", made.serverKey)
  write("ca.pem", made.caCert)
  write("acl", "all readwrite #\n")
})
afterAll(() => rmSync(folder, { recursive: true }))

const start = (args: readonly string[], environment: Readonly<Record<string, string>> = {}) =>
  startConfigOf({ given: readArguments(startCommand, args), environment, own })
const print = (...given: Parameters<typeof start>) => {
  const { file, draft } = start(...given)
  return printed(file, (name) => draft.placeOfListener(name))
}

describe("the same broker by file, by environment and by flags", () => {
  const toml = `
    aclFile = "acl"
    log = "json"
    reload = 60
    [listeners.wss]
    port = 8443
    host = "::1"
    cert = "cert.pem"
    key = "key.pem"
    ca = "ca.pem"
    clientCertificate = "require"
    origins = ["https://a.example", "https://b.example"]
    [listeners.tls]
    port = 8883
    cert = "cert.pem"
    key = "key.pem"
    ca = "ca.pem"
    clientCertificate = "require"
    handshakeTimeout = 5000
    proxyProtocol.trusted = ["10.0.0.0/8"]
    [limits]
    maximumConnections = 500
    connectTimeout = 20000
    [login]
    anonymous = false
    [store]
    directory = "data"
    [metrics]
    port = 9100
    [serverReference]
    server = "other.example:8883"
  `
  const json = {
    listeners: [
      {
        ...{ type: "tls", port: 8883, cert: "cert.pem", key: "key.pem", ca: "ca.pem", clientCertificate: "require" },
        ...{ handshakeTimeout: 5000, proxyProtocol: { trusted: ["10.0.0.0/8"] } },
      },
      {
        ...{ type: "wss", host: "::1", port: 8443, cert: "cert.pem", key: "key.pem", ca: "ca.pem" },
        ...{ clientCertificate: "require", origins: ["https://a.example", "https://b.example"] },
      },
    ],
    ...{ aclFile: "acl", log: "json", reload: 60, limits: { maximumConnections: 500, connectTimeout: 20_000 } },
    ...{ login: { anonymous: false }, store: { directory: "data" }, metrics: { port: 9100 } },
    serverReference: { server: "other.example:8883" },
  }
  const variables = () => ({
    PUREMQ_ACL_FILE: at("acl"),
    PUREMQ_LOG: "json",
    PUREMQ_RELOAD: "1m",
    ...Object.fromEntries(
      ["TLS", "WSS"].flatMap((name) => [
        [`PUREMQ_LISTENERS__${name}__CERT`, at("cert.pem")],
        [`PUREMQ_LISTENERS__${name}__KEY`, at("key.pem")],
        [`PUREMQ_LISTENERS__${name}__CA`, at("ca.pem")],
        [`PUREMQ_LISTENERS__${name}__CLIENT_CERTIFICATE`, "require"],
      ]),
    ),
    PUREMQ_LISTENERS__WSS__PORT: "8443",
    PUREMQ_LISTENERS__WSS__HOST: "::1",
    PUREMQ_LISTENERS__WSS__ORIGINS: "https://a.example, https://b.example",
    PUREMQ_LISTENERS__TLS__PORT: "8883",
    PUREMQ_LISTENERS__TLS__HANDSHAKE_TIMEOUT: "5s",
    PUREMQ_LISTENERS__TLS__PROXY_PROTOCOL__TRUSTED: "10.0.0.0/8",
    PUREMQ_LIMITS__MAXIMUM_CONNECTIONS: "500",
    PUREMQ_LIMITS__CONNECT_TIMEOUT: "20000",
    PUREMQ_LOGIN__ANONYMOUS: "false",
    PUREMQ_STORE__DIRECTORY: at("data"),
    PUREMQ_METRICS__PORT: "9100",
    PUREMQ_SERVER_REFERENCE__SERVER: "other.example:8883",
  })
  const flags = () => [
    ...["--tls", "8883", "--wss", "[::1]:8443", "--acl", at("acl"), "--log", "json", "--reload", "60"],
    ...["--cert", at("cert.pem"), "--key", at("key.pem"), "--ca", at("ca.pem")],
    ...["--origin", "https://a.example", "--origin", "https://b.example", "--max-connections", "500"],
    ...[
      "--connect-timeout",
      "20",
      "--data",
      at("data"),
      "--metrics",
      "9100",
      "--server-reference",
      "other.example:8883",
    ],
    ...["--set", "listeners.tls.handshakeTimeout=5000", "--set", "listeners.tls.proxyProtocol.trusted=10.0.0.0/8"],
  ]

  it("prints the same", () => {
    const expected = print(["--config", write("same.toml", toml)])
    const shown = asToml(expected)
    expect(asObject(expected)).toMatchObject({
      listeners: { tls: { type: "tls", cert: at("cert.pem"), handshakeTimeout: 5000 }, wss: { host: "::1" } },
      store: { directory: at("data"), durability: "process" },
      limits: { maximumConnections: 500, receiveMaximum: 10_000 },
    })
    expect(asToml(print(["--config", write("same.json", JSON.stringify(json))]))).toBe(shown)
    expect(asToml(print([], variables()))).toBe(shown)
    expect(asToml(print(flags()))).toBe(shown)
    // And so does what was printed, also of less.
    const plain = asToml(
      print(["--config", write("plain.toml", 'listeners.tls = { port = 1, cert = "c", key = "k" }')]),
    )
    expect(asToml(print(["--config", write("plainer.toml", plain)]))).toBe(plain)
    expect(asToml(print(["--config", write("again.toml", shown)]))).toBe(shown)
    expect(asToml(print(["--config", write("again.json", JSON.stringify(asObject(expected)))]))).toBe(shown)
    expect(asToml(print([], { PUREMQ_CONFIG: at("same.toml") }))).toBe(shown)
  })
})

describe("flags go before the environment, that before the file, that before defaults", () => {
  const toml = `
    [listeners.tls]
    port = 1
    host = "0.0.0.0"
    cert = "cert.pem"
    key = "key.pem"

    [[nothing]]
  `.replace(/\s*\[\[nothing\]\]/, "")
  const over = (args: string[], environment = {}) => {
    const { file, draft } = start(["--config", write("over.toml", toml), ...args], environment)
    const origin = draft.originOf("listeners.tls.port")
    return [file.listeners?.[0]?.port, origin && originText(origin).replace(`${folder}/`, "")]
  }

  it.each([
    [[], {}, [1, "over.toml:3"]],
    [[], { PUREMQ_LISTENERS__TLS__PORT: "2" }, [2, "PUREMQ_LISTENERS__TLS__PORT"]],
    [["--tls", "3"], { PUREMQ_LISTENERS__TLS__PORT: "2" }, [3, "--tls"]],
    [["--tls", "3", "--set", "listeners.tls.port=4"], {}, [4, "--set listeners.tls.port"]],
  ] as const)("%j %j", (args, environment, expected) => {
    expect(over([...args], environment)).toEqual(expected)
  })

  it("a port alone leaves the host of the file", () => {
    expect(start(["--config", write("over.toml", toml), "--tls", "3"]).file.listeners?.[0]?.host).toBe("0.0.0.0")
  })

  it("a name is that of a list, too, and a listener that there is not is made", () => {
    const json = {
      listeners: [
        { type: "tcp", port: 1 },
        { type: "tcp", port: 2 },
        { type: "ws", name: "Web-1", port: 3 },
      ],
    }
    const variables = { PUREMQ_LISTENERS__TCP_2__PORT: "20", PUREMQ_LISTENERS__WEB_1__PORT: "30" }
    const made = { PUREMQ_LISTENERS__LAST__PORT: "40", PUREMQ_LISTENERS__LAST__TYPE: "ws" }
    const { file } = start(["--config", write("list.json", JSON.stringify(json)), "--tcp", "10"], {
      ...variables,
      ...made,
    })
    expect(file.listeners?.map(({ name, port }) => [name, port])).toEqual([
      ["tcp", 10],
      ["tcp-2", 20],
      ["Web-1", 30],
      ["last", 40],
    ])
  })

  it("names of files are where they were written: beside the file, or from here", () => {
    const { file, draft } = start(["--config", write("over.toml", toml), "--acl", "elsewhere"], {
      PUREMQ_LOGIN__PASSWORD_FILE: "users",
    })
    expect(file).toMatchObject({
      aclFile: "elsewhere",
      login: { passwordFile: "users" },
      listeners: [{ cert: at("cert.pem") }],
    })
    expect(file.store?.directory).toBe(at(".puremq/store"))
    expect(draft.originOf("listeners.tls.host")).toMatchObject({ kind: "file", line: 4 })
    expect(draft.originOf("limits.maximumConnections")).toBeUndefined()
  })

  it("each name of a file or folder is, whatever it is for", () => {
    const named = everyOption(options).filter(({ path, option }) => {
      const { kind } = option
      return (
        kind.parts === undefined && /(File|^directory|^(cert|key|ca|crl))$/.test(path.at(-1) ?? "") && !kind.choices
      )
    })
    expect(named.length).toBeGreaterThan(20)
    for (const { path, option } of named)
      expect([path, (option.kind.file ?? option.kind.folder) !== undefined]).toEqual([path, true])
    const bridges = [
      { name: "b", address: "mqtts://a.example", ca: "ca.pem", topics: [{ filter: "#", direction: "in" }] },
    ]
    const file = write("bridge.json", JSON.stringify({ listeners: { tcp: { port: 1 } }, bridges }))
    expect(start(["--config", file]).file.bridges?.[0]?.ca).toBe(at("ca.pem"))
  })

  it("a member of an object that has a short form leaves the others", () => {
    const file = write("metrics.toml", 'listeners.tcp.port = 1\nmetrics = { port = 1, hosts = ["a.example"] }\n')
    expect(start(["--config", file, "--metrics", "2"]).file.metrics).toEqual({
      host: "127.0.0.1",
      port: 2,
      hosts: ["a.example"],
    })
  })
})

describe("what follows where there is no file", () => {
  it("a development certificate, and no anonymous clients where each shows a certificate", () => {
    expect(start([])).toMatchObject({ usesOwn: true, file: { listeners: [{ name: "tls", port: 8883, ...own }] } })
    expect(start([], { PUREMQ_LISTENERS__TLS__PORT: "1" })).toMatchObject({ usesOwn: true })
    expect(start([], { PUREMQ_LISTENERS__TCP__PORT: "1" }).file.listeners).toMatchObject([{ type: "tcp" }])
    expect(start(["--ca", "ca.pem"]).file).toMatchObject({
      listeners: [{ clientCertificate: "require" }],
      login: { anonymous: false },
    })
    expect(start(["--ca", "ca.pem", "--password-file", "users"]).file.login).not.toHaveProperty("anonymous")
  })

  it("and not where there is one", () => {
    const file = write("plain.toml", "listeners.tcp.port = 1\n")
    expect(start(["--config", file])).toMatchObject({ usesOwn: false })
    expect(() => start(["--config", file, "--tls", "2"])).toThrow("--tls: listeners.tls.cert is missing")
  })
})

describe("variables", () => {
  it("there is one for each option, and each says its own", () => {
    const leaves = everyOption(options).filter(
      ({ option, path }) => option.kind.read !== undefined && !isInList(options, path),
    )
    const pathOf = ([first = "", ...rest]: readonly string[]) =>
      first === "listeners" ? [first, "office", ...rest] : [first, ...rest]
    const names = leaves.map(({ path }) => variableOf(pathOf(path)))
    expect(names).toContain("PUREMQ_LIMITS__MAXIMUM_PACKET_SIZE")
    expect(names).toContain("PUREMQ_LISTENERS__OFFICE__PROXY_PROTOCOL__TRUSTED")
    expect(new Set(names).size).toBe(names.length)
    for (const { path, option } of leaves) {
      const { kind } = option
      const sample =
        kind.choices?.[0] ??
        [
          "1",
          "true",
          "one",
          "https://a.example",
          "10.0.0.1",
          "1000",
          "2000000",
          "TLSv1.3",
          "false",
          "x25519",
          "ed25519",
          "TLS_AES_128_GCM_SHA256",
          "jwt",
          "nats://10.0.0.1:4222",
        ].find((each) => reads(kind.read, each))
      const settings = environmentSettings({ [variableOf(pathOf(path))]: `${sample}` }, options)
      expect(settings[0]?.path.slice(0, pathOf(path).length)).toEqual(pathOf(path))
    }
  })

  it("those of Kubernetes for a service of our name, and of our own other programs, are passed over", () => {
    const others = {
      PUREMQ_SERVICE_HOST: "10.0.0.1",
      PUREMQ_SERVICE_PORT: "8883",
      PUREMQ_SERVICE_PORT_MQTTS: "8883",
      PUREMQ_PORT: "tcp://10.0.0.1:8883",
      PUREMQ_PORT_8883_TCP: "tcp://10.0.0.1:8883",
      PUREMQ_PORT_8883_TCP_PROTO: "tcp",
      PUREMQ_PORT_8883_TCP_PORT: "8883",
      PUREMQ_PORT_8883_TCP_ADDR: "10.0.0.1",
      PUREMQ_METRICS_SERVICE_HOST: "10.0.0.2",
      PUREMQ_METRICS_PORT: "tcp://10.0.0.2:9100",
      PUREMQ_PASSWORD: "secret",
      PUREMQ_ADMIN_TOKEN: "puremq_secret",
      HOME: "/root",
    }
    expect(environmentSettings(others, options)).toEqual([])
    expect(() => environmentSettings({ PUREMQ_PORT: "8883" }, options)).toThrow("PUREMQ_PORT is no option's variable")
    expect(() => environmentSettings({ PUREMQ_METRICS_PORT: "8883" }, options)).toThrow(
      "did you mean `PUREMQ_METRICS__PORT`?",
    )
  })

  it("a secret may be in a file that a variable names, is not for the command line, and is not shown", () => {
    const table = { token: { kind: text, about: "a made-up secret", secret: true } } as const
    const file = write("token", "s3cret\n\n")
    const settings = (variable: string, value: string) => environmentSettings({ [variable]: value }, table)
    expect(settings("PUREMQ_TOKEN", "s3cret")).toMatchObject([{ path: ["token"], value: "s3cret" }])
    expect(settings("PUREMQ_TOKEN_FILE", file)).toMatchObject([{ path: ["token"], value: "s3cret" }])
    expect(() => settings("PUREMQ_TOKEN_FILE", write("empty", "\n1"))).toThrow(/PUREMQ_TOKEN_FILE, \S+, holds nothing/)
    expect(() => settings("PUREMQ_TOKEN_FILE", at("absent"))).toThrow(
      /the file of PUREMQ_TOKEN_FILE .*there is no such file/,
    )
    expect(() => environmentSettings({ PUREMQ_LOG_FILE: file }, options)).toThrow(
      "PUREMQ_LOG_FILE is no option's variable",
    )
    expect(() => start(["--set", "listeners.tls.keyPassword=s3cret"])).toThrow(
      "--set listeners.tls.keyPassword: a secret is not for a command line, which others can read; set PUREMQ_LISTENERS__TLS__KEY_PASSWORD, or PUREMQ_LISTENERS__TLS__KEY_PASSWORD_FILE to a file with it",
    )
    const shown = asToml(
      print([], {
        PUREMQ_LISTENERS__TLS__KEY_PASSWORD: "s3cret",
        PUREMQ_LISTENERS__TLS__KEY: "k",
        PUREMQ_LISTENERS__TLS__CERT: "c",
      }),
    )
    expect(shown).toContain('keyPassword = "(secret)"')
    expect(shown).not.toContain("s3cret")
  })
})

it("each name of other brokers leads to an option that there is", () => {
  const all = everyOption(options)
  const paths = new Set(all.map(({ path }) => path.join(".")))
  for (const [name, path] of Object.entries(namesElsewhere)) {
    expect([name, paths.has(path)]).toEqual([name, true])
    expect([name, meantAnywhere(name, all)]).not.toEqual([name, undefined])
  }
})

it("a file whose name says nothing is read by how it begins", () => {
  const port = (name: string, content: string) =>
    loadConfigFile(write(name, content), Date.now()).file.listeners?.[0]?.port
  expect(port("one", '\n {"$schema": "./puremq.schema.json", "listeners": {"tcp": {"port": 1}}}')).toBe(1)
  expect(port("two", '#:schema ./puremq.schema.json\n"$schema" = "x"\nlisteners.tcp.port = 2')).toBe(2)
  expect(readFileSync(at("two"), "utf8")).toContain("schema")
})

function reads(read: ((text: string, where: string) => unknown) | undefined, sample: string): boolean {
  try {
    read?.(sample, "")
    return true
  } catch {
    return false
  }
}
