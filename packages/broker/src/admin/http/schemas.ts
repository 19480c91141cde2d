// The validators of the admin API: of what is asked for, and of what is answered. The OpenAPI document is made of them.

import * as v from "valibot"
import type {
  BridgeModel,
  BrokerModel,
  CertificatesModel,
  ClientModel,
  ClientsInput,
  DisconnectInput,
  Done,
  DrainInput,
  DrainModel,
  EventsInput,
  FailuresInput,
  HandshakeFailureModel,
  Health,
  ListenerModel,
  MetricsModel,
  NodeModel,
  OneClient,
  OneTopic,
  PageOf,
  Problem,
  PublishInput,
  RefusalModel,
  RefusalsInput,
  RetainedInput,
  RetainedMessageInput,
  RetainedModel,
  RotatedModel,
  RotateInput,
  SessionModel,
  SessionsInput,
  SubscriptionModel,
  SubscriptionsInput,
  TokenModel,
  TopicModel,
  TopicsInput,
} from "./model.ts"
import { Refused } from "./problem.ts"

export type Schema<T> = v.GenericSchema<unknown, T>

/** What is there as what it has to be. Throws Refused with one sentence about the first thing that is wrong. */
export function checked<T>(schema: Schema<T>, value: unknown): T {
  const result = v.safeParse(schema, value, { abortEarly: true })
  if (result.success) return result.output
  const [issue] = result.issues
  const where = issue.path?.map(({ key }) => String(key)).join(".") ?? ""
  if (where === "") throw new Refused(400, "an object is wanted, as JSON")
  if (issue.type === "strict_object")
    throw new Refused(400, issue.expected === "never" ? `${where} is not known here` : `${where} is missing`)
  throw new Refused(400, `${where} ${issue.message}`)
}

/** Items of a page, at most and where nothing is said. */
export const mostItems = 1000
export const usualItems = 100
/** Bytes of payloads in one answer. */
export const mostPayload: number = 1_048_576
/** Characters of a body's text. */
const longText = 262_144

const count = v.pipe(v.number(), v.integer(), v.minValue(0))
const whole = v.pipe(v.number(), v.integer())
const flag = v.boolean()
const time = v.pipe(v.string(), v.isoTimestamp())
const texts = v.array(v.string())
const qos = v.picklist([0, 1, 2])
const counts = v.record(v.string(), count)
const fault = v.picklist(["client", "server", "network"])
const kinds = ["login", "publish", "subscribe", "will", "message"] as const

// --- answers ---

export const health: Schema<Health> = v.strictObject({ status: v.picklist(["ok", "not ok"]) })

export const token: Schema<TokenModel> = v.strictObject({ name: v.string(), scope: v.picklist(["read", "operate"]) })

export const problem: Schema<Problem> = v.strictObject({
  type: v.literal("about:blank"),
  title: v.string(),
  status: whole,
  detail: v.string(),
})

const drainEntries = { server: v.string(), since: time, until: time, left: count }
export const drain: Schema<DrainModel> = v.strictObject(drainEntries)

export const broker: Schema<BrokerModel> = v.strictObject({
  version: v.string(),
  runtime: v.string(),
  startedAt: time,
  uptimeSeconds: count,
  health: v.picklist(["ok", "not ok"]),
  problem: v.exactOptional(v.string()),
  connections: count,
  clients: count,
  sessions: count,
  subscriptions: count,
  retainedMessages: count,
  clientsBy: v.strictObject({ mqtt: counts, suite: counts, group: counts }),
  postQuantum: v.strictObject({ with: count, without: count }),
  limits: v.record(v.string(), v.number()),
  features: v.record(v.string(), v.union([v.number(), flag])),
  draining: v.exactOptional(v.strictObject(drainEntries)),
})

export const listeners: Schema<readonly ListenerModel[]> = v.array(
  v.strictObject({
    name: v.string(),
    type: v.string(),
    host: v.string(),
    port: count,
    clients: count,
    tls: v.exactOptional(
      v.strictObject({ clientCertificate: v.string(), pending: count, waiting: count, waitingBytes: count }),
    ),
  }),
)

export const bridges: Schema<readonly BridgeModel[]> = v.array(
  v.strictObject({
    name: v.string(),
    address: v.string(),
    connected: flag,
    since: v.exactOptional(time),
    handedOn: v.strictObject({ out: count, in: count }),
    dropped: v.strictObject({ out: counts, in: counts }),
    waiting: count,
    failures: count,
    lastFailure: v.exactOptional(v.strictObject({ at: time, reason: v.string() })),
  }),
)

