// Configurations of Mosquitto, NanoMQ and EMQX in examples/, and what "puremq import" makes of each, beside them as made/*.toml.

import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { importConfig } from "../../src/cli/import.ts"
import { readErlangRules } from "../../src/config/import/erlang-rules.ts"
import { guessProduct } from "../../src/config/import/guess.ts"
import { makeCertificates, startedWith } from "./start.ts"

const examples = join(import.meta.dirname, "examples")
const root = mkdtempSync(join(tmpdir(), "puremq-import-"))

beforeAll(() => {
  cpSync(examples, root, { recursive: true })
  for (const folder of ["mosquitto", "nanomq", "emqx"]) {
    mkdirSync(join(root, folder, "certs"))
    makeCertificates(join(root, folder, "certs"))
  }
})
afterAll(() => rmSync(root, { recursive: true }))

async function imported(...args: readonly string[]) {
  const [printed, told]: [string[], string[]] = [[], []]
  const status = await importConfig(
    args,
    (line) => printed.push(line),
    (line) => told.push(line),
  )
  return { status, printed: printed.join("\n"), told }
}

/** Without what differs from run to run. */
function plain(text: string): string {
  return text.replaceAll(root, "/examples").replaceAll(/\$scrypt\$\S+/g, "$scrypt$...")
}

const cases = [
  ["mosquitto/mosquitto.conf", []],
  ["mosquitto/per-listener.conf", ["--from", "mosquitto"]],
  ["mosquitto/local.conf", []],
  ["mosquitto/api.conf", []],
  ["nanomq/nanomq.conf", []],
  ["nanomq/old.conf", []],
  ["nanomq/users.conf", ["--from", "nanomq"]],
  ["nanomq/rules.conf", ["--from", "nanomq"]],
  ["emqx/emqx.conf", []],
  ["emqx/acl.conf", []],
] as const

describe("puremq import", { timeout: 60_000 }, () => {
  it.each(cases)("%s becomes what made/ has", async (file, args) => {
    const folder = join(root, "out", file)
    mkdirSync(folder, { recursive: true })
    const out = join(folder, "puremq.toml")
    const { status, printed, told } = await imported(join(root, file), "--out", out, ...args)
    expect(printed).toBe("")
    const written = readdirSync(folder).sort()
    const isSecret = (name: string) => /-(password|psk|jwks|admin-tokens?)$/.test(name)
    const contentOf = (name: string) => (isSecret(name) ? "(a secret)\n" : readFileSync(join(folder, name), "utf8"))
    const text = written.map((name) => `## ${name}\n\n${contentOf(name)}`).join("\n")
    const summary = [...told, `exit status ${status}`].map((line) => `# ${line}\n`).join("")
    await expect(plain(`${text}\n## told\n\n${summary}`)).toMatchFileSnapshot(
      join(examples, "made", `${file.replace("/", "-").replace(/\.conf$/, "")}.toml`),
    )
    for (const secret of [
      "correct horse",
      "0123456789abcdef",
      "of the key",
      "in wonderland",
      "a secret of",
      "user:word",
      "of the bridge",
      "a secret of tokens that is long enough",
      Buffer.from("a secret of tokens that is long enough").toString("base64url"),
    ])
      expect(text + summary).not.toContain(secret)
    await startedWith(out)
  })
})

