// Why `puremq pub` and `puremq sub` have no connection, or have lost it: what, where and what to do, in one line.

import type { Duplex } from "node:stream"
import type { ConnectRequest } from "../packet/codec.ts"
import { ClientError, MqttClient, NoAnswer, type Received } from "./mqtt-client.ts"
import { wordOf } from "./output.ts"

/** Where the command connects to. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly tls: boolean
}

/** A client whose errors say where it connects to. */
export function openClient(
  { stream, target }: { readonly stream: Duplex; readonly target: Target },
  request: ConnectRequest,
  onMessage: (message: Received) => void,
): MqttClient {
  return new MqttClient(stream, request, onMessage, (error, answered) => connectionError(error, target, answered))
}

/**
 * @param error undefined: the connection ended without one. @param answered whether the broker has taken the client: then it
 * is one, and the address is right
 */
export function connectionError(error: Error | undefined, target: Target, answered: boolean): ClientError {
  const where = `${target.host.includes(":") ? `[${target.host}]` : target.host}:${target.port}`
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
  return new ClientError(`cannot connect to ${where}: ${error.message}${remedy(error, target)}`)
}

/** What may be wrong with an address at which something answers that is no broker of this kind. */
export function otherKind({ tls }: Pick<Target, "tls">): string {
  return tls ? "is it a broker that speaks TLS? Without TLS: --tcp" : "is it a broker without TLS? With TLS: no --tcp"
}

const lost: Readonly<Record<string, string>> = {
  ECONNRESET: "the broker or the network reset it",
  EPIPE: "the broker closed it",
  ETIMEDOUT: "nothing came in time",
}

const reset = (where: string, target: Target): string =>
  `${where} resets the connection without an answer; check --host and --port: ${otherKind(target)}`
const noRoute = (where: string): string => `${where} cannot be reached from here; check --host and the network`

const unreached: Readonly<Record<string, (where: string, target: Target) => string>> = {
  ECONNREFUSED: (where, { tls }) =>
    `no broker is listening on ${where}; start one with "npm start${tls ? "" : " -- --tcp 1883"}", or check --host and --port`,
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
function remedy(error: Error, target: Target): string {
  if ("reason" in error && error.reason === "unknown_issuer") return " (--ca FILE)"
  if ("received" in error) return receivedRemedies[String(error.received)] ?? ""
  const foreign = "kind" in error && ["Closed", "InvalidMessage", "PeerMisbehaved"].includes(String(error.kind))
  return foreign ? `; check --host and --port: ${otherKind(target)}` : ""
}

const receivedRemedies: Readonly<Record<string, string>> = {
  certificate_required: "; show one by --cert FILE --key FILE",
  no_application_protocol: "; is it the port of a broker, and not of its WebSocket?",
}
