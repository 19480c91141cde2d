// Answers that say what is wrong (RFC 9457).

import { visible } from "../visible.ts"
import type { Problem } from "./model.ts"

const titles: Readonly<Record<number, string>> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  411: "Length Required",
  413: "Content Too Large",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  431: "Request Header Fields Too Large",
  500: "Internal Server Error",
  503: "Service Unavailable",
}

/** A request that is not done. */
export class Refused extends Error {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>

  /** @param detail one sentence: what is wrong, and what to do */
  constructor(status: number, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(detail)
    this.status = status
    this.headers = headers
  }
}

export function titleOf(status: number): string {
  return titles[status] ?? "Error"
}

export function problemText(status: number, detail: string): string {
  const problem: Problem = { type: "about:blank", title: titleOf(status), status, detail }
  return jsonText(problem)
}

/** JSON in which nothing turns a terminal around: such characters stand in texts only, where an escape says the same. */
export function jsonText(value: unknown): string {
  return visible(JSON.stringify(value))
}
