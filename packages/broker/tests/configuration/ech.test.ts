// Encrypted Client Hello of a listener, by its own configuration file: keys, what is refused of them, rotation, what the log tells.

import { execFileSync } from "node:child_process"
import { once } from "node:events"
import { readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { createFastProvider } from "@puremq/tls13/crypto/fast"
import { certificateToPem, createAuthority, createLeaf, privateKeyToPem } from "@puremq/tls13/devcert"
import {
  type EchKey,
  EncryptedClientHelloRejected,
  echKeyToPem,
  encodeEchConfigList,
  generateEchKey,
  greaseEncryptedClientHello,
  offerEncryptedClientHello,
} from "@puremq/tls13/ech"
import { type ConnectOptions, connect } from "@puremq/tls13/node"
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest"
import type { LogEvent } from "../../src/admin/log.ts"
import { loadConfigFile, watchedFilesOf } from "../../src/config/load.ts"
import { createBroker, type PureMqBroker } from "../../src/platform/node.ts"
import { Command } from "../command.ts"

const now = Date.now()
const provider = createFastProvider()
const authority = createAuthority({ now })
const ca = certificateToPem(authority)
const server = createLeaf({ now, issuer: authority, usage: "server", names: ["private.example", "public.example"] })
const keyFor = (configId: number, publicName = "public.example") => generateEchKey({ provider, publicName, configId })
const [old, fresh] = [keyFor(1), keyFor(2)]

const tls13 = fileURLToPath(new URL("../../../tls13/bin/tls13.js", import.meta.url))
const command = new Command()
const write = (name: string, content: string): void => writeFileSync(command.at(name), content)
const brokers: PureMqBroker[] = []
beforeAll(() => {
  write("ca.pem", ca)
  write("cert.pem", certificateToPem(server))
  write("key.pem", privateKeyToPem(server.privateKey))
  write("old.pem", echKeyToPem(old))
  write("fresh.pem", echKeyToPem(fresh))
})
afterEach(async () => {
  await Promise.all(brokers.splice(0).map((broker) => broker.close()))
})
afterAll(() => command.remove())

const text = (more: string) =>
  `store.type = "memory"\n[listeners.tls]\nport = 0\ncert = "cert.pem"\nkey = "key.pem"\n${more}\n`
const load = (more: string) => {
  write("puremq.toml", text(more))
  return loadConfigFile(command.at("puremq.toml"), Date.now())
}

async function start(more: string) {
  const events: LogEvent[] = []
  const broker = createBroker({ ...load(more).config, onEvent: (event) => events.push(event) })
  brokers.push(broker)
  const [{ port = 0 } = {}] = await broker.listen()
  const shake = async (encryptedClientHello: NonNullable<ConnectOptions["core"]>["encryptedClientHello"]) => {
    const socket = connect({
      ...{ host: "127.0.0.1", port, servername: "private.example", ca, ALPNProtocols: ["mqtt"] },
      core: { encryptedClientHello },
    })
    await once(socket, "secureConnect")
    const { info } = socket
    socket.destroy()
    return info?.encryptedClientHello
  }
  return { broker, events, shake }
}

const offerOf = (...keys: EchKey[]) =>
  offerEncryptedClientHello({ provider, configs: encodeEchConfigList(keys.map(({ config }) => config)) })

describe("Encrypted Client Hello", () => {
  it("takes hidden names, and the log tells how it went", async () => {
    const { events, shake } = await start('ech = { keyFiles = ["fresh.pem"] }')
    const logged = () => events.filter(({ event }) => event === "tls handshake").map((event) => ({ ...event }))
    expect(await shake(offerOf(fresh))).toBe("accepted")
    expect(await shake(greaseEncryptedClientHello({ provider }))).toBe("not offered")
    expect(await shake(undefined)).toBe("not offered")
    await expect.poll(() => logged().length).toBe(3)
    expect(logged().map((event) => ("ech" in event ? event.ech : undefined))).toEqual([
      "accepted",
      "rejected",
      undefined,
    ])
  })

  it("rejected: tells the keys of keyFiles, and none of oldKeyFiles", async () => {
    const { shake } = await start('ech = { keyFiles = ["fresh.pem"], oldKeyFiles = ["old.pem"] }')
    expect(await shake(offerOf(old))).toBe("accepted")
    const error = await shake(offerOf(keyFor(3))).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(EncryptedClientHelloRejected)
    expect((error as EncryptedClientHelloRejected).retryConfigs).toEqual(encodeEchConfigList([fresh.config]))
  })

  it("a listener without keys answers what it can read", async () => {
    const { shake } = await start("")
    const error = await shake(offerOf(fresh)).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(EncryptedClientHelloRejected)
    expect((error as EncryptedClientHelloRejected).retryConfigs).toBeUndefined()
  })

  it("a reload takes other keys; connections that hide behind an old one still get through", async () => {
    const { broker, events, shake } = await start('ech = { keyFiles = ["old.pem"] }')
    const reload = (more: string) => {
      const [listener] = load(more).config.listeners ?? []
      if (listener?.type !== "tls") throw new TypeError("no TLS")
      const { cert, key, ech } = listener
      broker.reload({ certificates: [{ cert, key, echKeys: ech?.keys }] })
    }
    const both = 'ech = { keyFiles = ["fresh.pem"], oldKeyFiles = ["old.pem"] }'
    reload(both)
    expect(events.at(-1)).toMatchObject({
      event: "reloaded",
      text: expect.stringContaining("ECH keys: 2 for public.example, changed"),
    })
    expect([await shake(offerOf(old)), await shake(offerOf(fresh))]).toEqual(["accepted", "accepted"])
    reload(both)
    expect(events.at(-1)).toMatchObject({ event: "unchanged", text: expect.stringContaining("ECH keys: 2 for") })
    reload('ech = { keyFiles = ["fresh.pem"] }')
    expect(await shake(offerOf(old)).catch((reason: unknown) => reason)).toBeInstanceOf(EncryptedClientHelloRejected)
    const secret = Buffer.from(fresh.privateKey).toString("base64").slice(0, 12)
    expect(JSON.stringify(events)).not.toContain(secret)
  })

  it.each([
    [
      "a certificate",
      'ech = { keyFiles = ["cert.pem"] }',
      /puremq\.toml:6: cannot use the ECH key in .*cert\.pem: .*block PRIVATE KEY; this has CERTIFICATE; "tls13 ech-key/,
    ],
    ["no file", 'ech = { keyFiles = ["absent.pem"] }', /absent\.pem/],
    ["no keys", "ech = { keyFiles = [] }", /ech\.keyFiles is an empty list/],
    ["none that is published", 'ech = { oldKeyFiles = ["old.pem"] }', /ech\.keyFiles is missing/],
    ["one twice", 'ech = { keyFiles = ["old.pem", "old.pem"] }', /old\.pem/],
    ["a text", 'ech = { keyFiles = "old.pem" }', /must be a list.*write \["old\.pem"\]/],
  ])("%s is refused", (_, more, said) => {
    expect(() => load(more)).toThrow(said)
  })

  it("a key whose private half is another's is refused", () => {
    const [privateKey] = echKeyToPem(old).split("-----BEGIN ECHCONFIG")
    const config = echKeyToPem(fresh).slice(echKeyToPem(fresh).indexOf("-----BEGIN ECHCONFIG"))
    write("mixed.pem", `${privateKey}${config}`)
    expect(() => load('ech = { keyFiles = ["mixed.pem"] }')).toThrow(/mixed\.pem: the private key is for none of/)
  })

  it("warns of a public name that the certificate is not for", () => {
    write("elsewhere.pem", echKeyToPem(keyFor(4, "elsewhere.example")))
    expect(load('ech = { keyFiles = ["elsewhere.pem"] }').warnings).toEqual([
      expect.stringMatching(
        /^the certificate in .*cert\.pem is not for elsewhere\.example, the public name of an ECH key/,
      ),
    ])
    expect(load('ech = { keyFiles = ["fresh.pem"] }').warnings).toEqual([])
  })

  it("its files are those that `reload` looks at", () => {
    const file = { listeners: [{ type: "tls", port: 0, cert: "c", key: "k", ech: { keyFiles: ["a", "b"] } }] } as const
    expect(watchedFilesOf(file, "/etc")).toEqual(["/etc/c", "/etc/k", "/etc/a", "/etc/b"])
  })

  it("docs/ech.md: its commands as they are printed", { timeout: 120_000 }, async () => {
    await command.build()
    const page = readFileSync(new URL("../../../../docs/ech.md", import.meta.url), "utf8")
    const [, section = ""] = page.split("\n## A broker\n")
    const lines = [...section.matchAll(/^npx (tls13|puremq) (.*)$/gm)].map(([, name, rest = ""]) => ({
      name,
      words: rest.split(" "),
    }))
    expect(lines.map(({ name, words: [first] }) => `${name} ${first}`)).toEqual([
      ...["tls13 ech-key", "puremq cert", "puremq start", "puremq pub"],
    ])
    const [made, certificates, started, published] = lines.map(({ words }) => words)
    execFileSync(process.execPath, [tls13, ...made!], { cwd: command.folder, stdio: "ignore" })
    expect(await command.run(certificates!)).toMatchObject({ status: 0 })
    const broker = command.start([...started!, "--tls", "127.0.0.1:0"])
    const [, port = ""] = await broker.until(/listening text="tls on 127\.0\.0\.1:(\d+)"/)
    expect(await command.run([...published!, "-p", port])).toMatchObject({ status: 0, err: "" })
    await broker.until(/tls handshake .*ech=accepted/)
    broker.child.kill()
    await broker.ended
  })

  it("the commands: check-config, SIGHUP, and pub --ech", { timeout: 120_000 }, async () => {
    await command.build()
    write("broker.toml", text('ech = { keyFiles = ["old.pem"] }'))
    const printed = await command.run(["check-config", "--config", "broker.toml", "--print"])
    expect(printed.out).toContain(`keyFiles = ["${command.at("old.pem")}"]`)
    const broker = command.start(["start", "--config", "broker.toml"])
    const [, port = ""] = await broker.until(/listening text="tls on 127\.0\.0\.1:(\d+)"/)
    const publish = (...more: string[]) =>
      command.run(["pub", "-h", "127.0.0.1", "-p", port, "--cafile", "ca.pem", "-t", "a", "-m", "b", ...more])
    expect(await publish("--ech", "cert.pem")).toMatchObject({
      err: expect.stringMatching(/cannot use the ECHConfigList in cert\.pem: .*ECHCONFIG/),
    })
    expect(await command.run(["pub", "--tcp", "-t", "a", "-m", "b", "--ech", "old.pem"])).toMatchObject({
      err: expect.stringMatching(/--ech is about TLS/),
    })
    write("broker.toml", text('ech = { keyFiles = ["fresh.pem"], oldKeyFiles = ["old.pem"] }'))
    broker.child.kill("SIGHUP")
    await broker.until(/reloaded text=".*ECH keys: 2 for public\.example, changed/)
    write("broker.toml", text(""))
    broker.child.kill("SIGHUP")
    await broker.until(/nothing was reloaded.*there are no ECH keys any more; that needs a restart/)
    broker.child.kill()
    await broker.ended
  })
})
