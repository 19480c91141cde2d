// How long a Change is, before anybody has written it: what is to be kept is counted before it is taken.

import { textLength } from "./bytes.ts"
import type { Change } from "./change.ts"

/** What is not names or contents, in bytes, at most. */
const head = 32

/** Bytes of a Change in a store, at most. */
export function changeBytes(change: Change): number {
  switch (change.type) {
    case "clock":
      return head
    case "message": {
      const { topic, account, properties, payload } = change
      return 2 * head + textLength(topic) + lengthOf(account) + properties.length + payload.length
    }
    case "retained":
      return head + textLength(change.topic)
    case "will set": {
      const { clientId, owner, will } = change
      const names = textLength(clientId) + textLength(will.topic) + textLength(owner.user) + textLength(owner.account)
      return 3 * head + names + will.properties.length + will.payload.length
    }
    case "opened":
    case "owned": {
      const { clientId, owner } = change
      return head + textLength(clientId) + textLength(owner.user) + textLength(owner.account)
    }
    case "queued":
      return queuedBytes(textLength(change.clientId), lengthOf(change.share), change.identifiers.length)
    case "walk begun":
      return head + textLength(change.clientId) + textLength(change.filter) + 8 * change.sent.length
    case "subscribed":
    case "unsubscribed":
    case "walk ended":
      return head + textLength(change.clientId) + textLength(change.filter)
    default:
      return head + textLength(change.clientId)
  }
}

/** Of a message that comes to a session. */
export function queuedBytes(clientId: number, share: number, identifiers: number): number {
  return head + clientId + share + 8 * identifiers
}

function lengthOf(text: string | undefined): number {
  return text === undefined ? 0 : textLength(text)
}
