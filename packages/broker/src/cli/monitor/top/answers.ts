// What the admin API answers, as far as the screen shows it. A broker that is newer says more, and what is no broker says anything: each
// part is what it has to be, or nothing.

import type {
  BridgeModel,
  BrokerModel,
  CertificatesModel,
  HandshakeFailureModel,
  NodeModel,
  RefusalModel,
} from "../../../admin/http/model.ts"
import { member, numberIn, textIn } from "../api.ts"
import type { ClientRow } from "./state.ts"

/** Undefined: that is none. */
export function brokerIn(body: unknown): BrokerModel | undefined {
  const [version, startedAt] = [textIn(body, "version"), textIn(body, "startedAt")]
  if (version === undefined || startedAt === undefined) return undefined
  const drain = member(body, "draining")
  const problem = textIn(body, "problem")
  return {
    version,
    runtime: textIn(body, "runtime") ?? "",
    startedAt,
    uptimeSeconds: numberIn(body, "uptimeSeconds"),
    health: textIn(body, "health") === "ok" ? "ok" : "not ok",
    ...(problem !== undefined && { problem }),
    connections: numberIn(body, "connections"),
    clients: numberIn(body, "clients"),
    sessions: numberIn(body, "sessions"),
    subscriptions: numberIn(body, "subscriptions"),
    retainedMessages: numberIn(body, "retainedMessages"),
    clientsBy: { mqtt: {}, suite: {}, group: {} },
    postQuantum: { with: 0, without: 0 },
    limits: { maximumTotalQueuedBytes: numberIn(member(body, "limits"), "maximumTotalQueuedBytes") },
    features: {},
    ...(drain !== undefined && {
      draining: {
        server: textIn(drain, "server") ?? "",
        since: textIn(drain, "since") ?? "",
        until: textIn(drain, "until") ?? "",
        left: numberIn(drain, "left"),
      },
    }),
  }
}

export function bridgesIn(body: unknown): readonly BridgeModel[] {
  return (Array.isArray(body) ? body : []).map((each: unknown) => {
    const reason = textIn(member(each, "lastFailure"), "reason")
    return {
      name: textIn(each, "name") ?? "",
      address: textIn(each, "address") ?? "",
      connected: member(each, "connected") === true,
      failures: numberIn(each, "failures"),
      ...(reason !== undefined && { lastFailure: { at: "", reason } }),
      handedOn: { in: 0, out: 0 },
      dropped: { in: {}, out: {} },
      waiting: numberIn(each, "waiting"),
    }
  })
}

export function nodesIn(body: unknown): readonly NodeModel[] {
  return (Array.isArray(body) ? body : []).map((each: unknown) => ({
    id: textIn(each, "id") ?? "",
    name: textIn(each, "name") ?? "",
    state: oneOf(textIn(each, "state"), ["unknown", "this", "there", "gone", "ended"]),
    version: textIn(each, "version") ?? "",
    startedAt: "",
    heardAt: "",
    clients: numberIn(each, "clients"),
    sessions: numberIn(each, "sessions"),
    receivedPerSecond: numberIn(each, "receivedPerSecond"),
    sentPerSecond: numberIn(each, "sentPerSecond"),
  }))
}

export function certificatesIn(body: unknown): CertificatesModel {
  return {
    certificates: listIn(body, "certificates").map((each) => ({
      listener: textIn(each, "listener") ?? "",
      role: oneOf(textIn(each, "role"), ["server", "chain", "clients"]),
      subject: textIn(each, "subject") ?? "",
      issuer: "",
      names: [],
      serial: "",
      notBefore: "",
      notAfter: "",
      daysLeft: numberIn(each, "daysLeft"),
      sha256: "",
    })),
    revocationLists: listIn(body, "revocationLists").map((each) => ({
      listener: textIn(each, "listener") ?? "",
      issuer: textIn(each, "issuer") ?? "",
      thisUpdate: "",
      ...(typeof member(each, "daysLeft") === "number" && { daysLeft: numberIn(each, "daysLeft") }),
      revoked: numberIn(each, "revoked"),
    })),
  }
}

export function failuresIn(body: unknown): readonly HandshakeFailureModel[] {
  return listIn(body, "items").map((each) => {
    const [alert, offer] = [textIn(each, "alert"), member(each, "offer")]
    return {
      id: numberIn(each, "id"),
      at: textIn(each, "at") ?? "",
      peer: textIn(each, "peer") ?? "",
      listener: textIn(each, "listener") ?? "",
      fault: oneOf(textIn(each, "fault"), ["client", "server", "network"]),
      ...(alert !== undefined && { alert }),
      reason: textIn(each, "reason") ?? "",
      milliseconds: numberIn(each, "milliseconds"),
      ...(offer !== undefined && {
        offer: { versions: textsIn(offer, "versions"), suites: [], groups: [], signatureSchemes: [] },
      }),
      turnedAway: member(each, "turnedAway") === true,
    }
  })
}

export function refusalsIn(body: unknown): readonly RefusalModel[] {
  return listIn(body, "items").map((each) => {
    const user = textIn(each, "user")
    return {
      id: numberIn(each, "id"),
      at: textIn(each, "at") ?? "",
      kind: oneOf(textIn(each, "kind"), ["message", "login", "publish", "subscribe", "will"]),
      peer: textIn(each, "peer") ?? "",
      transport: textIn(each, "transport") ?? "",
      clientId: textIn(each, "clientId") ?? "",
      ...(user !== undefined && { user }),
      reason: textIn(each, "reason") ?? "",
    }
  })
}

export function clientsIn(body: unknown): readonly ClientRow[] {
  return listIn(body, "items").map((each) => {
    const tls = member(each, "tls")
    const version = textIn(tls, "version")?.replace(/^TLSv/, "") ?? "?"
    return {
      clientId: textIn(each, "clientId") ?? "",
      user: textIn(each, "user") ?? "",
      address: textIn(each, "address") ?? "",
      tls: tls === undefined ? "-" : `${version}${member(tls, "postQuantum") === true ? " pq" : ""}`,
      since: Date.parse(textIn(each, "since") ?? ""),
      subscriptions: numberIn(each, "subscriptions"),
      inflight: numberIn(each, "inflight"),
      queuedMessages: numberIn(each, "queuedMessages"),
      queuedBytes: numberIn(each, "queuedBytes"),
      outboundBytes: numberIn(each, "outboundBytes"),
    }
  })
}

function listIn(body: unknown, name: string): readonly unknown[] {
  const found = member(body, name)
  return Array.isArray(found) ? found : []
}

function textsIn(value: unknown, name: string): readonly string[] {
  return listIn(value, name).filter((each) => typeof each === "string")
}

function oneOf<const Value extends string>(text: string | undefined, values: readonly [Value, ...Value[]]): Value {
  return values.find((each) => each === text) ?? values[0]
}
