// Who asks the admin API of a running broker. Whatever comes back is taken for what it may be: anybody can listen on a port.

import { HttpClient } from "../../http/client.ts"
import type { AdminTarget } from "./where.ts"

/** Bytes of an answer. */
const maximumBody = 16 * 1_048_576

export interface ApiAnswer {
  readonly status: number
  /** Parsed; undefined: it is no JSON. */
  readonly body: unknown
}

/** There is no answer: why, in a clause without a full stop. */
export class Unanswered extends Error {}

export class AdminApi {
  readonly #http: HttpClient
  readonly #target: AdminTarget
  readonly #token: string | undefined

  constructor(target: AdminTarget, token: string | undefined) {
    const { place, address, ca } = target
    const onFault = (error: unknown) => {
      throw error
    }
    this.#http = new HttpClient({ place, address, ca, idle: 8, onFault })
    this.#target = target
    this.#token = token
  }

  /** For people. */
  get place(): string {
    return this.#target.place.shown.replace(/\/+$/, "")
  }

  get hasToken(): boolean {
    return this.#token !== undefined
  }

  /** @param timeout milliseconds. Rejects with Unanswered. */
  ask(path: string, timeout: number): Promise<ApiAnswer> {
    const headers = {
      accept: "application/json",
      ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
    }
    const call = {
      method: "GET",
      path: `${this.#target.place.path}${path}`,
      headers,
      body: undefined,
      timeout,
      maximumBody,
    } as const
    return new Promise((resolve, reject) => {
      this.#http.call(call, (outcome) => {
        if ("failed" in outcome) reject(new Unanswered(outcome.failed))
        else resolve({ status: outcome.status, body: parsed(outcome.body) })
      })
    })
  }

  close(): void {
    this.#http.close()
  }
}

function parsed(bytes: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(bytes))
  } catch {
    return undefined
  }
}

/** A member of an object; undefined: it is none, or has none. */
export function member(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name)
    ? new Map<string, unknown>(Object.entries(value)).get(name)
    : undefined
}

export function textIn(value: unknown, name: string): string | undefined {
  const found = member(value, name)
  return typeof found === "string" ? found : undefined
}

export function numberIn(value: unknown, name: string): number {
  const found = member(value, name)
  return typeof found === "number" && Number.isFinite(found) ? found : 0
}

/** What to do where there is no answer, as a clause. @param why as `messageOf` and the reader of answers say it */
export function adviceFor(why: string): string {
  const named = /certificate/i.test(why) && /\bname\b/i.test(why)
  if (named) return "give a name that its certificate has: --server-name NAME"
  if (/issuer|authorit|trust/i.test(why)) return "give the authority of its certificate: --cafile FILE"
  if (/nothing listens/.test(why)) return "start it, or look in its log for why it ended"
  if (/host name|no way/.test(why)) return "check the address"
  if (/no HTTP|no MQTT|not as a broker/.test(why)) return "check the address, and whether TLS is spoken there"
  return "look in its log for whether it hangs or starts, and check the address and whether TLS is spoken there"
}
