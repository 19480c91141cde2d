// What the broker says of itself and its doors.

import { timeText } from "../../times.ts"
import { CertificateReader } from "../certificates.ts"
import type { BrokerModel, ListenerModel, TokenModel } from "../model.ts"
import { bridgeModel, drainModel, isPostQuantum, nodeModel } from "../models.ts"
import type { AdminParts, KnownListener } from "../parts.ts"
import { type Route, reading } from "../route.ts"
import * as schemas from "../schemas.ts"

export function aboutRoutes(): readonly Route[] {
  const certificates = new CertificateReader()
  return [
    {
      method: "GET",
      path: "/health",
      scope: undefined,
      operation: "health",
      about:
        "Whether the broker is well and takes clients: 200 when it is, 503 when it is not. The only route without a token.",
      from: "query",
      input: schemas.nothing,
      answer: schemas.health,
      problems: [],
      prepare: () => ({
        target: undefined,
        run: ({ parts }) =>
          parts.problem() === undefined ? { body: { status: "ok" } } : { body: { status: "not ok" }, status: 503 },
      }),
    },
    reading({
      path: "/broker",
      operation: "getBroker",
      about: "The broker as a whole: version, how it is, how much of everything there is, limits and features.",
      input: schemas.nothing,
      answer: schemas.broker,
      run: (_, { parts }) => ({ body: brokerModel(parts) }),
    }),
    reading({
      path: "/listeners",
      operation: "getListeners",
      about: "Where the broker listens, with the TLS handshakes of this moment.",
      input: schemas.nothing,
      answer: schemas.listeners,
      run: (_, { parts }) => {
        const { listeners } = parts.lists.tallies
        return { body: parts.listeners().map((one) => listenerModel(one, listeners.get(one.name) ?? 0)) }
      },
    }),
    reading({
      path: "/bridges",
      operation: "getBridges",
      about:
        "The broker's bridges to others: which are connected, what went over them, what was dropped, and what waits.",
      input: schemas.nothing,
      answer: schemas.bridges,
      run: (_, { parts }) => ({ body: parts.bridges().map((one) => bridgeModel(one, parts)) }),
    }),
    reading({
      path: "/nodes",
      operation: "getNodes",
      about:
        "The nodes of the cluster, this broker first, with those that have gone in the last 10 minutes; of one that is alone, itself.",
      input: schemas.nothing,
      answer: schemas.nodes,
      run: (_, { parts }) => ({ body: parts.nodes().map((one) => nodeModel(one, parts)) }),
    }),
    reading({
      path: "/certificates",
      operation: "getCertificates",
      about: "The certificates, authorities and revocation lists of the listeners, with the days left to each.",
      input: schemas.nothing,
      answer: schemas.certificates,
      run: (_, { parts }) => ({ body: certificates.read(parts.listeners(), parts.wall()) }),
    }),
    reading({
      path: "/metrics",
      operation: "getMetrics",
      about: "The numbers of /metrics as JSON.",
      input: schemas.nothing,
      answer: schemas.metrics,
      run: (_, { parts }) => ({ body: parts.stats() }),
    }),
    reading({
      path: "/token",
      operation: "getToken",
      about: "The token that this is asked with: its name, and what it may do.",
      input: schemas.nothing,
      answer: schemas.token,
      run: (_, { asking: { token } }) => ({ body: { name: token.name, scope: token.scope } satisfies TokenModel }),
    }),
  ]
}

function brokerModel(parts: AdminParts): BrokerModel {
  const { inspect, lists, operate, version, runtime, startedAt } = parts
  const problem = parts.problem()
  const { mqtt, suites, groups } = lists.tallies
  const known = [...groups]
  const sum = (counts: readonly (readonly [string, number])[]) => counts.reduce((total, [, count]) => total + count, 0)
  const postQuantum = sum(known.filter(([group]) => isPostQuantum(group)))
  const { draining } = operate
  return {
    version,
    runtime,
    startedAt: timeText(startedAt),
    uptimeSeconds: parts.stats().uptimeSeconds,
    health: problem === undefined ? "ok" : "not ok",
    ...(problem !== undefined && { problem }),
    connections: inspect.connectionCount,
    clients: inspect.connectedCount,
    sessions: inspect.sessionCount,
    subscriptions: inspect.subscriptionCount,
    retainedMessages: inspect.retained.size,
    clientsBy: { mqtt: Object.fromEntries(mqtt), suite: Object.fromEntries(suites), group: Object.fromEntries(groups) },
    postQuantum: { with: postQuantum, without: sum(known) - postQuantum },
    limits: { ...inspect.limits },
    features: { ...inspect.features },
    ...(draining !== undefined && { draining: drainModel(draining, parts) }),
  }
}

function listenerModel(listener: KnownListener, clients: number): ListenerModel {
  const { name, type, host, port, handshakes, clientCertificate } = listener
  const { pending = 0, waiting = 0, waitingBytes = 0 } = handshakes ?? {}
  const tls = clientCertificate !== undefined && { tls: { clientCertificate, pending, waiting, waitingBytes } }
  return { name, type, host, port, clients, ...tls }
}