const rate = v.pipe(v.number(), v.minValue(0))
export const nodes: Schema<readonly NodeModel[]> = v.array(
  v.strictObject({
    id: v.string(),
    name: v.string(),
    state: v.picklist(["this", "there", "unknown", "gone", "ended"]),
    version: v.string(),
    startedAt: time,
    heardAt: time,
    clients: count,
    sessions: count,
    receivedPerSecond: rate,
    sentPerSecond: rate,
  }),
)

export const certificates: Schema<CertificatesModel> = v.strictObject({
  certificates: v.array(
    v.strictObject({
      listener: v.string(),
      role: v.picklist(["server", "chain", "clients"]),
      subject: v.string(),
      issuer: v.string(),
      names: texts,
      serial: v.string(),
      notBefore: time,
      notAfter: time,
      daysLeft: whole,
      sha256: v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/)),
    }),
  ),
  revocationLists: v.array(
    v.strictObject({
      listener: v.string(),
      issuer: v.string(),
      thisUpdate: time,
      nextUpdate: v.exactOptional(time),
      daysLeft: v.exactOptional(whole),
      revoked: count,
    }),
  ),
})

const clientEntries = {
  clientId: v.string(),
  user: v.string(),
  login: v.string(),
  identity: v.exactOptional(v.string()),
  address: v.string(),
  transport: v.string(),
  listener: v.exactOptional(v.string()),
  mqtt: v.picklist(["3.1", "3.1.1", "5.0"]),
  cleanStart: flag,
  since: time,
  keepAlive: count,
  tls: v.exactOptional(
    v.strictObject({
      version: v.string(),
      suite: v.string(),
      group: v.exactOptional(v.string()),
      postQuantum: flag,
      resumed: flag,
      serverName: v.exactOptional(v.string()),
    }),
  ),
  subscriptions: count,
  inflight: count,
  queuedMessages: count,
  queuedBytes: count,
  outboundBytes: count,
}
export const client: Schema<ClientModel> = v.strictObject(clientEntries)
export const clients: Schema<PageOf<ClientModel>> = pageOf(v.strictObject(clientEntries))

const sessionEntries = {
  clientId: v.string(),
  user: v.string(),
  login: v.string(),
  connected: flag,
  kept: flag,
  expiryInterval: count,
  endsAt: v.exactOptional(time),
  subscriptions: count,
  inflight: count,
  queuedMessages: count,
  queuedBytes: count,
  unreleased: count,
}
export const session: Schema<SessionModel> = v.strictObject(sessionEntries)
export const sessions: Schema<PageOf<SessionModel>> = pageOf(v.strictObject(sessionEntries))

export const subscriptions: Schema<PageOf<SubscriptionModel>> = pageOf(
  v.strictObject({
    clientId: v.string(),
    filter: v.string(),
    shareName: v.exactOptional(v.string()),
    qos,
    noLocal: flag,
    retainAsPublished: flag,
    identifier: v.exactOptional(count),
  }),
)

export const topics: Schema<PageOf<TopicModel>> = pageOf(
  v.strictObject({ level: v.string(), topic: v.string(), retained: flag, below: count }),
)

const retainedEntries = {
  topic: v.string(),
  qos,
  bytes: count,
  offset: count,
  base64: v.string(),
  text: v.exactOptional(v.string()),
  expiresAt: v.exactOptional(time),
}
export const retainedMessage: Schema<RetainedModel> = v.strictObject(retainedEntries)
export const retained: Schema<PageOf<RetainedModel>> = pageOf(v.strictObject(retainedEntries))

export const handshakeFailures: Schema<PageOf<HandshakeFailureModel>> = pageOf(
  v.strictObject({
    id: count,
    at: time,
    peer: v.string(),
    listener: v.string(),
    serverName: v.exactOptional(v.string()),
    fault,
    alert: v.exactOptional(v.string()),
    reason: v.string(),
    milliseconds: count,
    offer: v.exactOptional(v.strictObject({ versions: texts, suites: texts, groups: texts, signatureSchemes: texts })),
    turnedAway: flag,
  }),
)

export const refusals: Schema<PageOf<RefusalModel>> = pageOf(
  v.strictObject({
    id: count,
    at: time,
    kind: v.picklist(kinds),
    peer: v.string(),
    transport: v.string(),
    listener: v.exactOptional(v.string()),
    clientId: v.string(),
    user: v.exactOptional(v.string()),
    topic: v.exactOptional(v.string()),
    reason: v.string(),
  }),
)

export const metrics: Schema<MetricsModel> = v.record(v.string(), v.unknown())

