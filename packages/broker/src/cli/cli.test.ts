// The command as a person runs it: a process, its output and its exit status.

import { type ChildProcess, spawn } from "node:child_process"
import { createHash, createHmac, pbkdf2Sync, X509Certificate } from "node:crypto"
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs"
import { connect as connectTcp, createServer } from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { connect as connectTls } from "node:tls"
import { createDevelopmentCertificates } from "@puremq/tls13/devcert"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { type BuiltCommand, builtCommand } from "../../tests/command.ts"
import { checkPassword, parsePasswordFile } from "../access/password-file.ts"
import { scrypt } from "../platform/node-scrypt.ts"

let folder = ""
let program = ""
let built: BuiltCommand | undefined
const running = new Set<ChildProcess>()
const file = (name: string) => join(folder, name)

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "puremq-cli-"))
  built = await builtCommand()
  program = built.program
}, 60_000)
afterAll(() => {
  for (const child of running) child.kill("SIGKILL")
  built?.remove()
  rmSync(folder, { recursive: true })
})

interface Result {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

class Run {
  readonly child: ChildProcess
  out = ""
  err = ""
  readonly done: Promise<Result>

  constructor(args: readonly string[], input?: string, env: Record<string, string> = {}) {
    const child = spawn(process.execPath, [program, ...args], { cwd: folder, env: { ...process.env, ...env } })
    this.child = child
    running.add(child)
    child.stdout?.on("data", (chunk) => {
      this.out += chunk
    })
    child.stderr?.on("data", (chunk) => {
      this.err += chunk
    })
    child.stdin?.end(input ?? "")
    this.done = new Promise((resolve) => {
      child.on("close", (status) => {
        running.delete(child)
        resolve({ status, out: this.out, err: this.err })
      })
    })
  }

