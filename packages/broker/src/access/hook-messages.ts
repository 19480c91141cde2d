// What is asked of an HTTP hook about a login, and what it may answer: docs/hooks.md says it to those who write one.

import { repeatedMember } from "../packet/repeated-member.ts"
import type { LoginAttempt } from "../ports/access.ts"
import type { HttpOutcome } from "../ports/http.ts"
import { toBase64 } from "./base64.ts"
import { type GivenRights, readRights } from "./rights.ts"

/** Bytes of an answer. */
export const longestAnswer = 65_536
/** Characters of the user's name, and of the reason, of an answer. */
const longestUser = 256
const longestReason = 200

export type HookAnswer =
  | {
      readonly result: "allow"
      /** Undefined: the client's own. */
      readonly user: string | undefined
      readonly rights: GivenRights | undefined
      /** Seconds; undefined: without end. */
      readonly expiresIn: number | undefined
    }
  | { readonly result: "deny"; readonly reason: string | undefined }
  | { readonly result: "ignore" }

/** What is asked about a login, as JSON. */
export function questionOf({ clientId, username, password, peer }: LoginAttempt): string {
  const { certificateIdentity, certificateProblem, transport, address } = peer
  const certificate =
    certificateIdentity !== undefined
      ? { identity: certificateIdentity }
      : certificateProblem !== undefined
        ? { problem: certificateProblem }
        : null
  const text = password === undefined ? null : textOf(password)
  return JSON.stringify({
    version: 1,
    clientId,
    username: username ?? null,
    password: text ?? null,
    // Bytes that are no text.
    ...(password !== undefined && text === undefined && { passwordBase64: toBase64(password) }),
    address,
    listener: peer.listener ?? transport,
    transport,
    tls: peer.tls ?? null,
    certificate,
  })
}

/** Undefined: it is no UTF-8. */
function textOf(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

/** The answer, or why there is none that counts, in a clause. */
export function answerIn(outcome: HttpOutcome): HookAnswer | string {
  if ("failed" in outcome) return outcome.failed
  const { status, body } = outcome
  if (status >= 300 && status < 400) return `it answers with status ${status}; redirects are not followed`
  if (status !== 200) return `it answers with status ${status}, not 200`
  let [text, value]: [string, unknown] = ["", undefined]
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(body)
    value = JSON.parse(text)
  } catch {
    return "its answer is no JSON"
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "its answer is no JSON object"
  const repeated = repeatedMember(text)
  if (repeated !== undefined) return `its answer has ${JSON.stringify(repeated.slice(0, 40))} twice`
  return read(new Map<string, unknown>(Object.entries(value)))
}

function read(members: ReadonlyMap<string, unknown>): HookAnswer | string {
  const result = members.get("result")
  if (result === "ignore") return { result }
  if (result === "deny") {
    const reason = members.get("reason")
    return { result, reason: typeof reason === "string" && reason !== "" ? reason.slice(0, longestReason) : undefined }
  }
  if (result !== "allow") return 'its answer has no "result" that is allow, deny or ignore'
  const user = members.get("user") ?? undefined
  if (
    user !== undefined &&
    (typeof user !== "string" || user === "" || user.length > longestUser || /[\0\p{Cs}]/u.test(user))
  )
    return `its answer has a "user" that is no text of 1 to ${longestUser} characters`
  const expiresIn = members.get("expiresIn") ?? undefined
  if (expiresIn !== undefined && !(typeof expiresIn === "number" && expiresIn > 0))
    return 'its answer has an "expiresIn" that is no number of seconds above 0'
  const rights = readRights(members.get("publish") ?? undefined, members.get("subscribe") ?? undefined)
  if (typeof rights === "string") return `of its answer, ${rights}`
  return { result, user, rights, expiresIn }
}
