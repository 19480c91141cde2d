import { type Arguments, readArguments, UsageError } from "@puremq/tls13/command-line"
import { finish, type Steps } from "../access/lines.ts"
import type { LogFormat } from "../admin/log.ts"
import type { BrokerConfig, ListenerConfig } from "../config/config.ts"
import { loadingConfigFile, readingFiles, refusePipes, watchedFilesOf } from "../config/load.ts"
import { createBroker } from "../platform/node.ts"
import { developmentCertificates } from "./certificates.ts"
import { LineOutput, logTo } from "./output.ts"
import { type Reloads, reloadFiles, type Settings } from "./reload.ts"
import { startCommand } from "./start-command.ts"
import { fileConfigOf } from "./start-config.ts"
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
  const file = given.text("config")
  if (file !== undefined) {
    if (args.length > 2) throw new UsageError("--config goes without other options; put them into the file")
    const load = (again: boolean) => loadingConfigFile(file, Date.now(), again)
    return { ...finish(load(false)), files: {}, made: undefined, again: () => load(true) }
  }
  return { ...finish(planOf(given, false)), again: () => planOf(given, true) }
}

function* planOf(given: Arguments, again: boolean): Steps<Omit<Plan, "again">> {
  const now = Date.now()
  let made: string | undefined
  const file = fileConfigOf(given, () => {
    const { cert, key, ca, made: isNew } = developmentCertificates(".puremq", now)
    if (isNew) made = ca
    return { cert, key }
  })
  const { cert, ca } = file.listeners?.find((one) => one.type === "tls" || one.type === "wss") ?? {}
  const watchedFiles = watchedFilesOf(file, process.cwd())
  if (again) refusePipes(watchedFiles)
  const warnings: string[] = []
  return {
    config: anonymousRule(yield* readingFiles(file, process.cwd(), now, (text) => warnings.push(text))),
    warnings,
    log: file.log ?? "text",
    files: { cert, ca },
    made,
    reload: file.reload,
    watchedFiles,
  }
}

/** With client certificates required there is a login already; otherwise passwords decide. */
function anonymousRule(config: BrokerConfig): BrokerConfig {
  if (config.login?.anonymous !== undefined || config.login?.passwords !== undefined) return config
  const everyListener = (config.listeners ?? []).every(
    (one: ListenerConfig) => "clientCertificate" in one && one.clientCertificate === "require",
  )
  return everyListener ? { ...config, login: { ...config.login, anonymous: false } } : config
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
