// Requests to the admin API. What goes wrong is one sentence that says what to do.

import type { Problem } from "../../../src/admin/http/model.ts"
import { hearClock } from "./clock.ts"

/** Milliseconds for an answer. */
const patience = 15_000

/** The broker has answered, and does not do it. */
export class RequestRefused extends Error {
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

/** No answer came. */
export class Unreachable extends Error {}

export type Input = Readonly<Record<string, string | number | boolean | undefined>>

/** @throws RequestRefused, Unreachable */
export async function ask<Answer>(token: string, path: string, input: Input = {}): Promise<Answer> {
  return answerOf<Answer>(await send(token, "GET", path, input))
}

/** @throws RequestRefused, Unreachable */
export async function operate<Answer>(
  token: string,
  method: "POST" | "DELETE",
  path: string,
  input: Input = {},
): Promise<Answer> {
  return answerOf<Answer>(await send(token, method, path, input))
}

/** The server-sent events of the broker, as long as they last. @throws RequestRefused, Unreachable */
export async function openEvents(token: string, signal: AbortSignal): Promise<ReadableStream<Uint8Array>> {
  const response = await fetched("/events", { headers: headersOf(token), signal })
  if (!response.ok || response.body === null) throw await refusalOf(response)
  return response.body
}

async function send(token: string, method: "GET" | "POST" | "DELETE", path: string, input: Input): Promise<Response> {
  const given = Object.entries(input).filter(([, value]) => value !== undefined)
  const signal = AbortSignal.timeout(patience)
  const headers = headersOf(token)
  if (method === "POST") {
    const body = JSON.stringify(Object.fromEntries(given))
    return fetched(path, { method, signal, body, headers: { ...headers, "content-type": "application/json" } })
  }
  const query = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return fetched(query === "" ? path : `${path}?${query}`, { method, signal, headers })
}

async function fetched(path: string, init: RequestInit): Promise<Response> {
  const options: RequestInit = { cache: "no-store", credentials: "omit", redirect: "error", ...init }
  try {
    const response = await fetch(`api/v1${path}`, options)
    hearClock(response.headers.get("date"))
    return response
  } catch (error) {
    throw new Unreachable("The broker's admin listener does not answer.", { cause: error })
  }
}

function headersOf(token: string): Record<string, string> {
  return { authorization: `Bearer ${token}`, accept: "application/json" }
}

async function answerOf<Answer>(response: Response): Promise<Answer> {
  if (!response.ok) throw await refusalOf(response)
  let text: string
  try {
    text = await response.text()
  } catch (error) {
    throw new Unreachable("The answer broke off.", { cause: error })
  }
  return JSON.parse(text) as Answer
}

async function refusalOf(response: Response): Promise<RequestRefused> {
  const { status } = response
  const plain = inPlainWords.get(status)
  if (plain !== undefined) return new RequestRefused(status, plain)
  let detail = ""
  try {
    const problem = (await response.json()) as Partial<Problem>
    if (typeof problem.detail === "string") detail = problem.detail
  } catch {
    // It was not the broker that answered: a proxy, say.
  }
  return new RequestRefused(status, detail === "" ? `The answer was HTTP ${status}.` : sentence(detail))
}

const inPlainWords: ReadonlyMap<number, string> = new Map([
  [401, 'The broker does not know this token. One is made by "puremq token", and taken by the broker when it reloads.'],
  [403, "This token may only read. Changes need a token of the scope operate."],
])

/** The API's sentences begin small and have no full stop. */
function sentence(text: string): string {
  const begun = text.charAt(0).toUpperCase() + text.slice(1)
  return /[.!?]$/.test(begun) ? begun : `${begun}.`
}
