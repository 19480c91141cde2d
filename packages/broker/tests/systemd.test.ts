// deploy/systemd as systemd reads it, and what the broker tells it. The rows that ask systemd's own programs are skipped where there
// are none.

import { spawn, spawnSync } from "node:child_process"
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { tokenLine } from "../src/admin/tokens.ts"
import { Command } from "./command.ts"

const folder = fileURLToPath(new URL("../../../deploy/systemd/", import.meta.url))
const textOf = (name: string) => readFileSync(join(folder, name), "utf8")
const isThere = (program: string, ...args: string[]) => spawnSync(program, args).status === 0
const analyzes = isThere("systemd-analyze", "--version")
const notifies = isThere("systemd-notify", "--version") && isThere("python3", "--version")

/** `systemd-analyze security` as it says it, 0 to 10: what is left is a server on the network that Node.js runs. */
const mostExposure = 1.5

const unit = textOf("puremq.service")
const settings = unit.split("\n").flatMap((line) => /^(\w+)=(.*)$/.exec(line)?.slice(1) ?? [])

describe("the unit", () => {
  const place = mkdtempSync(join(tmpdir(), "puremq-unit-"))
  const file = join(place, "puremq.service")
  beforeAll(() => {
    // The program is not installed here, nor is any other that it might take.
    const program = join(place, "puremq")
    writeFileSync(program, "#!/bin/sh\n")
    chmodSync(program, 0o755)
    writeFileSync(file, unit.replace(/^ExecStart=puremq /m, `ExecStart=${program} `))
    mkdirSync(`${file}.d`)
    writeFileSync(join(`${file}.d`, "credentials.conf"), textOf("credentials.conf"))
  })
  afterAll(() => rmSync(place, { recursive: true }))

  it.skipIf(!analyzes)("is good, its drop-in for credentials too", () => {
    const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", file], {
      encoding: "utf8",
      env: { ...process.env, SYSTEMD_UNIT_PATH: `${place}:` },
    })
    expect([status, stdout, stderr]).toEqual([0, "", ""])
  })

  it.skipIf(!analyzes)(`leaves systemd-analyze security no more than ${mostExposure}`, () => {
    const args = ["security", "--offline=true", `--threshold=${mostExposure * 10}`, "--no-pager", file]
    const { status, stdout } = spawnSync("systemd-analyze", args, { encoding: "utf8" })
    const [, exposure = "10"] = /Overall exposure level for .*: ([\d.]+)/.exec(stdout) ?? []
    process.stdout.write(`systemd-analyze security puremq.service: ${exposure}\n`)
    expect(Number(exposure)).toBeLessThanOrEqual(mostExposure)
    expect(status).toBe(0)
  })

  it("waits longer for the end than the broker takes for it, and names what the documentation does", () => {
    expect(settings).toContain("Type")
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(unit)?.[1])).toBeGreaterThanOrEqual(20)
    expect(settings).not.toContain("MemoryDenyWriteExecute")
    const page = readFileSync(join(folder, "../../docs/deployment.md"), "utf8")
    for (const name of ["puremq.service", "puremq.sysusers", "puremq.toml", "credentials.conf"])
      expect(page).toContain(name)
  })
})

describe("the broker under systemd", () => {
  const command = new Command()
  beforeAll(() => command.build(), 60_000)
  afterAll(() => command.remove())

  it("takes the configuration of the page", async () => {
    await command.run(["cert", "--dir", command.at("etc")])
    const user = command.start(["passwd", command.at("etc/passwords"), "ann", "--cost", "10"])
    user.child.stdin?.end("secret\n")
    await user.ended
    writeFileSync(command.at("etc/admin-tokens"), `${tokenLine("me", "operate", "puremq_x")}\n`)
    writeFileSync(command.at("etc/puremq.toml"), textOf("puremq.toml"))
    const { status, out, err } = await command.run(["check-config", "--config", command.at("etc/puremq.toml")])
    expect([status, err]).toEqual([0, ""])
    expect(out).toMatch(/is good: tls on 0\.0\.0\.0:8883/)
  })

  it("says when it listens, once, by systemd-notify", async () => {
    const told = command.at("told")
    const bin = command.at("bin")
    mkdirSync(bin)
    const program = join(bin, "systemd-notify")
    writeFileSync(program, `#!/bin/sh\necho "$NOTIFY_SOCKET $*" >> ${told}\n`)
    chmodSync(program, 0o755)
    const env = { ...process.env, NOTIFY_SOCKET: "/run/nobody", PATH: `${bin}${delimiter}${process.env["PATH"]}` }
    const broker = command.start(["start", "--no-tls", "--tcp", "0"], { env })
    const [, port = ""] = await broker.until(/listening text="tcp on 127\.0\.0\.1:(\d+)"/)
    await expect.poll(() => readIfThere(told)).toBe(`/run/nobody --ready --status=tcp on 127.0.0.1:${port}\n`)
    broker.child.kill("SIGTERM")
    expect((await broker.ended).status).toBe(0)
  })

  it("goes on, and warns, where there is no systemd-notify", async () => {
    const env = { ...process.env, NOTIFY_SOCKET: "/run/nobody", PATH: command.at("nothing") }
    const broker = command.start(["start", "--no-tls", "--tcp", "0"], { env })
    await broker.until(/warning text="systemd was not told that the broker is ready.*ENOENT.*Type=exec in its unit"/)
    broker.child.kill("SIGTERM")
    expect((await broker.ended).status).toBe(0)
  })

  it.skipIf(!notifies)("systemd's own program tells it to who has the socket", async () => {
    const socket = command.at("notify")
    const receiver = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print("bound", flush=True)
print(s.recv(4096).decode(), flush=True)
`
    const script = command.at("receive.py")
    writeFileSync(script, receiver)
    const python = spawn("python3", [script, socket])
    let heard = ""
    python.stdout.on("data", (chunk) => (heard += chunk))
    await expect.poll(() => heard).toMatch(/bound/)
    const env = { ...process.env, NOTIFY_SOCKET: socket }
    const broker = command.start(["start", "--no-tls", "--tcp", "0"], { env })
    await expect.poll(() => heard).toMatch(/READY=1[\s\S]*STATUS=tcp on|STATUS=tcp on[\s\S]*READY=1/)
    broker.child.kill("SIGTERM")
    await broker.ended
    python.kill()
  })
})

function readIfThere(path: string): string {
  try {
    return readFileSync(path, "utf8")
  } catch {
    return ""
  }
}
