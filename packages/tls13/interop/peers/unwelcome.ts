// Those that a listener of `puremq start` is to refuse, say why in one line, and forget.

import { randomBytes } from "node:crypto"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { connect as connectTcp } from "node:net"
import { Duplex } from "node:stream"
import { connect as connectNodeTls } from "node:tls"
import { MqttClient as MqttJs } from "mqtt"
import { WebSocket } from "ws"
import { files, outputOf } from "../files.ts"
import { startBroker } from "../ours.ts"
import type { Run } from "../program.ts"
import { Absent, type Row } from "../table.ts"

export const unwelcomeFeatures = ["refused, and the log says why"] as const
export const hostileFeatures = ["good client in < 1 s", "heap within 10 %"] as const

export const tls12Row: Row = {
  name: "openssl s_client -tls1_2",
  version: async () => {
    const text = outputOf("openssl", "version")
    if (text === undefined) throw new Absent("there is no openssl (Debian: openssl)")
    return text.split(" ").slice(0, 2).join(" ")
  },
  cells: {
    async "refused, and the log says why"(run) {
      const { ports, program } = await startBroker(run, ["tls"])
      const client = run.start("openssl", ["s_client", "-connect", `127.0.0.1:${ports["tls"]}`, "-tls1_2"])
      await client.prints(/alert protocol version/)
      await program.prints(/^.*client offers TLS 1\.2 at most; this listener speaks only TLS 1\.3.*$/m)
    },
  },
}

export const plainHttpRow: Row = {
  name: "curl http:// on the TLS port",
  version: async () => {
    const text = outputOf("curl", "--version")
    if (text === undefined) throw new Absent("there is no curl (Debian: curl)")
    return text.split(" ").slice(0, 2).join(" ")
  },
  cells: {
    async "refused, and the log says why"(run) {
      const { ports, program } = await startBroker(run, ["tls"])
      const client = run.start("curl", ["-sS", "--max-time", "5", `http://127.0.0.1:${ports["tls"]}/`])
      if ((await client.ended) === 0) throw new Error("curl got an answer")
      await program.prints(/^.*peer speaks plain HTTP, not TLS.*$/m)
    },
  },
}

/* ------------------------------------------------------------ 10,000 hostile handshakes */

const attacks = 10_000
/** At a time. */
const width = 40

/** What a client of node:tls says first. */
async function clientHello(): Promise<Buffer> {
  const wire = new Duplex({
    read() {},
    write(data, _, done) {
      wire.emit("said", data)
      done()
    },
  })
  const said = once(wire, "said")
  const client = connectNodeTls({ socket: wire, servername: "localhost" }).on("error", () => undefined)
  const [data] = await said
  client.destroy()
  return data
}

type Attack = { readonly bytes: Buffer; readonly abort: "at once" | "at answer" }

async function attack(port: number, { bytes, abort }: Attack): Promise<void> {
  const socket = connectTcp({ host: "127.0.0.1", port })
  socket.on("error", () => undefined)
  const closed = once(socket, "close")
  socket.once("connect", () => {
    socket.write(bytes)
    if (abort === "at once") socket.resetAndDestroy()
  })
  socket.once("data", () => socket.resetAndDestroy())
  // A server that waits for more is left alone after a moment.
  socket.setTimeout(200, () => socket.resetAndDestroy())
  await closed
}

async function attackAll(port: number, count: number): Promise<void> {
  const hello = await clientHello()
  const kinds: readonly Attack[] = [
    { bytes: randomBytes(400), abort: "at answer" },
    { bytes: Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"), abort: "at answer" },
    { bytes: hello, abort: "at answer" },
    { bytes: hello, abort: "at once" },
    { bytes: hello.subarray(0, 100), abort: "at once" },
    { bytes: Buffer.concat([hello.subarray(0, 60), randomBytes(hello.length - 60)]), abort: "at answer" },
    { bytes: Buffer.alloc(0), abort: "at once" },
  ]
  let left = count
  const worker = async () => {
    while (left-- > 0) await attack(port, kinds[left % kinds.length]!)
  }
  await Promise.all(Array.from({ length: width }, worker))
}

/** Milliseconds from the first packet to CONNACK. */
async function goodClient(run: Run, port: number): Promise<number> {
  const begun = performance.now()
  const tls = { host: "127.0.0.1", port, servername: "localhost", ca: readFileSync(files.ca) }
  const client = new MqttJs(() => connectNodeTls(tls), { protocolVersion: 5, reconnectPeriod: 0 })
  run.atEnd(() => {
    client.end(true)
  })
  await new Promise((resolve, reject) => client.once("connect", resolve).once("error", reject))
  const milliseconds = performance.now() - begun
  await client.endAsync()
  return milliseconds
}

/**
 * Bytes on the heap and in buffers of a process with an inspector, after a garbage collection. Code is left out: the engine
 * compiles a megabyte more of it the longer the program is busy, whoever it is that keeps it busy.
 */
async function heapOf(inspector: string): Promise<number> {
  const socket = new WebSocket(inspector)
  await once(socket, "open")
  let id = 0
  const call = async (method: string, params: object = {}): Promise<unknown> => {
    const mine = ++id
    socket.send(JSON.stringify({ id: mine, method, params }))
    for (;;) {
      const [data] = await once(socket, "message")
      const answer = JSON.parse(String(data)) as { id?: number; result?: unknown }
      if (answer.id === mine) return answer.result
    }
  }
  for (let i = 0; i < 3; i++) await call("HeapProfiler.collectGarbage")
  const expression = `(() => {
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    const { code_and_metadata_size, bytecode_and_metadata_size } = process.getBuiltinModule("v8").getHeapCodeStatistics()
    return heapUsed + arrayBuffers - code_and_metadata_size - bytecode_and_metadata_size
  })()`
  const { result } = (await call("Runtime.evaluate", { expression })) as { result: { value?: unknown } }
  socket.close()
  if (typeof result.value !== "number")
    throw new Error(`the heap of the broker cannot be read: ${JSON.stringify(result)}`)
  return result.value
}

/** Both columns are of one run. */
export function hostileRow(say: (line: string) => void): Row {
  let after: { readonly milliseconds: number; readonly before: number; readonly heap: number } | undefined
  return {
    name: `${attacks.toLocaleString("en")} handshakes: garbage, plain HTTP, aborted, cut short`,
    version: async () => `Node ${process.versions.node}`,
    milliseconds: 180_000,
    cells: {
      async "good client in < 1 s"(run) {
        const { ports, program } = await startBroker(run, ["tls"], [], ["--inspect=127.0.0.1:0"])
        const [, inspector = ""] = await program.prints(/Debugger listening on (ws:\S+)/)
        const port = ports["tls"]!
        await goodClient(run, port)
        // Until what the engine learns about hot functions, and tables with a bound, are there.
        await attackAll(port, 2000)
        const before = await heapOf(inspector)
        await attackAll(port, attacks)
        const milliseconds = await goodClient(run, port)
        const heap = await heapOf(inspector)
        after = { milliseconds, before, heap }
        const kilobytes = (bytes: number) => `${Math.round(bytes / 1024)} KiB`
        say(`         good client ${Math.round(milliseconds)} ms; heap ${kilobytes(before)}, then ${kilobytes(heap)}`)
        if (milliseconds >= 1000) throw new Error(`a good client took ${Math.round(milliseconds)} ms`)
      },
      async "heap within 10 %"() {
        if (after === undefined) throw new Error("the run failed")
        const { before, heap } = after
        if (heap > before * 1.1) throw new Error(`the heap went from ${before} to ${heap} bytes`)
      },
    },
  }
}
