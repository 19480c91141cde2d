// Listeners: a list, or a table by their names; and what each of them may have, by its type.

import { ConfigError, type TcpListenerConfig, type WsListenerConfig } from "../config.ts"
import type { FileListener, FileTlsListener, FileWssListener } from "../file-config.ts"
import { checkObject, membersOf, objectSchema, type Variant } from "./group.ts"
import { oneOf, refused } from "./kinds.ts"
import type { ListenerParts } from "./listener.ts"
import { nameProblem, refuseTwins } from "./listener-names.ts"
import type { Check, Kind, Option, Rows, Schema } from "./option.ts"
import { itemOf, memberOf } from "./path.ts"

type ListenerType = FileListener["type"]

export const listenerTypes = ["tcp", "tls", "ws", "wss"] as const

/** What others call them. */
const typesElsewhere: ReadonlyMap<string, ListenerType> = new Map(
  Object.entries({
    mqtt: "tcp",
    plain: "tcp",
    mqtts: "tls",
    ssl: "tls",
    websockets: "ws",
    websocket: "ws",
    https: "wss",
  }),
)

const listenerName: Kind<string> = {
  words: "a name",
  placeholder: "NAME",
  schema: { type: "string", pattern: "^[A-Za-z][A-Za-z0-9]*([-_][A-Za-z0-9]+)*$", maxLength: 64 },
  check: (value, where) => {
    const problem = nameProblem(value)
    if (problem !== undefined || typeof value !== "string") throw refused(where, "a name", value, problem)
    return value
  },
  read: (value, where) => listenerName.check(value, where),
}

/** Listeners with those rows. */
export function listeners(parts: ListenerParts): Kind<readonly FileListener[]> {
  const rows = { type: typeOption(...listenerTypes), name: nameOption, ...parts.every.rows }
  const tls = { ...parts.tls.rows, ...parts.choices.rows, ...parts.handshakes.rows }
  const bare = parts.mqttOverTls.rows
  const webSocket = parts.webSocket.rows
  const of = {
    tcp: { ...rows, type: typeOption("tcp") } satisfies Rows<TcpListenerConfig>,
    tls: { ...rows, ...tls, ...bare, type: typeOption("tls") } satisfies Rows<FileTlsListener>,
    ws: { ...rows, ...webSocket, type: typeOption("ws") } satisfies Rows<WsListenerConfig>,
    wss: { ...rows, ...tls, ...webSocket, type: typeOption("wss") } satisfies Rows<FileWssListener>,
  }
  const elsewhere = new Map<string, string[]>()
  for (const [type, own] of Object.entries(of))
    for (const name of Object.keys(own)) elsewhere.set(name, [...(elsewhere.get(name) ?? []), type])
  const variant = (type: ListenerType): Variant => ({ what: `a ${type} listener`, elsewhere })
  const checks: { readonly [Type in ListenerType]: Check<FileListener> } = {
    tcp: checkObject<TcpListenerConfig>(of.tcp, variant("tcp")),
    tls: checkObject<FileTlsListener>(of.tls, variant("tls")),
    ws: checkObject<WsListenerConfig>(of.ws, variant("ws")),
    wss: checkObject<FileWssListener>(of.wss, variant("wss")),
  }
  const check = (value: unknown, where: string, preset?: string): FileListener => {
    const given = membersOf(value, where, { port: rows.port })
    const type = given.get("type") ?? preset
    const place = memberOf(where, "type")
    if (type === undefined) throw new ConfigError(`${place} is missing: one of ${listenerTypes.join(", ")}`, place)
    const meant = typesElsewhere.get(`${type}`.toLowerCase())
    if (meant !== undefined)
      throw refused(place, `one of ${listenerTypes.join(", ")}`, type, `did you mean \`${meant}\`?`)
    const known = rows.type.kind.check(type, place)
    return checks[known](given.has("type") ? value : { type, ...Object.fromEntries(given) }, where)
  }
  return {
    words: "objects by their names, or a list of objects, one for each listener",
    parts: [{ rows }, parts.tls, parts.choices, parts.mqttOverTls, parts.handshakes, parts.webSocket],
    schema: listenersSchema,
    definitions: Object.fromEntries(Object.entries(of).map(([type, own]) => [type, typeSchema(own)])),
    check: (value, where) => {
      const found = Array.isArray(value)
        ? value.map((each, index) => ({ listener: check(each, itemOf(where, index)), place: itemOf(where, index) }))
        : namedListeners(value, where, check)
      refuseTwins(
        found.map(({ listener }) => listener),
        (index) => found[index]?.place ?? where,
      )
      return found.map(({ listener }) => listener)
    },
  }
}

interface Found {
  readonly listener: FileListener
  readonly place: string
}

/** Those of a table: the key is the name, and the type too, where it is one. */
function namedListeners(
  value: unknown,
  where: string,
  check: (value: unknown, where: string, preset?: string) => FileListener,
): Found[] {
  if (typeof value !== "object" || value === null)
    throw refused(where, "objects by their names, or a list", value, `such as ${memberOf(where, "tls.port")}`)
  return Object.entries(value).map(([name, each]) => {
    const place = memberOf(where, name)
    const problem = nameProblem(name)
    if (problem !== undefined) throw new ConfigError(`${place} is no name of a listener: ${problem}`, place)
    const listener = check(
      each,
      place,
      listenerTypes.find((type) => type === name),
    )
    if (listener.name !== undefined && listener.name !== name)
      throw new ConfigError(
        `${memberOf(place, "name")} is ${listener.name}, and its name is ${name} already: leave it out`,
        memberOf(place, "name"),
      )
    return { listener: { ...listener, name }, place }
  })
}

/** For the row of `name`; the key stands for it in a table. */
const nameOption: Option<string> = {
  kind: listenerName,
  about: "what the log and errors call it, and what PUREMQ_LISTENERS__NAME__PORT means",
  otherwise: "its key in the table; in a list its type, `tls-2` for the second of a type",
}

function typeOption<Type extends ListenerType>(
  ...possible: readonly Type[]
): Option<Type> & { readonly required: true } {
  return {
    kind: oneOf(...possible),
    about: "what is spoken: MQTT over TCP, TLS, WebSocket, or WebSocket over TLS",
    more: "In a table of listeners whose key is one of these, that is the default.",
    required: true,
  }
}

const ref = (type: string): Schema => ({ $ref: `#/$defs/${type}` })
const typed = (type: string): Schema => ({ ...ref(type), type: "object", required: ["type"] })

/** A listener called tls is one of the type tls unless it says otherwise. */
const listenersSchema: Schema = {
  anyOf: [
    {
      type: "object",
      propertyNames: listenerName.schema,
      properties: Object.fromEntries(
        listenerTypes.map((type) => [
          type,
          { oneOf: [ref(type), ...listenerTypes.filter((each) => each !== type).map(typed)] },
        ]),
      ),
      additionalProperties: { oneOf: listenerTypes.map(typed) },
    },
    { type: "array", items: { oneOf: listenerTypes.map(typed) } },
  ],
}

/** Whether it needs its `type` depends on where it stands. */
function typeSchema(own: Rows<FileListener>): Schema {
  const schema = objectSchema(own)
  const { required } = schema
  return { ...schema, required: (Array.isArray(required) ? required : []).filter((name) => name !== "type") }
}