describe("the command", { timeout: 60_000 }, () => {
  const file = (name: string, text: string) => {
    const path = join(root, name)
    writeFileSync(path, text)
    return path
  }
  const small = () => file("small.conf", "listener 1883 127.0.0.1\n")

  it("writes to standard output, and says what it would have written beside", async () => {
    const { status, printed, told } = await imported(join(root, "nanomq", "users.conf"), "--from", "nanomq")
    expect(printed).toContain("[listeners.tcp]")
    expect(printed).not.toContain("wonderland")
    expect(told[0]).toBe("puremq-users is written with --out FILE only, beside that: it is not there yet")
    expect(told[1]).toMatch(/^login.passwordFile: there is no file puremq-users here/)
    expect(status).toBe(1)
  })

  it("writes over nothing unless it is told to", async () => {
    const out = file("there.toml", "# mine")
    await expect(imported(small(), "--out", out)).rejects.toThrow(`${out} is there already: --force writes over it`)
    expect(readFileSync(out, "utf8")).toBe("# mine")
    expect((await imported(small(), "--out", out, "--force")).status).toBe(0)
    expect(readFileSync(out, "utf8")).toContain('host = "127.0.0.1"')
  })

  it("names files that are missing, and those that cannot be used", async () => {
    const text = `listener 8883\ncertfile /none/cert.pem\nkeyfile /none/key.pem\nacl_file ${file("acl", "topic read a/#/b")}\n`
    const missing = await imported(file("a.conf", text), "--out", join(root, "missing.toml"))
    expect(missing.status).toBe(1)
    expect(missing.told.slice(0, 2)).toEqual([
      "listeners.tls.cert: there is no file /none/cert.pem here: put it there before the broker is started",
      "listeners.tls.key: there is no file /none/key.pem here: put it there before the broker is started",
    ])
    expect(readFileSync(join(root, "missing.toml"), "utf8")).toContain('cert = "/none/cert.pem"')
    const bad = await imported(file("b.conf", text.split("\n").at(-2) ?? ""), "--from", "mosquitto")
    expect(bad.status).toBe(1)
    expect(bad.told[0]).toMatch(/aclFile.*acl, line 1: |cannot use the access control list .*acl, line 1: /)
  })

  it.each([
    [["a.conf", "b.conf"], "expected FILE"],
    [[], "expected FILE"],
    [["--from", "hivemq", "small.conf"], "--from must be one of mosquitto, nanomq, emqx"],
  ])("%j: %s", async (args, what) => {
    small()
    const given = args.map((arg) => (arg.endsWith(".conf") ? join(root, arg) : arg))
    await expect(imported(...given)).rejects.toThrow(what)
  })

  it("does not guess what it cannot know, and says where HOCON is none", async () => {
    await expect(imported(file("x.conf", "colours = 16\n"))).rejects.toThrow("cannot be told: say it with --from")
    const text = "mqtt {\n  max_packet_size = \n}\n"
    await expect(imported(file("y.conf", text), "--from", "emqx")).rejects.toThrow(/y\.conf:2: a value is missing$/)
  })

  it.each([
    ["mosquitto.conf", "", "mosquitto"],
    ["my-emqx.conf", "", "emqx"],
    ["a.conf", "# x\nallow_anonymous true\n", "mosquitto"],
    ["a.conf", "listeners.ssl { bind = 8883 }", "nanomq"],
    ["a.conf", "url=nmq-tcp://0.0.0.0:1883", "nanomq"],
    ["a.conf", "listeners.tcp.default {\n", "emqx"],
    ["a.conf", "node {\n cookie = x }", "emqx"],
    ["acl.conf", "%% rules\n{allow, all}.", "emqx"],
    ["a.conf", "x = 1", undefined],
  ])("takes %s with %j for one of %s", (name, text, product) => {
    expect(guessProduct(name, text)?.product).toBe(product)
  })
})

describe("rules in terms of Erlang", () => {
  it.each([
    ["{allow, all}", 1, "a term ends with ."],
    ["%% x\n{allow, [}.", 2, "a term is expected, not }"],
    ["{allow all}.", 1, ", or } is expected"],
    ["{".repeat(40), 1, "more than 32 terms"],
    ['{allow, "x\n"}.', 1, "a term is expected"],
    ["{allow,", 1, "a term is expected, not the end"],
  ])("%j is refused", (text, line, what) => {
    try {
      readErlangRules(text, "acl.conf")
      expect.unreachable()
    } catch (error) {
      expect(error).toMatchObject({ name: "ErlangError", line })
      expect(String(error)).toContain(what)
    }
  })

  it.each([
    ['{deny, {ipaddr, "10.0.0.0/8"}, all, ["a"]}.', "not by addresses"],
    ["hello.", "it is no rule"],
    ["{maybe, all}.", "it is no rule"],
    ['{allow, all, dance, ["a"]}.', "its action is not known"],
    ['{allow, all, {publish, [{qos, 1}]}, ["a"]}.', "do not go by QoS"],
  ])("%s cannot be carried over", (text, why) => {
    expect(readErlangRules(text, "acl.conf")[0]?.unable).toContain(why)
  })
})
