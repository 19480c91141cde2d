import { spawn } from "node:child_process"
import { connect, type Socket } from "node:net"
import { afterAll, beforeAll, describe, expect, it } from "vitest"
import { Command, Running } from "../../tests/command.ts"
import { DescriptorWatch } from "./descriptors.ts"

describe("DescriptorWatch", () => {
  it("says when it begins, once a minute while it lasts, and when it is over", () => {
    const said: string[] = []
    let code: string | undefined
    const watch = new DescriptorWatch(
      (text) => said.push(text),
      () => code,
    )
    for (let second = 0; second < 200; second++) {
      code = second >= 10 && second < 140 ? "EMFILE" : second === 150 ? "ENFILE" : undefined
      watch.look(second * 1000)
    }
    const over = "connections can be taken again: there are descriptors"
    const closed = "no listener can take a connection, and those that come are closed"
    const [ours, all] = [
      /^.*: the process has too many open files; raise /,
      /^.*: this machine has too many open files; /,
    ]
    expect(said).toEqual([...[0, 1, 2].map(() => expect.stringMatching(ours)), over, expect.stringMatching(all), over])
    expect(said.filter((line) => line.startsWith(closed))).toHaveLength(4)
  })
})

describe.skipIf(process.platform === "win32")("a broker without descriptors", () => {
  const command = new Command()
  beforeAll(() => command.build(), 60_000)
  afterAll(() => command.remove())

  it("says so, whichever listener has taken the last, and goes on when there are some", async () => {
    const listeners = ["--tcp", "0", "--tls", "0", "--ws", "0", "--wss", "0", "--metrics", "0"]
    const line = [process.execPath, command.program, "start", "--store", "memory", ...listeners]
    // The command's chunks are opened at once, and need as many at its start.
    const most = 200
    const child = spawn("sh", ["-c", `ulimit -n ${most}; exec "$@"`, "sh", ...line], { cwd: command.folder })
    const broker = new Running(child)
    const sockets: Socket[] = []
    try {
      await broker.until(/metrics on 127\.0\.0\.1:\d+/)
      for (const kind of ["tcp", "tls", "ws", "wss", "metrics"]) {
        const [, port] = await broker.until(new RegExp(`listening text="${kind} on 127\\.0\\.0\\.1:(\\d+)"`))
        const before = broker.out.length
        const later = () => broker.out.slice(before)
        for (let n = 0; n < most; n++) {
          const socket = connect({ host: "127.0.0.1", port: Number(port) })
          sockets.push(socket)
          socket.on("error", () => undefined).resume()
        }
        await expect
          .poll(later, { timeout: 20_000 })
          .toMatch(/warning text="no listener can take a connection.*ulimit -n/)
        for (const socket of sockets.splice(0)) socket.destroy()
        await expect.poll(later, { timeout: 20_000 }).toMatch(/warning text="connections can be taken again/)
        expect(later().match(/no listener can take/g)?.length).toBeLessThan(4)
      }
    } finally {
      for (const socket of sockets) socket.destroy()
      child.kill()
      await broker.ended
    }
  }, 120_000)
})