  async until(pattern: RegExp): Promise<RegExpExecArray> {
    const end = Date.now() + 20_000
    for (;;) {
      const match = pattern.exec(this.out)
      if (match !== null) return match
      if (Date.now() > end || this.child.exitCode !== null)
        throw new Error(`no ${pattern} in:\n${this.out}\n${this.err}`)
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
  }

  async stop(): Promise<Result> {
    this.child.kill("SIGTERM")
    return this.done
  }
}

function puremq(args: readonly string[], input?: string): Promise<Result> {
  return new Run(args, input).done
}

describe("help", () => {
  it.each([
    [["--help"]],
    [["help"]],
    [["start", "--help"]],
    [["cert", "--help"]],
    [["pub", "--help"]],
    [["sub", "--help"]],
    [["rr", "--help"]],
    [["passwd", "--help"]],
    [["-h"]],
    [["start", "-h"]],
    [["cert", "-h"]],
    [["passwd", "-h"]],
    [["store", "check", "-h"]],
  ])("%j is written to the output with status 0", async (args) => {
    const { status, out, err } = await puremq(args)
    expect([status, err]).toEqual([0, ""])
    expect(out).toMatch(/^puremq/)
    for (const line of out.split("\n")) expect(line.length).toBeLessThan(121)
  })

  it.each(["pub", "sub", "rr"])("%s -h is the host", async (command) => {
    const { status, out, err } = await puremq([command, "-h"])
    expect([status, out]).toEqual([2, ""])
    expect(err).toMatch(/^puremq: [^\n]+host[^\n]*\n$/)
  })

  it.each(["version", "--version"])("%s tells name and version", async (word) => {
    const { status, out, err } = await puremq([word])
    expect([status, err]).toEqual([0, ""])
    expect(out).toMatch(/^puremq \d+\.\d+\.\d+\n$/)
  })

  it("says what puremq alone is", async () => {
    expect((await puremq(["--help"])).out).toContain('"puremq" alone, or with options alone, is "puremq start".')
    expect((await puremq(["--tls", "0", "--help"])).out).toMatch(/^puremq start - /)
  })
})

describe("puremq start", () => {
  it("makes a certificate, says what to paste, serves TLS 1.3 to pub and sub, and stops cleanly", async () => {
    const broker = new Run(["start", "--tls", "0", "--metrics", "0"])
    const [, port = ""] = await broker.until(/listening text="tls on 127\.0\.0\.1:(\d+)"/)
    await broker.until(/openssl s_client -connect 127\.0\.0\.1:\d+ -tls1_3 -CAfile \.puremq\/ca\.pem/)
    expect(broker.out).toContain("Made a development certificate; its authority is .puremq/ca.pem")
    expect(statSync(file(".puremq/server-key.pem")).mode & 0o777).toBe(0o600)

    const sub = new Run(["sub", "-p", port, "-t", "demo/#", "-v", "-C", "2", "-q", "2"])
    await broker.until(/client connected/)
    const kept = await puremq(["pub", "-p", port, "-t", "demo/kept", "-m", "kept", "-q", "1", "-r"])
    expect(kept).toEqual({ status: 0, out: "", err: "" })
    const lines = await puremq(["pub", "-p", port, "-t", "demo/x", "-l", "-q", "2", "-V", "3.1.1"], "hello\n")
    expect(lines).toEqual({ status: 0, out: "", err: "" })
    const seen = await sub.done
    expect([seen.status, seen.err]).toEqual([0, ""])
    expect(seen.out).toBe("demo/kept kept\ndemo/x hello\n")
    expect(broker.out).toMatch(
      /tls handshake peer=127\.0\.0\.1:\d+ listener=tls offered=TLSv1\.3 agreed=TLSv1\.3 suite=TLS_\w+ group=\S+ resumed=false milliseconds=\d+/,
    )

    const waiting = new Run(["sub", "-p", port, "-t", "demo/#"])
    await waiting.until(/kept/)
    const { status, err } = await broker.stop()
    expect([status, err]).toEqual([0, ""])
    const told = await waiting.done
    expect([told.status, told.err]).toEqual([1, "puremq: the broker disconnected: server shutting down\n"])
  })

  it("uses the certificate that is there the next time", async () => {
    const before = readFileSync(file(".puremq/server.pem"), "utf8")
    const broker = new Run(["start", "--tls", "0", "--log", "none"])
    await broker.until(/Try it in another terminal/)
    expect(broker.out).not.toContain("Made a development certificate")
    await broker.stop()
    expect(readFileSync(file(".puremq/server.pem"), "utf8")).toBe(before)
  })

  it("warns when everybody can reach it", async () => {
    const broker = new Run(["start", "--no-tls", "--tcp", "0.0.0.0:0", "--log", "none"])
    await broker.until(/Warning: tcp on 0\.0\.0\.0:\d+ is open to everybody/)
    await broker.stop()
  })

  it("takes limits, origins and proxies as options", async () => {
    const broker = new Run([
      ...["start", "--no-tls", "--tcp", "0", "--ws", "0", "--origin", "https://a.example,https://b.example"],
      ...["--proxy-protocol", "127.0.0.1", "--max-connections", "1", "--connect-timeout", "1"],
    ])
    const [, port = ""] = await broker.until(/listening text="tcp on 127\.0\.0\.1:(\d+)"/)
    const socket = connectTcp({ host: "127.0.0.1", port: Number(port) })
    socket.on("error", () => undefined).resume()
    socket.write("nothing of that kind")
    await broker.until(/warning text="connection from \S+ refused: the PROXY header is missing/)
    expect((await broker.stop()).status).toBe(0)
  })

  it("writes JSON lines and nothing else with --log json", async () => {
    const broker = new Run(["start", "--no-tls", "--tcp", "0", "--log", "json"])
    await broker.until(/listening/)
    const { out } = await broker.stop()
    const events = out
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line))
    expect(events.map((event) => event.event)).toEqual(["store opened", "listening", "stopping", "stopped"])
  })

  it("runs from a configuration file with password file and ACL", async () => {
    writeFileSync(file("acl.txt"), "user alice readwrite home/#\n")
    expect(await puremq(["passwd", "--cost", "10", "users", "alice"], "secret\n")).toMatchObject({
      status: 0,
      out: "Added alice in users\n",
    })
    writeFileSync(
      file("broker.json"),
      JSON.stringify({ listeners: [{ type: "tcp", port: 0 }], login: { passwordFile: "users" }, aclFile: "acl.txt" }),
    )
    const broker = new Run(["start", "--config", "broker.json"])
    const [, port = ""] = await broker.until(/tcp on 127\.0\.0\.1:(\d+)/)
    const base = ["--tcp", "-p", port, "-t", "home/x", "-m", "hi", "-q", "1"]
    expect(await puremq(["pub", ...base, "-u", "alice", "-P", "secret"])).toEqual({ status: 0, out: "", err: "" })
    expect(await puremq(["pub", ...base, "-u", "alice", "-P", "wrong"])).toEqual({
      status: 1,
      out: "",
      err: "puremq: the broker refused the connection: bad user name or password\n",
    })
    expect(await puremq(["pub", ...base])).toMatchObject({ status: 1, err: expect.stringContaining("not authorized") })
    const fromEnvironment = new Run(["pub", ...base, "-u", "alice"], "", { PUREMQ_PASSWORD: "secret" })
    expect((await fromEnvironment.done).status).toBe(0)
    const other = ["--tcp", "-p", port, "-u", "alice", "-P", "secret", "-t", "other"]
    expect(await puremq(["pub", ...other, "-m", "x", "-q", "1"])).toMatchObject({
      status: 1,
      err: expect.stringMatching(
        /^puremq: the broker refused the message: not authorized \(the access rules [^\n]+\)\n$/,
      ),
    })
    expect(await puremq(["sub", ...other])).toMatchObject({
      status: 1,
      err: expect.stringMatching(/^puremq: the broker refused other: not authorized \([^\n]+\)\n$/),
    })
    await broker.stop()
  })
})

describe("one configuration", () => {
  it("the command line goes before the environment, and that before the file; SIGHUP reads the file again", async () => {
    const write = (most: number) =>
      writeFileSync(
        file("layers.toml"),
        `[listeners.office]\ntype = "tcp"\nport = 1\n[listeners.ws]\nport = 0\n[limits]\nmaximumKeepAlive = ${most}\nmaximumInflight = 5\n`,
      )
    write(60)
    const environment = { PUREMQ_LISTENERS__OFFICE__PORT: "0", PUREMQ_LIMITS__MAXIMUM_INFLIGHT: "6" }
    const broker = new Run(["start", "--config", "layers.toml", "--max-inflight", "7"], "", environment)
    const [, port = ""] = await broker.until(/listening text="office \(tcp\) on 127\.0\.0\.1:(\d+)"/)
    expect(await puremq(["pub", "--tcp", "-p", port, "-t", "a", "-m", "b", "-q", "1"])).toMatchObject({ status: 0 })
    await broker.until(/client connected .* transport=tcp listener=office|client connected .*listener=office/)
    write(50)
    broker.child.kill("SIGHUP")
    await broker.until(/ reloaded text="limits: maximumKeepAlive 60 -> 50 for new connections; /)
    writeFileSync(file("layers.toml"), "[listeners.office]\nprot = 1\n")
    broker.child.kill("SIGHUP")
    await broker.until(/error text="nothing was reloaded, all settings stay as they were: layers\.toml:1: /)
    expect((await broker.stop()).status).toBe(0)
  })

  it("check-config says what is good and what is wrong, and where values come from", async () => {
    writeFileSync(file("check.toml"), '[listeners.tcp]\nport = 1883\n[metrics]\nhost = "::1"\nport = 9100\n')
    expect(await puremq(["check-config", "--config", "check.toml"])).toEqual({
      status: 0,
      out: "check.toml is good: tcp on 127.0.0.1:1883, metrics on [::1]:9100\n",
      err: "",
    })
    const { out } = await puremq(["check-config", "--config", "check.toml", "--tcp", "[::1]:1", "--print", "--sources"])
    expect(out).toMatch(/\[listeners\.tcp\]\ntype = "tcp" # --tcp\nhost = "::1" # --tcp\nport = 1 # --tcp\n/)
    expect(out).toContain("sysInterval = 10 # default\n")
    const json = await puremq(["check-config", "--config", "check.toml", "--print=json", "--sources"])
    expect(JSON.parse(json.out)).toMatchObject({
      configuration: { listeners: { tcp: { port: 1883 } } },
      origins: { "listeners.tcp.port": "check.toml:2", log: "default" },
    })
    const schema = await puremq(["check-config", "--schema"])
    expect(JSON.parse(schema.out)).toHaveProperty("$defs.tls")
    writeFileSync(file("wrong.toml"), "[listeners.tcp]\n\nprot = 1883\n")
    expect(await puremq(["check-config", "--config", "wrong.toml"])).toEqual({
      status: 1,
      out: "",
      err: "puremq: wrong.toml:3: listeners.tcp.prot is not known; did you mean `port`?\n",
    })
    expect((await puremq(["check-config", "--print=xml"])).status).toBe(2)
    expect((await puremq(["check-config", "--sources"])).status).toBe(2)
    expect((await puremq(["check-config", "now"])).status).toBe(2)
  })

  it("check-config makes nothing", async () => {
    const fresh = mkdtempSync(join(tmpdir(), "puremq-cli-"))
    const child = spawn(process.execPath, [program, "check-config"], { cwd: fresh, stdio: "ignore" })
    expect(await new Promise((resolve) => child.on("close", resolve))).toBe(0)
    expect(readdirSync(fresh)).toEqual([])
    rmSync(fresh, { recursive: true })
  })
})

describe("puremq", () => {
  it("alone is puremq start", async () => {
    const broker = new Run([])
    // Something may listen on its port here.
    await broker.until(/store opened/)
    await broker.stop()
  })

  it("with options alone is puremq start, and says where the help is", async () => {
    const broker = new Run(["--tls", "0"])
    await broker.until(/listening text="tls on 127\.0\.0\.1:\d+"/)
    await broker.until(
      /^All commands: npx @puremq\/broker --help; the options of this one: npx @puremq\/broker start --help$/m,
    )
    expect((await broker.stop()).status).toBe(0)
  })

  it("with an option that there is none of is one line", async () => {
    const { status, out, err } = await puremq(["--prot", "1"])
    expect([status, out, err]).toEqual([2, "", 'puremq: unknown option --prot; see "puremq start --help"\n'])
  })
})

describe("what ends in one clear line and a status that is not zero", () => {
  const day = 86_400_000
  beforeAll(() => {
    const good = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() })
    const old = createDevelopmentCertificates({ names: ["localhost"], now: Date.now() - 100 * day, days: 10 })
    writeFileSync(file("good.pem"), good.serverCert)
    writeFileSync(file("good-key.pem"), good.serverKey)
    writeFileSync(file("old.pem"), old.serverCert)
    writeFileSync(file("old-key.pem"), old.serverKey)
    writeFileSync(file("nonsense.pem"), "nonsense")
  })

  it.each<[string, string[], RegExp]>([
    ["a missing key", ["--cert", "good.pem"], /--cert needs --key/],
    [
      "a key file that is not there",
      ["--cert", "good.pem", "--key", "none.pem"],
      /cannot read the private key .*none\.pem: there is no such file/,
    ],
    [
      "a mismatched key",
      ["--cert", "good.pem", "--key", "old-key.pem"],
      /cannot use certificate good\.pem with key old-key\.pem: /,
    ],
    [
      "an expired certificate",
      ["--cert", "old.pem", "--key", "old-key.pem"],
      /old\.pem expired on \d{4}-\d\d-\d\d; get a new one/,
    ],
    [
      "an unreadable certificate",
      ["--cert", "nonsense.pem", "--key", "good-key.pem"],
      /cannot use certificate nonsense\.pem .*no certificate/,
    ],
    ["an unknown option", ["--prot", "1"], /unknown option --prot; see "puremq start --help"/],
    [
      "an option that is nearly one",
      ["--client-certificate", "require"],
      /unknown option --client-certificate \(did you mean --client-cert\?\); see "puremq start --help"/,
    ],
    ["an option without value", ["--tls"], /--tls needs a value/],
    ["a port that is none", ["--tls", "99999"], /--tls must be PORT or HOST:PORT, not "99999"/],
    ["no listener", ["--no-tls"], /leaves no listener/],
    ["client certificates without authority", ["--client-cert", "require"], /--client-cert needs --ca/],
    [
      "an identity of nobody's certificate",
      ["--identity", "san-email"],
      /--identity is about client certificates, which nobody asks for: add --ca FILE/,
    ],
    [
      "an identity that is none",
      ["--ca", "good.pem", "--identity", "cn"],
      /--identity must be one of subject-cn, subject,/,
    ],
    ["no list, and one required", ["--ca", "good.pem", "--revocation", "require"], /--revocation require needs --crl/],
    [
      "a list that is none",
      ["--ca", "good.pem", "--crl", "good.pem"],
      /cannot use the revocation lists in good\.pem: no revocation list/,
    ],
    [
      "authorities that are none",
      ["--ca", "nonsense.pem"],
      /cannot use the authorities in nonsense\.pem: no certificate/,
    ],
    [
      "an origin that is none",
      ["--ws", "0", "--origin", "example.org"],
      /--origin must be an origin such as https:\/\/example\.org, without a path, or \*, not "example\.org"/,
    ],
    [
      "an origin without WebSocket",
      ["--origin", "https://example.org"],
      /--origin is about WebSocket: add --ws or --wss/,
    ],
    ["a proxy that is none", ["--proxy-protocol", "lb.example"], /--proxy-protocol: "lb\.example" is no address/],
    ["a limit past its bounds", ["--max-waiting", "1000001"], /--max-waiting must be a whole number from 0 to 1000000/],
    [
      "limits of handshakes that there are none of",
      ["--no-tls", "--tcp", "0", "--max-handshakes", "1"],
      /limits of TLS handshakes need a listener with TLS/,
    ],
    [
      "a certificate for no listener",
      ["--no-tls", "--tcp", "0", "--cert", "good.pem", "--key", "good-key.pem"],
      /--cert is about TLS, and no listener has it: leave out --no-tls, or add --wss/,
    ],
    [
      "a password of no key",
      ["--key-password-file", "users"],
      /--key-password-file is about the key of --key: give one/,
    ],
    ["a word too many", ["now"], /unexpected now/],
    [
      "a configuration that is not there",
      ["--config", "none.json"],
      /cannot read the configuration none\.json: there is no such file/,
    ],
    ["an address that is not this machine's", ["--no-tls", "--tcp", "192.0.2.1:1"], /does not have that address/],
  ])("%s", async (_what, args, message) => {
    const { status, out, err } = await puremq(["start", ...args])
    expect(status).toBeGreaterThan(0)
    expect(out).toBe("")
    expect(err).toMatch(/^puremq: [^\n]+\n$/)
    expect(err).toMatch(message)
  })

  it("a taken port", async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    const { status, err } = await puremq(["start", "--no-tls", "--tcp", `${port}`])
    expect([status, err]).toEqual([
      1,
      `puremq: cannot listen for tcp on 127.0.0.1:${port}: the port is taken; stop the other program or choose another port\n`,
    ])
    server.close()
  })

  it.each([
    ["pub", ["-m", "x"], ""],
    ["pub --tcp", ["-m", "x"], " --tcp 1883"],
    ["sub", [], ""],
  ])("%s where nobody listens", async (command, more, start) => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve))
    const address = server.address()
    const port = typeof address === "object" && address !== null ? address.port : 0
    await new Promise((resolve) => server.close(resolve))
    const { status, err } = await puremq([...command.split(" "), "-p", `${port}`, "-t", "a", ...more])
    expect([status, err]).toEqual([
      1,
      `puremq: no broker is listening on 127.0.0.1:${port}; start one with "npx @puremq/broker start${start}", or check --host and --port (ECONNREFUSED)\n`,
    ])
  })

  it.each<[string, string[], RegExp]>([
    ["an unknown command", ["strat"], /unknown command strat \(did you mean start\?\); see "puremq --help"/],
    ["pub without topic", ["pub", "-m", "x"], /a topic is missing/],
    ["pub with two messages", ["pub", "-t", "a", "-m", "x", "-n"], /give the message by one of/],
    ["sub without filter", ["sub"], /a topic filter is missing/],
    ["a QoS that is none", ["sub", "-t", "a", "-q", "3"], /--qos must be one of 0, 1, 2, not "3"/],
    ["cert over files that are there", ["cert"], /is there already; choose another --dir, or --force/],
    ["passwd without user", ["passwd", "users"], /expected FILE and USER/],
    ["deleting who is not there", ["passwd", "users", "nobody", "--delete"], /users has no user nobody/],
    [
      "passwd for a file that is something else",
      ["passwd", "good.pem", "a"],
      /good\.pem: it is a certificate; wanted are lines of NAME/,
    ],
  ])("%s", async (_what, args, message) => {
    const { status, err } = await puremq(args)
    expect(status).toBeGreaterThan(0)
    expect(err).toMatch(/^puremq: [^\n]+\n$/)
    expect(err).toMatch(message)
  })
})

