// Whether a Change goes with those before it. A broker's do. Of those that come from elsewhere an image drops what refers to
// nothing, and nobody would know what was lost.

import type { Change, Sequence } from "../packet/change.ts"
import type { Image, OfSession, SessionImage } from "./image.ts"

export interface Problem {
  /** What is wrong, in words. */
  readonly what: string
  /** It refers to something that is not there; else what it says was said before. */
  readonly lacking: boolean
}

/** What is wrong with it; undefined: nothing. To be asked before it is applied. */
export function problemOf(image: Image, change: Change): Problem | undefined {
  switch (change.type) {
    case "clock":
    case "will set":
      return undefined
    case "message":
      return image.hasMessage(change.sequence) ? again(`there is a message ${change.sequence} already`) : undefined
    case "retained":
      if (change.sequence !== 0) return missingMessage(image, change.sequence)
      return image.hasRetained(change.topic) ? undefined : lacks(`no message is retained on ${quoted(change.topic)}`)
    case "will cleared":
      return image.hasWill(change.clientId) ? undefined : lacks(`${quoted(change.clientId)} has no will`)
    case "opened": {
      const there = image.sessionOf(change.clientId) !== undefined
      return there ? again(`there is a session ${quoted(change.clientId)} already`) : undefined
    }
    default: {
      const session = image.sessionOf(change.clientId)
      if (session === undefined) return lacks(`there is no session ${quoted(change.clientId)}`)
      const problem = problemOfSession(image, session, change)
      return problem && { ...problem, what: `session ${quoted(change.clientId)} ${problem.what}` }
    }
  }
}

function problemOfSession(image: Image, session: SessionImage, change: OfSession): Problem | undefined {
  switch (change.type) {
    case "attended":
    case "owned":
    case "left":
    case "ended":
    case "subscribed":
      return undefined
    case "queued": {
      const { place, sequence } = change
      if (session.kept?.get(place) !== undefined) return again(`has something at place ${place} already`)
      const missing = sequence === 0 ? undefined : missingMessage(image, sequence)
      return missing && lacks(`is to be sent one that is not there: ${missing.what}`)
    }
    case "sent":
    case "released":
    case "done": {
      const kept = session.kept?.get(change.place)
      if (kept === undefined) return lacks(`has nothing at place ${change.place}`)
      const wasSent = (typeof kept !== "number" && kept.packetId !== 0) || session.released?.has(change.place) === true
      return change.type === "sent" && wasSent ? again(`was sent what is at place ${change.place} already`) : undefined
    }
    case "unsubscribed":
    case "walk begun":
      return session.subscriptions?.has(change.filter) === true
        ? undefined
        : lacks(`has no subscription to ${quoted(change.filter)}`)
    case "walk ended": {
      for (const { filter } of session.walks?.all() ?? []) if (filter === change.filter) return undefined
      return lacks(`is owed no retained messages of ${quoted(change.filter)}`)
    }
    case "received":
      return session.received?.has(change.packetId) === true
        ? again(`has received Packet Identifier ${change.packetId} already`)
        : undefined
    case "freed":
      return session.received?.has(change.packetId) === true
        ? undefined
        : lacks(`has not received Packet Identifier ${change.packetId}`)
  }
}

function lacks(what: string): Problem {
  return { what, lacking: true }
}

function again(what: string): Problem {
  return { what, lacking: false }
}

function missingMessage(image: Image, sequence: Sequence): Problem | undefined {
  return image.hasMessage(sequence) ? undefined : lacks(`there is no message ${sequence}`)
}

function quoted(text: string): string {
  return JSON.stringify(text)
}
