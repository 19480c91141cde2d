// What happened last, newest first, and what happens.

import { mostReaders } from "../../live.ts"
import type { Numbered, Recent } from "../../recent.ts"
import { cursorOf, placeOf } from "../cursor.ts"
import type { PageOf } from "../model.ts"
import { failureModel, kindOf, refusalModel } from "../models.ts"
import { PageLength } from "../pages.ts"
import { Refused } from "../problem.ts"
import { type Route, reading } from "../route.ts"
import * as schemas from "../schemas.ts"
import { usualItems } from "../schemas.ts"

export const happenedRoutes: readonly Route[] = [
  reading({
    path: "/handshake-failures",
    operation: "getHandshakeFailures",
    about:
      "The last TLS handshakes that failed, newest first: who, by what name, whose fault it was and why, and what the client offered.",
    input: schemas.failuresInput,
    answer: schemas.handshakeFailures,
    run: ({ limit = usualItems, cursor, fault }, { parts }) => {
      const wanted = ({ entry }: { readonly entry: { readonly event: { readonly fault: string } } }) =>
        fault === undefined || entry.event.fault === fault
      return { body: pageOf("handshake-failures", parts.watch.handshakeFailures, limit, cursor, wanted, failureModel) }
    },
  }),
  reading({
    path: "/refusals",
    operation: "getRefusals",
    about: "The last logins, publications, subscriptions and wills that were refused, newest first.",
    input: schemas.refusalsInput,
    answer: schemas.refusals,
    run: ({ limit = usualItems, cursor, kind }, { parts }) => {
      const wanted = ({ entry }: Parameters<typeof refusalModel>[0]) =>
        kind === undefined || kindOf(entry.event) === kind
      return { body: pageOf("refusals", parts.watch.refusals, limit, cursor, wanted, refusalModel) }
    },
  }),
  reading({
    path: "/events",
    operation: "getEvents",
    about:
      "What happens from now on, as server-sent events: the lines of the log as JSON, or those of the events that are named. A reader that does not keep up is cut.",
    input: schemas.eventsInput,
    answer: undefined,
    problems: [503],
    run: ({ events }, { parts, asking: { stands } }) => {
      const stream = parts.watch.live.open(events === undefined ? undefined : new Set(events.split(",")), stands)
      if (stream === undefined) throw new Refused(503, `there are ${mostReaders} readers of events already: close one`)
      return { events: stream }
    },
  }),
]

function pageOf<Entry, Model>(
  list: string,
  recent: Pick<Recent<Entry>, "newest">,
  limit: number,
  cursor: string | undefined,
  wanted: (numbered: Numbered<Entry>) => boolean,
  model: (numbered: Numbered<Entry>) => Model,
): PageOf<Model> {
  const [text] = placeOf(list, cursor, 1) ?? []
  const before = text === undefined ? undefined : Number(text)
  const items: Model[] = []
  const length = new PageLength()
  let last = 0
  for (const numbered of recent.newest(before)) {
    if (!wanted(numbered)) continue
    const item = model(numbered)
    if (items.length === limit || !length.fits(item)) {
      const next = cursorOf(list, [String(last)])
      return { items, ...(next !== undefined && { next }) }
    }
    last = numbered.id
    items.push(item)
  }
  return { items }
}
