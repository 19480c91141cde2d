import { existsSync } from "node:fs"
import { type Arguments, readArguments, UsageError } from "@puremq/tls13/command-line"
import { finish, type Steps } from "../access/lines.ts"
import type { LogFormat } from "../admin/log.ts"
import type { BrokerConfig } from "../config/config.ts"
import { loadingFiles } from "../config/load.ts"
import { createBroker } from "../platform/node.ts"
import { letSmallHeapGrow } from "../platform/node-collections.ts"
import { certificateFiles, developmentCertificates } from "./certificates.ts"
import { LineOutput, logTo } from "./output.ts"
import { type Reloads, reloadFiles, type Settings } from "./reload.ts"
import { tellReady } from "./service-manager.ts"
import { startCommand } from "./start-command.ts"
import { ownFolder, startConfigOf } from "./start-config.ts"
import { clientFiles, commandHere, whatNext } from "./what-next.ts"

interface Plan {
  readonly config: BrokerConfig
  readonly log: LogFormat | "none"
  /** Where it has its certificates from, for the lines to paste. */
  readonly files: { readonly cert?: string | undefined; readonly ca?: string | undefined }
  /** The authority of a development certificate that was made now. */
  readonly made: string | undefined
  /** Seconds between two looks at the files. */
  readonly reload: number | undefined
  readonly watchedFiles: readonly string[]
  readonly warnings: readonly string[]
  /** The configuration, with its files read again. */
  readonly again: () => Steps<Settings & Pick<Plan, "warnings">>
}

/** Runs the broker until a signal; resolves when it is closed. */
export async function start(args: readonly string[]): Promise<void> {
  const plan = makePlan(args)
  letSmallHeapGrow()
  const { log } = plan
  const output = new LineOutput(process.stdout, (why) => {
    process.stderr.write(`puremq: the log cannot be written any more (${why}); the broker goes on without it\n`)
  })
  const print = (line: string) => output.line(line)
  const onEvent = log === "none" ? () => undefined : logTo(output, log)
  const stopped = stopSignal()
  let reloads: Reloads | undefined
  const onReload = async () => (reloads === undefined ? "nothing was reloaded: the broker is starting" : reloads.ask())
  const broker = createBroker({ ...plan.config, onEvent, onReload })
  const warn = (text: string) => onEvent({ event: "warning", text })
  for (const text of plan.warnings) warn(text)
  const listening = broker.listen()
  const refused = (text: string) => onEvent({ event: "error", text })
  const { watchedFiles: files, reload: every } = plan
  const read = function* () {
    const { warnings, ...settings } = yield* plan.again()
    for (const text of warnings) warn(text)
    return settings
  }
  reloads = reloadFiles({ broker, started: plan, read, files, every, refused, ready: listening, warn })
  const addresses = await listening
  tellReady(addresses, process.env, warn)
  if (log === "text" || log === "none") {
    if (plan.made !== undefined) print(`Made a development certificate; its authority is ${plan.made}`)
    const clients = await clientFiles(plan.files.cert, plan.files.ca)
    for (const line of whatNext(addresses, plan.config, clients, commandHere(process.cwd()))) print(line)
  }
  await stopped
  reloads.end()
  await broker.close()
}

function makePlan(args: readonly string[]): Plan {
  const given = readArguments(startCommand, args)
  if (given.positionals.length > 0)
    throw new UsageError(`unexpected ${given.positionals[0]}; see "puremq start --help"`)
  return { ...finish(planOf(given, false)), again: () => planOf(given, true) }
}

function* planOf(given: Arguments, again: boolean): Steps<Omit<Plan, "again">> {
  const now = Date.now()
  const { cert: ownCert, key: ownKey } = certificateFiles(ownFolder)
  const sources = { given, environment: process.env, own: { cert: ownCert, key: ownKey }, again }
  const { draft, path, file, usesOwn } = startConfigOf(sources)
  const own = usesOwn ? developmentCertificates(ownFolder, now) : undefined
  const { cert, ca } = file.listeners?.find((one) => one.type === "tls" || one.type === "wss") ?? {}
  const loaded = yield* loadingFiles(file, draft, { path, now, again })
  const warnings = [...loaded.warnings, ...(path === undefined && !again ? unreadFile() : [])]
  return { ...loaded, warnings, files: { cert, ca }, made: own?.made ? own.ca : undefined }
}

/** Whoever has one beside the broker may think that it is read. */
function unreadFile(): string[] {
  const found = ["puremq.toml", "puremq.json"].find((name) => existsSync(name))
  return found === undefined ? [] : [`${found} is here, and is read only with --config ${found}`]
}

/** Resolves at the first SIGINT or SIGTERM; a second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let asked = false
    const stop = () => {
      if (asked) process.exit(130)
      asked = true
      resolve()
    }
    process.on("SIGINT", stop)
    process.on("SIGTERM", stop)
  })
}