describe("certificates that change while the broker runs", () => {
  const made = (): ReturnType<typeof createDevelopmentCertificates> =>
    createDevelopmentCertificates({ names: ["localhost", "127.0.0.1"], now: Date.now() })
  const first = made()
  const write = (cert: string, key: string): void => {
    writeFileSync(file("live.pem"), cert)
    writeFileSync(file("live-key.pem"), key)
  }
  const shown = (port: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connectTls({ host: "127.0.0.1", port: Number(port), rejectUnauthorized: false }, () => {
        resolve(socket.getPeerX509Certificate()?.toString() ?? "")
        socket.destroy()
      })
      socket.on("error", reject)
    })

  it.each([
    ["SIGHUP", [], true],
    ["--reload", ["--reload", "1"], false],
  ] as const)(
    "%s: users and access control list are taken with the certificates, all or none",
    async (_how, options, signal) => {
      write(first.serverCert, first.serverKey)
      writeFileSync(file("live-ca.pem"), first.caCert)
      rmSync(file("live-users"), { force: true })
      const passwd = async (user: string, ...more: string[]) =>
        expect((await puremq(["passwd", "live-users", user, ...more], "secret\n")).status).toBe(0)
      for (const user of ["alice", "bob"]) await passwd(user, "--cost", "10")
      writeFileSync(file("live-acl"), "all readwrite news/#\n")
      const files = [
        "--cert",
        "live.pem",
        "--key",
        "live-key.pem",
        "--password-file",
        "live-users",
        "--acl",
        "live-acl",
      ]
      const broker = new Run(["start", "--tls", "0", ...files, "--disconnect-revoked", ...options])
      const [, port = ""] = await broker.until(/listening text="tls on 127\.0\.0\.1:(\d+)"/)
      const as = (user: string) => ["-p", port, "--ca", "live-ca.pem", "-u", user, "-P", "secret"]
      const pub = (user: string) => puremq(["pub", ...as(user), "-t", "news/a", "-m", "x", "-q", "1"])
      const reload = (): boolean => signal && broker.child.kill("SIGHUP")
      const sub = new Run(["sub", ...as("bob"), "-t", "news/#"])
      await broker.until(/client connected/)
      expect((await pub("alice")).status).toBe(0)

      const next = made()
      write(next.serverCert, next.serverKey)
      writeFileSync(file("live-acl"), "all readwrite news/#\nall look at\n")
      await passwd("alice", "--delete")
      reload()
      const [refused] = await broker.until(/error text=.*\n/)
      expect(refused).toMatch(
        /nothing was reloaded, the certificates, the users, the access control list and the limits stay as they were: cannot use the access control list \S*live-acl, line 2: look is none of/,
      )
      expect(await shown(port)).toBe(first.serverCert)
      expect((await pub("alice")).status).toBe(0)

      writeFileSync(file("live-acl"), "user bob readwrite news/bob/#\n")
      reload()
      const [reloaded] = await broker.until(/ reloaded .*\n/)
      expect(reloaded).toMatch(
        /text="certificate: CN=localhost until \d{4}-\d\d-\d\d, changed; users: 1, 1 removed; access control list: 1 rule, changed; 1 subscription no longer allowed; 1 client disconnected; 0 open connections stay"/,
      )
      expect((await sub.done).status).not.toBe(0)
      expect(await shown(port)).toBe(next.serverCert)
      writeFileSync(file("live-ca.pem"), next.caCert)
      expect((await pub("alice")).err).toMatch(/user name or password/i)
      expect((await pub("bob")).err).toMatch(/not authorized/i)
      await broker.until(/client refused .*user=alice reason="unknown user name/)
      await broker.until(/access refused .*user=bob action=publish topic=news\/a rule="no rule allows it"/)
      expect((await broker.stop()).status).toBe(0)
    },
    60_000,
  )

  it.each([
    ["SIGHUP", [], true],
    ["--reload", ["--reload", "1"], false],
  ] as const)(
    "%s: new connections get the new certificate, an open one stays, a bad one changes nothing",
    async (_how, options, signal) => {
      write(first.serverCert, first.serverKey)
      writeFileSync(file("live-ca.pem"), first.caCert)
      const broker = new Run(["start", "--tls", "0", "--cert", "live.pem", "--key", "live-key.pem", ...options])
      const [, port = ""] = await broker.until(/listening text="tls on 127\.0\.0\.1:(\d+)"/)
      const sub = new Run(["sub", "-p", port, "--ca", "live-ca.pem", "-t", "news", "-C", "2"])
      await broker.until(/client connected/)
      const reload = (): boolean => signal && broker.child.kill("SIGHUP")

      const next = made()
      write(next.serverCert, first.serverKey)
      reload()
      const [refused] = await broker.until(/error text=.*\n/)
      expect(refused).toMatch(
        /the certificates and the limits stay as they were: cannot use certificate .*live\.pem with key .*does not belong/,
      )
      expect(await shown(port)).toBe(first.serverCert)

      writeFileSync(file("live-key.pem"), next.serverKey)
      reload()
      const [renewed] = await broker.until(/ reloaded .*\n/)
      expect(renewed).toMatch(
        /text="certificate: CN=localhost until \d{4}-\d\d-\d\d, changed; 1 open connection stays"/,
      )
      expect(await shown(port)).toBe(next.serverCert)

      writeFileSync(file("live-ca.pem"), next.caCert)
      for (const message of ["one", "two"]) {
        const pub = ["pub", "-p", port, "--ca", "live-ca.pem", "-t", "news", "-m", message, "-q", "1"]
        expect(await puremq(pub)).toMatchObject({ status: 0, err: "" })
      }
      expect(await sub.done).toMatchObject({ status: 0, out: "one\ntwo\n" })
      expect(broker.out.match(/ reloaded text/g)).toHaveLength(1)
      expect(broker.out.match(/ error text/g)).toHaveLength(1)
      expect((await broker.stop()).status).toBe(0)
    },
    30_000,
  )

  it("takes limits of the configuration, and says what else has changed and is taken at the next start only", async () => {
    const write = (limits: object, { path, log, ...features }: Record<string, unknown> = {}) =>
      writeFileSync(
        file("live.json"),
        JSON.stringify({
          listeners: [
            { type: "tcp", port: 0 },
            { type: "ws", port: 0, path },
          ],
          limits,
          log,
          features,
        }),
      )
    write({ maximumSubscriptions: 1 })
    const broker = new Run(["start", "--config", "live.json"])
    const [, port = ""] = await broker.until(/listening text="tcp on 127\.0\.0\.1:(\d+)"/)
    await broker.until(/listening text="ws on/)
    broker.child.kill("SIGHUP")
    await broker.until(/ unchanged text="0 open connections stay"/)
    expect(broker.out).not.toMatch(/next start/)
    const sub = (...more: string[]) => puremq(["sub", "--tcp", "-p", port, "-t", "a", "-t", "b", "-E", ...more])
    expect((await sub()).err).toMatch(/quota exceeded/i)

    write({ maximumSubscriptions: 2, maximumKeepAlive: 60, maximumTopicLevels: 9 })
    broker.child.kill("SIGHUP")
    await broker.until(
      / reloaded text="limits: maximumKeepAlive 0 -> 60 for new connections, maximumSubscriptions 1 -> 2; 0 open connections stay"/,
    )
    await broker.until(/warning text="changed, but taken at the next start only: limits\.maximumTopicLevels"/)
    expect(await sub()).toMatchObject({ status: 0, err: "" })

    write({ maximumSubscriptions: 0 })
    broker.child.kill("SIGHUP")
    await broker.until(
      /error text="nothing was reloaded, all settings stay as they were: .*limits\.maximumSubscriptions/,
    )

    write({ maximumSubscriptions: 2, maximumKeepAlive: 60 }, { path: "/mqtt", log: "json", retainAvailable: false })
    broker.child.kill("SIGHUP")
    await broker.until(
      /warning text="changed, but taken at the next start only: listeners\.ws\.path, features\.retainAvailable, log"/,
    )
    expect((await broker.stop()).status).toBe(0)
  }, 30_000)
})

describe("bridges", () => {
  it("SIGHUP says in one line which are others, and that they are taken at the next start", async () => {
    const bridge = (name: string, filter: string) => ({
      name,
      address: "mqtt://127.0.0.1:1",
      topics: [{ filter, direction: "out" }],
    })
    const write = (bridges: readonly object[] | undefined) =>
      writeFileSync(file("bridges.json"), JSON.stringify({ listeners: [{ type: "tcp", port: 0 }], bridges }))
    write([bridge("stays", "a"), bridge("changes", "a"), bridge("goes", "a")])
    const broker = new Run(["start", "--config", "bridges.json"])
    await broker.until(/listening text="tcp on/)
    broker.child.kill("SIGHUP")
    await broker.until(/ unchanged text=/)
    expect(broker.out).not.toMatch(/next start/)
    write([bridge("stays", "a"), bridge("changes", "b"), bridge("comes", "a")])
    broker.child.kill("SIGHUP")
    await broker.until(
      /warning text="changed, but taken at the next start only: bridges\.changes\.topics\S*, bridges\.goes\.name"/,
    )
    expect(broker.out.match(/next start/g)).toHaveLength(1)
    expect((await broker.stop()).status).toBe(0)
  }, 30_000)
})

describe("puremq cert and puremq passwd", () => {
  it("cert --client-san: a name for each rule of --identity", async () => {
    const names = ["d7@acme.example", "urn:acme:d7", "d7.acme.example"].flatMap((name) => ["--client-san", name])
    expect((await puremq(["cert", "--dir", "named", "--client", "d7", ...names])).status).toBe(0)
    const { subject, subjectAltName } = new X509Certificate(readFileSync(file("named/client.pem")))
    expect([subject, subjectAltName]).toEqual(["CN=d7", "email:d7@acme.example, URI:urn:acme:d7, DNS:d7.acme.example"])
    const files = ["--cert", "named/server.pem", "--key", "named/server-key.pem", "--ca", "named/ca.pem"]
    const broker = new Run(["start", "--tls", "0", ...files, "--identity", "san-uri"])
    const [, port = ""] = await broker.until(/listening text="tls on 127\.0\.0\.1:(\d+)"/)
    const client = ["--ca", "named/ca.pem", "--cert", "named/client.pem", "--key", "named/client-key.pem"]
    expect((await puremq(["pub", "-p", port, ...client, "-t", "a", "-m", "b"])).status).toBe(0)
    await broker.until(/client connected .*user=urn:acme:d7/)
    await broker.stop()
    const wrong = await puremq(["cert", "--dir", "wrong", "--client-san", "a b"])
    expect([wrong.status, wrong.err]).toEqual([1, expect.stringMatching(/^puremq: "a b" is neither .*\n$/)])
  })

  it("cert makes every kind of key, and the server can use it", async () => {
    for (const type of ["ed25519", "p256", "ed448"]) {
      const { status, out } = await puremq([
        "cert",
        "--dir",
        `certs-${type}`,
        "--key",
        type,
        "--name",
        "localhost",
        "--client",
        "device-7",
      ])
      expect(status).toBe(0)
      const [, named = ""] = /^puremq start --cert certs-\w+\/server\.pem .*ca\.pem(?: (.*))?$/m.exec(out)!
      expect(named).toBe(type === "ed448" ? "--set listeners.tls.signatureSchemes=ed448" : "")
      for (const name of ["ca", "server", "client"]) {
        expect(statSync(file(`certs-${type}/${name}-key.pem`)).mode & 0o777).toBe(0o600)
        expect(existsSync(file(`certs-${type}/${name}.pem`))).toBe(true)
      }
      const broker = new Run([
        "start",
        "--tls",
        "0",
        "--cert",
        `certs-${type}/server.pem`,
        "--key",
        `certs-${type}/server-key.pem`,
        "--ca",
        `certs-${type}/ca.pem`,
        ...named.split(" ").filter((word) => word !== ""),
      ])
      const [, port = ""] = await broker.until(/tls on 127\.0\.0\.1:(\d+)/)
      const client = ["--cert", `certs-${type}/client.pem`, "--key", `certs-${type}/client-key.pem`]
      const base = [
        "pub",
        "-h",
        "localhost",
        "-p",
        port,
        "--ca",
        `certs-${type}/ca.pem`,
        "-t",
        "a",
        "-m",
        "x",
        "-q",
        "1",
      ]
      expect(await puremq([...base, ...client])).toEqual({ status: 0, out: "", err: "" })
      expect((await puremq(base)).status).toBe(1)
      expect(broker.out).toMatch(/client connected .*user=device-7/)
      await broker.stop()
    }
  })

  it("passwd adds, changes and deletes, and keeps the file to its owner", async () => {
    expect((await puremq(["passwd", "--cost", "10", "u2", "a"], "one\n")).out).toBe("Added a in u2\n")
    expect((await puremq(["passwd", "--cost", "10", "u2", "b"], "two\n")).out).toBe("Added b in u2\n")
    const first = readFileSync(file("u2"), "utf8")
    expect((await puremq(["passwd", "--cost", "10", "u2", "a"], "three\n")).out).toBe("Changed a in u2\n")
    const second = readFileSync(file("u2"), "utf8")
    expect(second).not.toBe(first)
    expect(second).not.toContain("three")
    expect((await puremq(["passwd", "u2", "a", "--delete"])).out).toBe("Deleted a from u2\n")
    expect(readFileSync(file("u2"), "utf8")).toMatch(/^b:\$scrypt\$ln=10,r=8,p=1\$\S+\n$/)
    expect(statSync(file("u2")).mode & 0o777).toBe(0o600)
    expect((await puremq(["passwd", "u2", "c"], "")).err).toContain("an empty password protects nothing")
  })

  it("passwd takes a password from a file with a byte order mark, and none in UTF-16", async () => {
    expect((await puremq(["passwd", "--cost", "10", "u3", "a"], "\ufeffone\r\n")).out).toBe("Added a in u3\n")
    const entry = parsePasswordFile(readFileSync(file("u3"), "utf8")).get("a")
    expect(entry && (await checkPassword(entry, new TextEncoder().encode("one"), { scrypt }))).toBe(true)
    for (const input of [Buffer.from("one\n", "utf16le").toString("latin1"), "\ufffd\n"]) {
      const { status, err } = await puremq(["passwd", "--cost", "10", "u3", "b"], input)
      expect([status, err]).toEqual([2, "puremq: the password is no text in UTF-8; convert it with `iconv` first\n"])
    }
  })

  it("passwd --scram keeps keys for SCRAM beside the hash, of the password that the user has now", async () => {
    const passwd = (...args: string[]) => puremq(["passwd", "--cost", "10", "u4", ...args], "se\u00adcret\n")
    const entryOf = (user: string) => parsePasswordFile(readFileSync(file("u4"), "utf8")).get(user)
    expect((await passwd("plain")).out).toBe("Added plain in u4\n")
    expect((await passwd("a", "--scram")).out).toBe("Added a in u4\n")
    expect((await passwd("b", "--scram", "--iterations", "4096")).out).toBe("Added b in u4\n")
    expect(["plain", "a", "b"].map((user) => entryOf(user)?.scram?.iterations)).toEqual([undefined, 600_000, 4096])
    const keys = entryOf("b")?.scram
    const { salt = new Uint8Array(0), storedKey } = keys ?? {}
    // StoredKey as RFC 5802 section 3 has it, by node:crypto alone.
    const salted = pbkdf2Sync("secret", salt, 4096, 32, "sha256")
    const clientKey = createHmac("sha256", salted).update("Client Key").digest()
    expect(Buffer.from(storedKey ?? [])).toEqual(createHash("sha256").update(clientKey).digest())
    expect(Buffer.from(salt)).not.toEqual(Buffer.from(entryOf("b")?.salt ?? []))
    expect((await passwd("b", "--scram", "--iterations", "4097")).out).toBe("Changed b in u4\n")
    expect(entryOf("b")?.scram?.salt).not.toEqual(salt)
    expect((await passwd("b")).out).toBe(
      "Changed b in u4; the keys for SCRAM of the old password are gone: with --scram there are new ones\n",
    )
    expect(entryOf("b")?.scram).toBeUndefined()
  })

  it.each([
    ["too few iterations", ["u", "--scram", "--iterations", "4095"], "x", /--iterations.* 4096 to 10000000/],
    ["too many iterations", ["u", "--scram", "--iterations", "10000001"], "x", /--iterations.* 4096 to 10000000/],
    ["iterations of nothing", ["u", "--iterations", "5000"], "x", /--iterations is about --scram: give both/],
    ["a name that SCRAM has in another form", ["\u2168", "--scram"], "x", /user name .*; write it "IX"/],
    ["a name that SCRAM cannot have", ["a\u200eb", "--scram"], "x", /SCRAM cannot have this user name/],
    ["a password that SCRAM cannot have", ["u", "--scram"], "a\u200eb", /cannot have this password .*it has U\+200E/],
  ])("passwd --scram refuses %s, and writes nothing", async (_, args, input, message) => {
    const { status, err } = await puremq(["passwd", "--cost", "10", "u5", ...args], `${input}\n`)
    expect(status).toBe(2)
    expect(err).toMatch(message)
    expect(existsSync(file("u5"))).toBe(false)
  })

  it("start tells a wrong line of a password file with file and line", async () => {
    await puremq(["passwd", "--cost", "10", "u6", "a", "--scram", "--iterations", "4096"], "secret\n")
    writeFileSync(file("u6"), `# users\n${readFileSync(file("u6"), "utf8").replace("$4096:", "$409:")}`)
    const { status, err } = await puremq(["start", "--no-tls", "--tcp", "0", "--password-file", "u6"])
    const where = `cannot use the password file ${file("u6")}, line 2`
    expect([status, err]).toEqual([1, `puremq: ${where}: SCRAM iterations out of range (4096 to 10000000)\n`])
  })
})
