// The lines that `puremq start` prints work as they stand.

import { spawnSync } from "node:child_process"
import { mkdirSync, writeFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Command } from "../../tests/command.ts"
import { commandHere, whatNext } from "./what-next.ts"

const command = new Command()
const patience = 120_000
const user = ["passwd", "--cost", "10", "users", "alice"]

beforeAll(async () => {
  await command.build()
  for (const folder of [".puremq", "own certs"]) expect((await command.run(["cert", "--dir", folder])).status).toBe(0)
  const child = command.start(user)
  child.child.stdin?.end("secret\n")
  expect((await child.ended).status).toBe(0)
}, patience)
afterAll(() => command.remove())

/** The lines to paste, of a broker that then gets what they publish. */
async function pasted(args: readonly string[]): Promise<{ lines: string[]; status: number | null; err: string }> {
  const broker = command.start(["start", "--tls", "0", ...args])
  const [text] = await broker.until(/Try it in another terminal[\s\S]*?\n\n/)
  const lines = text.split("\n").slice(1, -2)
  const publish = lines.find((line) => line.includes("puremq/broker pub"))
  const shell = publish
    ?.trim()
    .replace("npx @puremq/broker", `"${process.execPath}" "${command.program}"`)
    .replace("USER", "alice")
  const environment = { ...process.env, PUREMQ_PASSWORD: "secret" }
  const { status, stderr } = spawnSync("sh", ["-c", `${shell} -q 1`], { cwd: command.folder, env: environment })
  broker.child.kill("SIGTERM")
  await broker.ended
  return { lines, status, err: String(stderr) }
}

describe("what puremq start prints to paste", () => {
  it.each<[string, string[], string]>([
    ["nothing given", [], ""],
    [
      "client certificates of the development authority",
      ["--ca", ".puremq/ca.pem"],
      " --cert .puremq/client.pem --key .puremq/client-key.pem",
    ],
    [
      "certificates in another folder",
      ["--cert", "own certs/server.pem", "--key", "own certs/server-key.pem", "--ca", "own certs/ca.pem"],
      " --cafile 'own certs/ca.pem' --cert 'own certs/client.pem' --key 'own certs/client-key.pem'",
    ],
    ["users", ["--password-file", "users"], " -u USER"],
    ["client certificates that may be left out", ["--ca", ".puremq/ca.pem", "--client-cert", "request"], ""],
  ])("%s: is complete, and works", { timeout: patience }, async (_, args, expected) => {
    const { lines, status, err } = await pasted(args)
    expect({ status, err }).toEqual({ status: 0, err: "" })
    for (const name of ["sub", "pub"])
      expect(lines.find((line) => line.includes(`puremq/broker ${name}`))).toMatch(new RegExp(`-p \\d+${expected} -t `))
    for (const line of lines) expect(line).not.toMatch(/CA\.pem|CLIENT/)
  })

  it("says where the dashboard is, by a name that a browser takes", () => {
    const tokens = ""
    const at = (host: string, cert?: string) =>
      whatNext(
        [{ type: "admin", name: "admin", host, port: 8884 }],
        { admin: { port: 8884, tokens, cert } },
        {},
        "puremq",
      ).find((line) => line.startsWith("Dashboard:"))
    expect(at("127.0.0.1")).toBe("Dashboard: http://127.0.0.1:8884/, with a token of its file")
    expect(at("::1")).toMatch("http://[::1]:8884/")
    expect(at("0.0.0.0", "PEM")).toMatch("https://localhost:8884/")
    expect(
      whatNext([{ type: "tcp", name: "tcp", host: "127.0.0.1", port: 1883 }], {}, {}, "puremq").join("\n"),
    ).not.toMatch("Dashboard")
  })

  it("names the command as it is found from the folder", () => {
    const folder = command.at("project/deep")
    mkdirSync(folder, { recursive: true })
    expect(commandHere(folder)).toBe("npx @puremq/broker")
    mkdirSync(command.at("project/node_modules/.bin"), { recursive: true })
    writeFileSync(command.at("project/node_modules/.bin/puremq"), "")
    expect(commandHere(folder)).toBe("npx puremq")
  })

  it.each([
    ["an executable", "/opt/puremq-node", undefined, "./puremq-node"],
    ["one of Bun, which names a script inside of it", "/opt/puremq-bun", "/$bunfs/root/puremq-bun", "./puremq-bun"],
    ["elsewhere, with a space", "/srv/my broker/puremq-deno", undefined, "'/srv/my broker/puremq-deno'"],
    ["a script by Node.js", "/usr/bin/node", "/opt/dist/puremq.mjs", "node ./dist/puremq.mjs"],
    ["by Deno", "/usr/bin/deno", "/opt/puremq.mjs", "deno run -A ./puremq.mjs"],
    ["the package's own, by Bun", "/usr/bin/bun", "/opt/bin/puremq.js", "npx @puremq/broker"],
  ])("a single file is its own command: %s", (_, executable, script, expected) => {
    expect(commandHere("/opt", { executable, script })).toBe(expected)
  })

  it("says what stands for files that it does not know", { timeout: patience }, async () => {
    mkdirSync(command.at("elsewhere"))
    const authority = await command.run(["cert", "--dir", "third"])
    expect(authority.status).toBe(0)
    for (const name of ["server", "server-key"])
      spawnSync("cp", [command.at(`third/${name}.pem`), command.at(`elsewhere/${name}.pem`)])
    // Beside it lies a client's certificate, of another authority.
    writeFileSync(command.at("elsewhere/clients.pem"), "")
    spawnSync("cp", [command.at("own certs/ca.pem"), command.at("elsewhere/clients.pem")])
    for (const name of ["client", "client-key"])
      spawnSync("cp", [command.at(`third/${name}.pem`), command.at(`elsewhere/${name}.pem`)])
    const files = [
      "--cert",
      "elsewhere/server.pem",
      "--key",
      "elsewhere/server-key.pem",
      "--ca",
      "elsewhere/clients.pem",
    ]
    const { lines } = await pasted(files)
    expect(lines[0]).toMatch(/puremq\/broker sub -p \d+ --cafile CA\.pem --cert CLIENT\.pem --key CLIENT-KEY\.pem -t/)
    expect(lines).toContain("  (CA.pem: the authority of the server's certificate)")
    expect(lines).toContain("  (CLIENT.pem: a client's certificate)")
    expect(lines).toContain("  (CLIENT-KEY.pem: its private key)")
  })
})
