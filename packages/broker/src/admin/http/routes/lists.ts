// Clients, sessions, subscriptions, topics and retained messages, page by page.

import { placeOf } from "../cursor.ts"
import type { RetainedModel } from "../model.ts"
import { clientModel, retainedModel, sessionModel, subscriptionModel } from "../models.ts"
import { pageModel } from "../pages.ts"
import { Refused } from "../problem.ts"
import { type Route, reading } from "../route.ts"
import * as schemas from "../schemas.ts"
import { usualItems } from "../schemas.ts"

/** Bytes of a retained message's payload in a list, where nothing is said. */
const usualPreview = 256
const usualPart = 65_536

export const listRoutes: readonly Route[] = [
  reading({
    path: "/clients",
    operation: "getClients",
    about:
      "Connected clients, in the order of their Client Identifiers, or of users or addresses where one of these is searched for by its beginning.",
    input: schemas.clientsInput,
    answer: schemas.clients,
    run: (input, { parts }) => {
      const { limit = usualItems, cursor, listener, postQuantum } = input
      const { by, prefix } = searched(input, ["clientId", "user", "address"])
      const list = `clients by ${by}`
      const wanted = (client: Parameters<typeof clientModel>[0]) =>
        (listener === undefined || client.peer.listener === listener) &&
        (postQuantum === undefined || clientModel(client, parts).tls?.postQuantum === postQuantum)
      const after = placeOf(list, cursor, 2)
      const read = (most: number) => parts.lists.clients({ by, prefix, limit: most, after, wanted })
      return { body: pageModel(list, limit, read, (client) => clientModel(client, parts)) }
    },
  }),
  reading({
    path: "/client",
    operation: "getClient",
    about: "One connected client.",
    input: schemas.oneClient,
    answer: schemas.client,
    problems: [404],
    run: ({ clientId }, { parts }) => {
      const client = parts.lists.client(clientId)
      if (client === undefined) throw new Refused(404, "no client with this identifier is connected")
      return { body: clientModel(client, parts) }
    },
  }),
  reading({
    path: "/sessions",
    operation: "getSessions",
    about:
      "Sessions, connected or not, in the order of their Client Identifiers, or of users where one is searched for by its beginning.",
    input: schemas.sessionsInput,
    answer: schemas.sessions,
    run: (input, { parts }) => {
      const { limit = usualItems, cursor, connected } = input
      const { by, prefix } = searched(input, ["clientId", "user"])
      const list = `sessions by ${by}`
      const wanted = (session: { readonly connected: boolean }) =>
        connected === undefined || session.connected === connected
      const after = placeOf(list, cursor, 2)
      const read = (most: number) => parts.lists.sessions({ by, prefix, limit: most, after, wanted })
      return { body: pageModel(list, limit, read, (session) => sessionModel(session, parts)) }
    },
  }),
  reading({
    path: "/session",
    operation: "getSession",
    about: "One session.",
    input: schemas.oneClient,
    answer: schemas.session,
    problems: [404],
    run: ({ clientId }, { parts }) => {
      const session = parts.lists.session(clientId)
      if (session === undefined) throw new Refused(404, "there is no session with this Client Identifier")
      return { body: sessionModel(session, parts) }
    },
  }),
  reading({
    path: "/subscriptions",
    operation: "getSubscriptions",
    about:
      "Subscriptions, in the order of clients and filters: all of them, those of one client (clientId, in whole), or those whose filters begin so (filter).",
    input: schemas.subscriptionsInput,
    answer: schemas.subscriptions,
    run: ({ limit = usualItems, cursor, clientId, filter = "" }, { parts }) => {
      const list = "subscriptions"
      const after = placeOf(list, cursor, 2)
      const read = (most: number) => parts.lists.subscriptions({ clientId, prefix: filter, limit: most, after })
      return { body: pageModel(list, limit, read, subscriptionModel) }
    },
  }),
  reading({
    path: "/topics",
    operation: "getTopics",
    about: "The next level below a topic (parent; none: the first levels) of all topics that have retained messages.",
    input: schemas.topicsInput,
    answer: schemas.topics,
    run: ({ limit = usualItems, cursor, parent }, { parts }) => {
      const list = "topics"
      const after = placeOf(list, cursor, 1)
      const read = (most: number) => parts.lists.topics({ parent, limit: most, after })
      return { body: pageModel(list, limit, read, (level) => level) }
    },
  }),
  reading({
    path: "/retained",
    operation: "getRetained",
    about:
      "Retained messages by the beginning of their topics (topic), with so many bytes of each payload (bytes, 256 where nothing is said).",
    input: schemas.retainedInput,
    answer: schemas.retained,
    run: ({ limit = usualItems, cursor, topic: prefix = "", bytes = usualPreview }, { parts }) => {
      const list = "retained"
      const after = placeOf(list, cursor, 1)
      const read = (most: number) => parts.lists.retained({ prefix, limit: most, after })
      return { body: pageModel(list, limit, read, (one): RetainedModel => retainedModel(one, 0, bytes, parts)) }
    },
  }),
  reading({
    path: "/retained-message",
    operation: "getRetainedMessage",
    about:
      "One retained message, with the bytes of its payload from offset on: 65,536 where nothing is said, 1,048,576 at most.",
    input: schemas.retainedMessageInput,
    answer: schemas.retainedMessage,
    problems: [404],
    run: ({ topic, offset = 0, bytes = usualPart }, { parts }) => {
      const found = parts.lists.retainedOn(topic)
      if (found === undefined) throw new Refused(404, "there is no retained message on this topic")
      return { body: retainedModel(found, offset, bytes, parts) }
    },
  }),
]

type Searched<Name extends string> = { readonly [Each in Name]?: string }

/** By which of these names something is searched for, the first where it is by none. */
function searched<Name extends string>(
  input: Searched<Name>,
  names: readonly [Name, ...Name[]],
): { readonly by: Name; readonly prefix: string } {
  const [by = names[0], ...others] = names.filter((name) => input[name] !== undefined)
  if (others.length > 0)
    throw new Refused(400, `${by} and ${others.join(" and ")} go without each other: search for one`)
  return { by, prefix: input[by] ?? "" }
}
