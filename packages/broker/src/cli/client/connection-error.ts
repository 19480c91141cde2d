// Why `puremq pub`, `puremq sub` and `puremq rr` have no connection, or have lost it: what, where and what to do, in one line.

import type { Duplex } from "node:stream"
import { addressText, isSecure, type Place } from "../../platform/dial.ts"
import { wordOf } from "../output.ts"
import { commandHere } from "../what-next.ts"
import { ClientError, NoAnswer } from "./errors.ts"
import { type ClientOptions, StreamClient } from "./mqtt-client.ts"

/** A client whose errors say where it connects to. */
export function openClient(
  { stream, place }: { readonly stream: Duplex; readonly place: Place },
  options: Omit<ClientOptions, "explain">,
): StreamClient {
  return new StreamClient(stream, { ...options, explain: (error, answered) => connectionError(error, place, answered) })
}

/**
 * @param error undefined: the connection ended without one. @param answered whether the broker has taken the client: then it
 * is one, and the address is right
 */
export function connectionError(error: Error | undefined, target: Place, answered: boolean): ClientError {
  const where = addressText(target)
  if (error === undefined) {
    if (answered) return new ClientError("the broker closed the connection")
    return connectionError(new NoAnswer("closes the connection without an answer"), target, answered)
  }
  if (error instanceof NoAnswer)
    return new ClientError(`${where} ${error.message}; check --host and --port: ${otherKind(target)}`)
  if (error instanceof ClientError) return error
  if (answered) return new ClientError(`the connection to ${where} was lost: ${lost[wordOf(error)] ?? error.message}`)
  const code = "code" in error ? String(error.code) : ""
  const known = Object.hasOwn(unreached, code) ? unreached[code] : undefined
  if (known !== undefined) return new ClientError(`${known(where, target)} (${code})`)
  const [, status] = /^Unexpected server response: (\d+)/.exec(error.message) ?? []
  if (status !== undefined)
    return new ClientError(`${where} answers with HTTP ${status} and no WebSocket; check --port and --ws-path`)
  if (code.startsWith("HPE_"))
    return new ClientError(`${where} does not answer as a WebSocket; check --host and --port: ${otherKind(target)}`)
  return new ClientError(`cannot connect to ${where}: ${error.message}${remedy(error, target)}`)
}

/** What may be wrong with an address at which something answers that is no broker of this kind. */
function otherKind({ transport }: Pick<Place, "transport">): string {
  return otherKinds[transport]
}

const otherKinds: Readonly<Record<Place["transport"], string>> = {
  tls: "is it a broker that speaks TLS? Without TLS: --tcp",
  tcp: "is it a broker without TLS? With TLS: no --tcp",
  wss: "is it a WebSocket over TLS? Without TLS: --ws; without WebSocket: no --wss",
  ws: "is it a WebSocket without TLS? With TLS: --wss; without WebSocket: --tcp",
}

const lost: Readonly<Record<string, string>> = {
  ECONNRESET: "the broker or the network reset it",
  EPIPE: "the broker closed it",
  ETIMEDOUT: "nothing came in time",
}

const reset = (where: string, target: Place): string =>
  `${where} resets the connection without an answer; check --host and --port: ${otherKind(target)}`
const noRoute = (where: string): string => `${where} cannot be reached from here; check --host and the network`

/** What makes a broker listen for it. */
const starting: Readonly<Record<Place["transport"], string>> = {
  tls: "start",
  tcp: "start --tcp 1883",
  ws: "start --ws 8080",
  wss: "start --wss 8443",
}

const unreached: Readonly<Record<string, (where: string, target: Place) => string>> = {
  ECONNREFUSED: (where, { transport }) =>
    `no broker is listening on ${where}; start one with "${commandHere(process.cwd())} ${starting[transport]}", or check --host and --port`,
  ENOTFOUND: (_, { host }) => `no host has the name ${host}; check --host`,
  EAI_AGAIN: (_, { host }) =>
    `the name ${host} cannot be resolved now; check the network, or give an address as --host`,
  ETIMEDOUT: (where) => `${where} does not answer; check --host and --port, and whether a firewall is in between`,
  EHOSTUNREACH: noRoute,
  ENETUNREACH: noRoute,
  ECONNRESET: reset,
  EPIPE: reset,
}

/** For what TLS says. */
function remedy(error: Error, target: Place): string {
  if ("kind" in error && error.kind === "EncryptedClientHelloRejected") return echRemedy(error)
  if ("reason" in error && error.reason === "unknown_issuer") return " (--cafile FILE)"
  if ("received" in error) return receivedRemedies[String(error.received)] ?? ""
  const foreign =
    isSecure(target) && "kind" in error && ["Closed", "InvalidMessage", "PeerMisbehaved"].includes(String(error.kind))
  return foreign ? `; check --host and --port: ${otherKind(target)}` : ""
}

/** What the public name has sent can be used as it is told here. */
function echRemedy(error: object): string {
  const configs = "retryConfigs" in error ? error.retryConfigs : undefined
  if (!(configs instanceof Uint8Array)) return " --ech"
  return `; the block ECHCONFIG for --ech FILE is ${Buffer.from(configs).toString("base64")}`
}

const receivedRemedies: Readonly<Record<string, string>> = {
  certificate_required: "; show one by --cert FILE --key FILE",
  no_application_protocol: "; is it the port of a broker, and not of its WebSocket?",
}
