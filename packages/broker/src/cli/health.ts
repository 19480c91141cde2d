// `puremq health`: whether a running broker is well, as a status and a line.

import { type Arguments, readArguments, UsageError } from "@puremq/tls13/command-line"
import { ConfigError } from "../config/config.ts"
import { messageOf } from "../http/client.ts"
import { addressText } from "../platform/dial.ts"
import { openStream } from "./client/open-stream.ts"
import { AdminApi, adviceFor, numberIn, textIn, Unanswered } from "./monitor/api.ts"
import { healthCommand, usualTimeout } from "./monitor/command.ts"
import { type Checked, checkMqtt } from "./monitor/mqtt-check.ts"
import { type AdminTarget, type MqttTarget, targetOf, tokenOf } from "./monitor/where.ts"

/** @returns the exit status: 0 well, 1 not. @throws UsageError */
export async function health(
  args: readonly string[],
  print: (line: string) => void,
  tell: (line: string) => void,
): Promise<number> {
  const options = readArguments(healthCommand, args)
  const timeout = 1000 * (options.number("timeout", 1, 300) ?? usualTimeout)
  const target = await targetOf(options, process.env, options.text("listener"))
  const token = tokenOf(options, process.env)
  const began = performance.now()
  const { where, well, alive, says } =
    target.kind === "admin" ? await askApi(target, token, timeout) : await askMqtt(target, options, timeout)
  const passes = well || (alive && options.flag("alive"))
  if (!options.flag("quiet")) {
    const took = `${Math.round(performance.now() - began)} ms`
    if (well) print(`well: the broker at ${where} ${says} (${took})`)
    else (passes ? print : tell)(`${alive ? "not well, but alive" : "not well"}: the broker at ${where} ${says}`)
  }
  return passes ? 0 : 1
}

interface Found extends Checked {
  readonly where: string
}

async function askApi(target: AdminTarget, token: string | undefined, timeout: number): Promise<Found> {
  const api = new AdminApi(target, token)
  const where = api.place
  try {
    const { status, body } = await api.ask("/health", timeout)
    const word = textIn(body, "status")
    if ((status !== 200 || word !== "ok") && (status !== 503 || word !== "not ok")) {
      const says = `answers with HTTP ${status}, and not as a broker`
      return { where, well: false, alive: false, says: `${says}; ${adviceFor(says)}` }
    }
    const well = status === 200
    return { where, well, alive: true, says: api.hasToken ? await more(api, well, timeout) : brief(well) }
  } catch (error) {
    if (!(error instanceof Unanswered)) throw error
    const { message } = error
    return { where, well: false, alive: false, says: `cannot be asked: ${message}; ${adviceFor(message)}` }
  } finally {
    api.close()
  }
}

function brief(well: boolean): string {
  if (well) return "says ok"
  return "says that it is not: it closes, its store fails, or it sends its clients away; its log says which, and so does this with a token (--token-file FILE)"
}

/** What the API says to whom it knows. */
async function more(api: AdminApi, well: boolean, timeout: number): Promise<string> {
  const { status, body } = await api.ask("/api/v1/broker", timeout)
  if (status !== 200) return `${brief(well)}; the token is no good, so that is all (HTTP ${status})`
  const clients = numberIn(body, "clients")
  if (well)
    return `says ok: version ${textIn(body, "version") ?? "?"}, ${clients} ${clients === 1 ? "client" : "clients"}`
  return `is not: ${textIn(body, "problem") ?? "it does not say why"}`
}

async function askMqtt(target: MqttTarget, options: Arguments, timeout: number): Promise<Found> {
  const { place, address, ca } = target
  const where = `${schemes[place.transport]}://${addressText({ host: address ?? place.host, port: place.port })}`
  try {
    const checked = await checkMqtt(await openStream(options, place, { trusted: ca, address }), timeout)
    return { ...checked, where, says: checked.alive ? checked.says : `${checked.says}; ${adviceFor(checked.says)}` }
  } catch (error) {
    if (error instanceof ConfigError) throw new UsageError(error.message)
    if (error instanceof UsageError) throw error
    return { where, well: false, alive: false, says: `cannot be asked: ${messageOf(error)}; ${adviceFor("")}` }
  }
}

const schemes = { tls: "mqtts", tcp: "mqtt", wss: "wss", ws: "ws" } as const
