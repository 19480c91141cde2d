// A test of the suite: a broker of its own with what the suite wants of one, and a Python process with a time limit.

import { execFileSync, spawn } from "node:child_process"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { fileURLToPath } from "node:url"
import { Program, puremq } from "../hostile/programs.ts"
import { NatsServers } from "../tests/cluster/nats-server.ts"
import { Turns } from "./two-nodes.ts"

/** Milliseconds that a test may take; the longest waits for 30 s. */
const patience = 120_000

const one = fileURLToPath(new URL(import.meta.url.includes("/dist/") ? "../one.py" : "one.py", import.meta.url))

const files = [
  { file: "client_test", version: "3.1.1" },
  { file: "client_test5", version: "5.0" },
] as const

export interface Test {
  readonly file: "client_test" | "client_test5"
  readonly version: string
  readonly name: string
}

export interface Verdict {
  readonly outcome: "passed" | "failed" | "skipped"
  readonly words?: string
  readonly seconds?: number
  readonly printed?: string
}

/** @throws Error when the suite cannot be loaded */
export function listTests(folder: string): readonly Test[] {
  return files.flatMap(({ file, version }) => {
    const names = execFileSync("python3", ["-B", one, folder, file, "0"], { encoding: "utf8" })
    return names.split(/\s+/).flatMap((name) => (name === "" ? [] : [{ file, version, name }]))
  })
}

/** Passwords are not asked for, one topic is for nobody, and Keep Alive is at most the 60 s that test_server_keep_alive wants. */
function configuration(folder: string, nats: readonly string[]): string {
  const aclFile = join(folder, "acl")
  writeFileSync(aclFile, "all readwrite #\nall readwrite $TopicA/#\nall deny test/nosubscribe\n")
  const file = join(folder, "puremq.json")
  const content = {
    listeners: [{ type: "tcp", host: "127.0.0.1", port: 0 }],
    login: { anonymous: true },
    aclFile,
    limits: { maximumKeepAlive: 60 },
    ...(nats.length > 0 ? { cluster: { nats } } : { store: { directory: join(folder, "store") } }),
  }
  writeFileSync(file, JSON.stringify(content))
  return file
}

/** Brokers and Python processes of the moment. */
const running = new Set<{ kill: () => unknown }>()

/** Ends what runs: for a run that is interrupted. */
export function killAll(): void {
  for (const { kill } of running) kill()
}

/** @param clustered against two brokers of one cluster, by turns */
export async function runTest(suite: string, test: Test, clustered: boolean): Promise<Verdict> {
  const folder = mkdtempSync(join(tmpdir(), "puremq-paho-"))
  const servers = clustered ? await NatsServers.start(1) : undefined
  const file = configuration(folder, servers?.addresses ?? [])
  const brokers = Array.from({ length: clustered ? 2 : 1 }, () => new Program(puremq, ["start", "--config", file]))
  const entry = { kill: () => brokers.map(({ child }) => child.kill()) }
  running.add(entry)
  let turns: Turns | undefined
  try {
    const ports: number[] = []
    for (const broker of brokers) {
      const [, port] = (await broker.prints(/listening.*\btcp on 127\.0\.0\.1:(\d+)/)) ?? []
      if (port === undefined) return { outcome: "failed", words: broker.end ?? "the broker does not listen" }
      ports.push(Number(port))
    }
    turns = clustered ? await Turns.listen(ports) : undefined
    const begun = performance.now()
    const { status, printed } = await python([one, suite, test.file, String(turns?.port ?? ports[0]), test.name])
    const seconds = (performance.now() - begun) / 1000
    const ended = brokers.find(({ alive }) => !alive)
    const verdict = ended === undefined ? verdictOf(status, printed) : failed(`the broker ended: ${ended.end}`)
    const logs = brokers.map(({ log }) => `--- the broker:\n${log}`)
    return { ...verdict, seconds, printed: [printed, ...logs].join("\n") }
  } finally {
    turns?.close()
    await Promise.all(brokers.map((broker) => broker.stop()))
    await servers?.stop()
    running.delete(entry)
    rmSync(folder, { recursive: true, force: true })
  }
}

function failed(words: string): Verdict {
  return { outcome: "failed", words }
}

function verdictOf(status: number | undefined, printed: string): Verdict {
  if (status === undefined) return failed(`not done after ${patience / 1000} s`)
  if (status === 0) return { outcome: "passed" }
  if (status === 3) return { outcome: "passed", words: "SUBACK says 0x87, Not authorized (MQTT 5.0 section 3.9.3)" }
  // The first error that it met: those of unittest around it say less.
  const error = /^(?:\w+\.)*\w*(?:Error|Exception|timeout)\b.*$/m.exec(printed)?.[0]
  return failed((error ?? printed.trim().split("\n").at(-1) ?? `status ${status}`).slice(0, 300))
}

/** The status; undefined when its time was over. */
async function python(args: readonly string[]): Promise<{ status: number | undefined; printed: string }> {
  const child = spawn("python3", ["-B", "-u", ...args], { stdio: ["ignore", "pipe", "pipe"] })
  const entry = { kill: () => child.kill() }
  running.add(entry)
  let printed = ""
  for (const stream of [child.stdout, child.stderr]) stream.on("data", (data: Buffer) => (printed += data.toString()))
  let late = false
  const timer = setTimeout(() => {
    late = true
    child.kill("SIGKILL")
  }, patience)
  const status = await new Promise<number>((resolve) => {
    child.once("error", () => resolve(1))
    child.once("close", (code) => resolve(code ?? 1))
  })
  clearTimeout(timer)
  running.delete(entry)
  return { status: late ? undefined : status, printed }
}