export const document: Schema<Readonly<Record<string, unknown>>> = v.record(v.string(), v.unknown())

export const done: Schema<Done> = v.strictObject({ done: v.literal(true) })

export const rotated: Schema<RotatedModel> = v.strictObject({ done: v.literal(true), listeners: texts })

function pageOf<const Entry extends v.GenericSchema>(entry: Entry) {
  return v.strictObject({ items: v.array(entry), next: v.exactOptional(v.string()) })
}

// --- what is asked for ---

function between(low: number, high: number) {
  const message = `must be a whole number from ${low} to ${high}`
  return v.pipe(v.number(message), v.integer(message), v.minValue(low, message), v.maxValue(high, message))
}

/** No text that MQTT has is longer, nor has it U+0000. */
function text(most: number, least = 0) {
  const message = `must be a text of ${least} to ${most} characters`
  return v.pipe(v.string(message), v.minLength(least, message), v.maxLength(most, message))
}

/** Characters: of a Client Identifier and a filter, each as long as it may be. */
const longestCursor = 180_000

const yes = v.boolean("must be true or false")
const name = text(65_535)
const oneName = text(65_535, 1)
const paged = { limit: v.exactOptional(between(1, mostItems)), cursor: v.exactOptional(text(longestCursor)) }
const reason = v.pipe(text(200, 1), v.regex(/^[ -~\u00a0-\uffff]*$/, "must be one line of visible characters"))

export const nothing: Schema<Record<string, never>> = v.strictObject({})

export const clientsInput: Schema<ClientsInput> = v.strictObject({
  ...paged,
  clientId: v.exactOptional(name),
  user: v.exactOptional(name),
  address: v.exactOptional(name),
  listener: v.exactOptional(name),
  postQuantum: v.exactOptional(yes),
})

export const sessionsInput: Schema<SessionsInput> = v.strictObject({
  ...paged,
  clientId: v.exactOptional(name),
  user: v.exactOptional(name),
  connected: v.exactOptional(yes),
})

export const subscriptionsInput: Schema<SubscriptionsInput> = v.strictObject({
  ...paged,
  clientId: v.exactOptional(name),
  filter: v.exactOptional(name),
})

export const topicsInput: Schema<TopicsInput> = v.strictObject({ ...paged, parent: v.exactOptional(name) })

export const retainedInput: Schema<RetainedInput> = v.strictObject({
  ...paged,
  topic: v.exactOptional(name),
  bytes: v.exactOptional(between(0, 65_536)),
})

export const retainedMessageInput: Schema<RetainedMessageInput> = v.strictObject({
  topic: oneName,
  offset: v.exactOptional(between(0, 268_435_455)),
  bytes: v.exactOptional(between(0, mostPayload)),
})

export const failuresInput: Schema<FailuresInput> = v.strictObject({
  ...paged,
  fault: v.exactOptional(v.picklist(["client", "server", "network"], "must be client, server or network")),
})

export const refusalsInput: Schema<RefusalsInput> = v.strictObject({
  ...paged,
  kind: v.exactOptional(v.picklist(kinds, `must be one of ${kinds.join(", ")}`)),
})

export const oneClient: Schema<OneClient> = v.strictObject({ clientId: oneName })

export const oneTopic: Schema<OneTopic> = v.strictObject({ topic: oneName })

export const eventsInput: Schema<EventsInput> = v.strictObject({
  events: v.exactOptional(
    v.pipe(
      text(1000, 1),
      v.regex(
        /^[a-z ]+(,[a-z ]+)*$/,
        "must be names of events with commas between them, such as tls failure,client refused",
      ),
    ),
  ),
})

export const disconnectInput: Schema<DisconnectInput> = v.strictObject({
  clientId: oneName,
  reason: v.exactOptional(reason),
})

export const publishInput: Schema<PublishInput> = v.strictObject({
  topic: oneName,
  text: v.exactOptional(text(longText)),
  base64: v.exactOptional(
    v.pipe(
      text(longText),
      v.regex(/^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/, "must be base64 with padding"),
    ),
  ),
  qos: v.exactOptional(v.picklist([0, 1, 2], "must be 0, 1 or 2")),
  retain: v.exactOptional(yes),
})

export const rotateInput: Schema<RotateInput> = v.strictObject({ forget: v.exactOptional(yes) })

export const drainInput: Schema<DrainInput> = v.strictObject({
  server: v.pipe(
    text(1024, 1),
    v.regex(
      /^[\x21-\x7e]+( [\x21-\x7e]+)*$/,
      "must be servers such as broker-2.example:8883, with a space between them",
    ),
  ),
  seconds: between(0, 86_400),
})
