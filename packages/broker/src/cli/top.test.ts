// `puremq top` as a person runs it: the command, on a terminal that python3 lends it, where there is one; and --once anywhere.

import { type ChildProcess, spawn, spawnSync } from "node:child_process"
import { writeFileSync } from "node:fs"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { AdminWorld, tokenFile, tokens } from "../../tests/admin-world.ts"
import { Command, type Ended } from "../../tests/command.ts"

const hasTerminals = spawnSync("python3", ["-c", "import pty"]).status === 0
const command = new Command()
/** Milliseconds of a busy machine to bundle the command. */
const patience = 60_000
let world: AdminWorld
beforeAll(async () => {
  await command.build()
  writeFileSync(command.at("token"), `${tokens.read}\n`)
  world = await AdminWorld.start()
}, patience)
afterAll(async () => {
  await world.close()
  command.remove()
})

const url = () => `http://127.0.0.1:${world.port("admin")}`
const utf8 = { ...process.env, LANG: "C.UTF-8", LC_ALL: "C.UTF-8", TERM: "xterm-256color", NO_COLOR: "" }

function run(args: readonly string[], env: NodeJS.ProcessEnv = utf8): Promise<Ended> {
  const running = command.start(["top", ...args], { env })
  running.child.stdin?.end()
  return running.ended
}

describe("puremq top --once", () => {
  it("prints one screen of a broker that works, and ends", async () => {
    const client = await world.client("pump/7")
    await client.subscribeAsync("t")
    const publishing = setInterval(() => client.publish("t", "x"), 20)
    const args = [url(), "--token-file", "token", "--once", "--interval", "1", "--columns", "80"]
    const { status, out, err } = await run(args)
    clearInterval(publishing)
    expect([status, err]).toEqual([0, ""])
    expect(out).toMatch(/^PureMQ \d+\.\d+\.\d+ {2}http:\/\/127\.0\.0\.1:\d+ /)
    expect(out).toMatch(/^ (WELL|LOOK|BAD) {2}.*: 1 client connected/m)
    expect(out).toMatch(/msgs in +[1-9][\d.]*\/s +█/)
    expect(out).toMatch(/ pump\/7$/m)
    expect(out).not.toContain("\u001b")
    for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(80)
    const plain = await run(args, { ...utf8, LANG: "C", LC_ALL: "C" })
    expect(plain.out).toMatch(/^[\n -~]*$/)
  })

  it("takes the token from the environment, and says what is wrong in one line", async () => {
    const env = { ...utf8, PUREMQ_ADMIN_TOKEN: tokens.read }
    expect((await run([url(), "--once", "--interval", "1"], env)).status).toBe(0)
    const rows: readonly (readonly [readonly string[], NodeJS.ProcessEnv, number, RegExp])[] = [
      [[url(), "--once"], utf8, 2, /the admin API wants a token: --token-file FILE, or PUREMQ_ADMIN_TOKEN/],
      [[url()], env, 2, /is no terminal that can be drawn on; --once prints one screen/],
      [["mqtt://127.0.0.1", "--once"], env, 2, /watched by its admin API, and there is none here/],
      [
        [url(), "--once"],
        { ...utf8, PUREMQ_ADMIN_TOKEN: "puremq_other" },
        1,
        /does not know this token; one is made by/,
      ],
      [
        ["http://127.0.0.1:1", "--once"],
        env,
        1,
        /no answer from http:\/\/127\.0\.0\.1:1: .*nothing listens there; start it/,
      ],
    ]
    for (const [args, environment, status, says] of rows) {
      const ended = await run(args, environment)
      expect([ended.status, ended.out]).toEqual([status, ""])
      expect(ended.err).toMatch(/^puremq: [^\n]+\n$/)
      expect(ended.err).toMatch(says)
    }
  })
})

