// What the commands do when nobody reads what they write.

import { closeSync, openSync, writeFileSync } from "node:fs"
import { Writable } from "node:stream"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Command, type Running } from "../../tests/command.ts"
import { LineOutput, logTo, mostWaiting } from "./output.ts"

const command = new Command()
const patience = 120_000

beforeAll(() => command.build(), patience)
afterAll(() => command.remove())

const listening = /tcp on 127\.0\.0\.1:(\d+)/

async function stop({ child, ended }: Running): Promise<number | null> {
  child.kill("SIGTERM")
  return (await ended).status
}

/** Whether the broker still serves: a message goes through it. */
async function serves(port: string): Promise<boolean> {
  return (await command.run(["pub", "--tcp", "-p", port, "-t", "a", "-m", "b", "-q", "1"])).status === 0
}

describe("puremq start", () => {
  it.each(["text", "json"])(
    "goes on when the reader of its %s log goes away",
    { timeout: patience },
    async (format) => {
      const broker = command.start(["start", "--no-tls", "--tcp", "0", "--log", format])
      const [, port = ""] = await broker.until(listening)
      broker.child.stdout?.destroy()
      expect(await serves(port)).toBe(true)
      await broker.until(/puremq: the log cannot be written any more \(EPIPE\); the broker goes on without it/)
      expect(await serves(port)).toBe(true)
      expect(await stop(broker)).toBe(0)
    },
  )

  it("goes on when nobody reads its errors", { timeout: patience }, async () => {
    const broker = command.start(["start", "--no-tls", "--tcp", "0"])
    const [, port = ""] = await broker.until(listening)
    broker.child.stderr?.destroy()
    broker.child.stdout?.destroy()
    for (let i = 0; i < 3; i++) expect(await serves(port)).toBe(true)
    expect(await stop(broker)).toBe(0)
  })

  it.skipIf(process.platform !== "linux")(
    "goes on when the disk of its log is full",
    { timeout: patience },
    async () => {
      const full = openSync("/dev/full", "w")
      const broker = command.start(["start", "--no-tls", "--tcp", "0"], { stdio: ["ignore", full, "pipe"] })
      closeSync(full)
      await broker.until(/the log cannot be written any more \(ENOSPC\); the broker goes on without it/)
      expect(broker.child.exitCode).toBeNull()
      expect(await stop(broker)).toBe(0)
    },
  )

  it.each([
    ["{}", /^puremq: \S*empty.json:1: listeners is missing: name one at least, such as .*\n$/],
    ['{"listeners":[]}', /^puremq: \S*empty.json:1: listeners is empty: name one at least, such as .*\n$/],
  ])("with the configuration %s says what is missing", { timeout: patience }, async (text, said) => {
    writeFileSync(command.at("empty.json"), text)
    const { status, out, err } = await command.run(["start", "--config", "empty.json"])
    expect([status, out]).toEqual([1, ""])
    expect(err).toMatch(said)
  })
})

describe("a tool in a pipe", () => {
  it("puremq sub ends quietly, and says good-bye to the broker", { timeout: patience }, async () => {
    const broker = command.start(["start", "--no-tls", "--tcp", "0"])
    const [, port = ""] = await broker.until(listening)
    const sub = command.start(["sub", "--tcp", "-p", port, "-t", "#", "-i", "reader"])
    await broker.until(/client connected .*clientId=reader/)
    sub.child.stdout?.destroy()
    for (let i = 0; i < 50 && sub.child.exitCode === null; i++) await serves(port)
    expect(await sub.ended).toMatchObject({ status: 0, err: "" })
    await broker.until(/client disconnected .*clientId=reader by=client/)
    await stop(broker)
  })

  it.each([[["--help"]], [["start", "--help"]], [["sub", "--help"]]])(
    "puremq %j ends quietly",
    { timeout: patience },
    async (args) => {
      const running = command.start(args)
      running.child.stdout?.destroy()
      expect(await running.ended).toMatchObject({ status: 0, err: "" })
    },
  )
})

describe("a log that is read slowly", () => {
  it("takes lines until as much waits as may, and again once it is read", () => {
    const waiting: (() => void)[] = []
    const slow = new Writable({ write: (_chunk, _encoding, done) => void waiting.push(done) })
    const output = new LineOutput(slow, () => undefined)
    output.line("x".repeat(mostWaiting - 1))
    expect(output.takes).toBe(true)
    output.line("")
    expect(output.takes).toBe(false)
    waiting.shift()?.()
    expect(output.takes).toBe(true)
  })

  it("lines are left out meanwhile, and counted", () => {
    const waiting: (() => void)[] = []
    const lines: string[] = []
    const slow = new Writable({
      write(chunk, _encoding, done) {
        lines.push(String(chunk))
        waiting.push(done)
      },
    })
    const log = logTo(new LineOutput(slow, () => undefined), "json")
    const tell = (text: string) => log({ event: "warning", text })
    tell("x".repeat(mostWaiting))
    for (let i = 0; i < 1000; i++) tell("nobody reads this")
    expect(slow.writableLength).toBeLessThan(mostWaiting + 200)
    waiting.shift()?.()
    tell("read again")
    while (waiting.length > 0) waiting.shift()?.()
    const texts = lines.map((line) => JSON.parse(line).text)
    expect(texts.slice(1)).toEqual(["1000 lines of the log were left out: its reader was too slow", "read again"])
  })
})
