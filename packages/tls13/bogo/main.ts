// `npm run bogo -- --runner DIR [options]`: BoringSSL's TLS tests (ssl/test/runner) against this stack.

import { spawn, spawnSync } from "node:child_process"
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs"
import { availableParallelism, tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { fileURLToPath } from "node:url"
import { chooseProvider } from "../src/adapters/node/provider.ts"
import { createX25519MLKEM768 as createFastX25519MLKEM768 } from "../src/crypto/fast-pq/index.ts"
import {
  createMLKEM512,
  createMLKEM768,
  createMLKEM1024,
  createX25519MLKEM768,
  mlDsaSignatures,
} from "../src/crypto/noble-pq/index.ts"
import type { ImmediateCryptoProvider } from "../src/crypto/provider.ts"
import { type Resident, startResident } from "./resident.ts"

const help = `Runs BoringSSL's TLS tests against this stack. The tests are not part of this project: check out
https://boringssl.googlesource.com/boringssl beside it. They need Go 1.26.5 or newer.

  npm run bogo -- --runner DIR [options]

  --runner DIR        the checkout
  --test PATTERN      only the tests whose names match; several are parted by semicolons
  --workers N         tests at a time (default: the number of processors)
  --provider NAME     host (the default), fast or noble
  --include-disabled  also those that bogo/config.json disables
  --reasons           why tests are unimplemented, by number
  --verbose           a line for each test
  --help              this text

The last line counts: passed, failed, unimplemented (an older version of TLS, or an extension that this stack does not
have), disabled (bogo/config.json says why). The exit status is 0 when none failed.`

interface Options {
  runner: string | undefined
  test: string | undefined
  workers: number
  provider: string
  includeDisabled: boolean
  reasons: boolean
  verbose: boolean
}

// The bundle is one folder deeper than this source, in dist/.
const inBogo = (name: string): string => fileURLToPath(new URL(`../${name}`, import.meta.url))

/** What is removed whatever happens; stop() runs before there is one, too. */
const made: string[] = []
const options = readOptions(process.argv.slice(2))
const folder = mkdtempSync(join(tmpdir(), "puremq-bogo-"))
made.push(folder)
const resident = await startResident(providerOf(options.provider))
try {
  process.exitCode = await run(compile(options.runner, folder), folder, resident)
} finally {
  resident.close()
  rmSync(folder, { recursive: true, force: true })
}

function readOptions(args: string[]): Options & { runner: string } {
  const read: Options = {
    runner: undefined,
    test: undefined,
    workers: availableParallelism(),
    provider: "host",
    includeDisabled: false,
    reasons: false,
    verbose: false,
  }
  while (args.length > 0) {
    const arg = args.shift()!
    if (arg === "--help") stop(help, 0)
    else if (arg === "--runner") read.runner = args.shift()
    else if (arg === "--test") read.test = args.shift()
    else if (arg === "--workers") read.workers = Number(args.shift())
    else if (arg === "--provider") read.provider = args.shift() ?? ""
    else if (arg === "--include-disabled") read.includeDisabled = true
    else if (arg === "--reasons") read.reasons = true
    else if (arg === "--verbose") read.verbose = true
    else stop(`bogo: unknown option ${arg}; see --help`, 2)
  }
  const { runner } = read
  if (runner === undefined) return stop("bogo: --runner DIR is missing: a checkout of BoringSSL; see --help", 2)
  if (!(Number.isSafeInteger(read.workers) && read.workers > 0))
    return stop("bogo: --workers needs a number from 1 on; see --help", 2)
  return { ...read, runner: resolve(process.env["INIT_CWD"] ?? ".", runner) }
}

/** What the provider has, and all of ML-KEM and ML-DSA. */
function providerOf(name: string): ImmediateCryptoProvider {
  if (name !== "host" && name !== "fast" && name !== "noble") return stop(`bogo: there is no provider ${name}`, 2)
  const provider = chooseProvider(name)
  const x25519 = provider.keyExchanges.find((group) => group.name === "x25519")
  const hybrid = name === "fast" ? createFastX25519MLKEM768() : createX25519MLKEM768(x25519)
  const alone = [createMLKEM512(), createMLKEM768(), createMLKEM1024()]
  return {
    ...provider,
    keyExchanges: [hybrid, ...provider.keyExchanges, ...alone],
    signatures: [...provider.signatures, ...mlDsaSignatures],
  }
}

interface Runner {
  readonly program: string
  readonly folder: string
}

function compile(checkout: string, into: string): Runner {
  const runner = join(checkout, "ssl/test/runner")
  if (!existsSync(join(runner, "runner.go")))
    stop(`bogo: ${checkout} is not a checkout of BoringSSL: no ssl/test/runner in it`, 2)
  const program = join(into, process.platform === "win32" ? "runner.exe" : "runner")
  const { status, error } = spawnSync("go", ["test", "-c", "-o", program, "."], { cwd: runner, stdio: "inherit" })
  if (error) stop(`bogo: go cannot be started (${error.message}): Go 1.26.5 or newer must be on the path`, 2)
  if (status !== 0) stop("bogo: the runner does not compile: see above", 2)
  return { program, folder: runner }
}

async function run(runner: Runner, temporary: string, { port, unimplemented }: Resident): Promise<number> {
  const report = join(temporary, "report.json")
  const args = [
    "-test.v=false",
    "-test.timeout=0",
    `-shim-path=${inBogo("shim")}`,
    `-shim-config=${inBogo("config.json")}`,
    "-allow-unimplemented",
    `-num-workers=${options.workers}`,
    `-json-output=${report}`,
    `-pipe=${options.verbose}`,
    ...(options.test === undefined ? [] : [`-test=${options.test}`]),
    ...(options.includeDisabled ? ["-include-disabled"] : []),
  ]
  const env = { ...process.env, PUREMQ_BOGO_PORT: String(port) }
  const child = spawn(runner.program, args, { cwd: runner.folder, env, stdio: ["ignore", "pipe", "inherit"] })
  const total = await show(child.stdout)
  await new Promise((done) => (child.exitCode === null ? child.on("exit", done) : done(undefined)))
  if (!existsSync(report)) return stop("bogo: the runner stopped before its end: see above", 1)
  if (options.reasons) showReasons(unimplemented)
  return summarize(JSON.parse(readFileSync(report, "utf8")), total)
}

/** Passes on what the runner says of failures, without its status lines; the last number of those counts all tests. */
async function show(output: NodeJS.ReadableStream): Promise<number | undefined> {
  let total: number | undefined
  let rest = ""
  for await (const chunk of output) {
    const lines = (rest + String(chunk)).split("\n")
    rest = lines.pop()!
    for (const line of lines) print(line)
  }
  print(rest)
  return total

  function print(line: string): void {
    const counts = [...line.matchAll(/\d+\/\d+\/\d+\/\d+\/(\d+)/g)].at(-1)
    if (counts) total = Number(counts[1])
    const plain = line.replaceAll("\b \b", "").replaceAll(/\d+\/\d+\/\d+\/\d+\/\d+/g, "")
    if (plain !== "" || counts === undefined) console.log(plain)
  }
}

function showReasons(unimplemented: ReadonlyMap<string, number>): void {
  const rows = [...unimplemented].sort(([, a], [, b]) => b - a)
  for (const [reason, count] of rows) console.log(`${String(count).padStart(6)}  ${reason}`)
}

interface Report {
  readonly num_failures_by_type: Readonly<Record<string, number>>
}

function summarize({ num_failures_by_type: counts }: Report, total: number | undefined): number {
  const [passed = 0, failed = 0, skipped = 0] = ["PASS", "FAIL", "SKIP"].map((type) => counts[type] ?? 0)
  const ran = passed + failed + skipped
  const left = options.test === undefined && total !== undefined ? total - ran : 0
  console.log(`bogo: ${passed} passed, ${failed} failed, ${skipped} unimplemented, ${left} disabled`)
  return failed > 0 ? 1 : 0
}

function stop(message: string, status: number): never {
  console.log(message)
  for (const each of made) rmSync(each, { recursive: true, force: true })
  process.exit(status)
}