/** Copies between the command's terminal and its own pipes; a line `size COLUMNS ROWS` on descriptor 3 resizes it. */
const driver = `
import fcntl, os, pty, select, signal, struct, sys, termios
def size(columns, rows):
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
child, terminal = pty.fork()
if child == 0:
    # Until its terminal has a size.
    os.read(0, 1)
    os.execvp(sys.argv[1], sys.argv[1:])
size(100, 30)
os.write(terminal, b"\\n")
inputs = [0, 3, terminal]
while True:
    for ready in select.select(inputs, [], [])[0]:
        try:
            data = os.read(ready, 65536)
        except OSError:
            data = b""
        if ready == terminal:
            if not data:
                sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) & 255)
            os.write(1, data)
        elif not data:
            inputs.remove(ready)
        elif ready == 0:
            os.write(terminal, data)
        else:
            size(*map(int, data.split()[1:3]))
`

class OnTerminal {
  readonly child: ChildProcess
  out = ""
  readonly ended: Promise<number | null>

  constructor(args: readonly string[]) {
    writeFileSync(command.at("driver.py"), driver)
    const words = [command.at("driver.py"), process.execPath, command.program, "top", ...args]
    this.child = spawn("python3", words, { cwd: command.folder, env: utf8, stdio: ["pipe", "pipe", "inherit", "pipe"] })
    this.child.stdout?.setEncoding("utf8").on("data", (chunk) => (this.out += chunk))
    this.ended = new Promise((resolve) => this.child.on("close", resolve))
  }

  /** What is on the screen: the lines of the last frame, without colours. */
  get screen(): string {
    const frame = this.out.split("\u001b[?2026h\u001b[H").at(-1) ?? ""
    return frame.replaceAll("\u001b", "ESC").replace(/ESC\[[?\d;]*[a-zA-Z]/g, "")
  }

  /** A terminal writes a line end as more than one. */
  get lines(): string[] {
    return this.screen.split(/\r*\n/)
  }

  press(keys: string): void {
    this.child.stdin?.write(keys)
  }

  resize(columns: number, rows: number): void {
    const pipe = this.child.stdio[3]
    if (pipe !== null && pipe !== undefined && "write" in pipe) pipe.write(`size ${columns} ${rows}\n`)
  }

  async shows(pattern: RegExp): Promise<void> {
    await expect.poll(() => this.screen, { interval: 50 }).toMatch(pattern)
  }
}

describe.skipIf(!hasTerminals)("puremq top on a terminal", () => {
  it("draws, obeys keys and the terminal's size, and leaves it as it was", async () => {
    const top = new OnTerminal([url(), "--token-file", "token", "--interval", "1"])
    await top.shows(/CLIENTS[\s\S]*WAITING▾[\s\S]*q quit/)
    expect(top.out).toContain("\u001b[?1049h\u001b[?25l\u001b[?7l")
    await top.shows(/msgs in +\d/)
    const width = () => Math.max(...top.lines.map((line) => line.length))
    await expect.poll(width).toBe(100)
    top.resize(60, 24)
    await expect.poll(width).toBe(60)
    await expect.poll(() => top.lines.length).toBe(24)
    top.press("s")
    await top.shows(/UNSENT▾/)
    top.press("?")
    await top.shows(/loop delay +how late/)
    top.press("?p")
    await top.shows(/PAUSED/)
    top.press("p")
    await expect.poll(() => top.screen).not.toMatch(/PAUSED/)
    top.press("q")
    expect(await top.ended).toBe(0)
    expect(top.out.endsWith("\u001b[?7h\u001b[?25h\u001b[?1049l")).toBe(true)
  })

  it("says that the broker is away, and goes on by itself when it is there again", async () => {
    const first = await AdminWorld.start()
    const port = first.port("admin")
    const top = new OnTerminal([`http://127.0.0.1:${port}`, "--token-file", "token", "--interval", "1"])
    await top.shows(/WELL|LOOK|BAD/)
    await first.close()
    await top.shows(/AWAY {2}no answer since \d\d:\d\d:\d\d, asking again[\s\S]*nothing listens there/)
    const second = await AdminWorld.start({ admin: { port, tokens: tokenFile } })
    await top.shows(/WELL|LOOK|BAD/)
    top.press("\u0003")
    expect(await top.ended).toBe(0)
    await second.close()
  })
})
