// The dashboard: a page and its files, without a token. They hold no secret and are the same for everybody; what they show they ask
// the API for, with a token that is given to them.

import type { IncomingHttpHeaders } from "node:http"
import { gunzipSync } from "node:zlib"
import { hostName } from "../../../listen/http-rules.ts"
import type { KnownListener } from "../parts.ts"
import { pageFiles } from "./files.ts"

interface Asked {
  readonly method?: string | undefined
  readonly url?: string | undefined
  readonly headers: IncomingHttpHeaders
}

export class DashboardPage {
  /** By path. */
  readonly #files = new Map(pageFiles.map((file) => [file.path, { ...file, bytes: Buffer.from(file.gzip, "base64") }]))

  /** Undefined: it is none of its files. @param listeners those that its console may speak to */
  answer({ method, url, headers }: Asked, listeners: readonly KnownListener[]): Response | undefined {
    if (method !== "GET" && method !== "HEAD") return undefined
    const file = this.#files.get((url ?? "").split("?")[0] ?? "")
    if (file === undefined) return undefined
    const { type, tag, kept, bytes } = file
    const etag = `"${tag}"`
    const own: Record<string, string> = {
      ...always,
      "content-security-policy": policy(headers.host, listeners),
      "cache-control": kept ? "public, max-age=31536000, immutable" : "no-cache",
      vary: "accept-encoding",
      etag,
    }
    if (sameTag(headers["if-none-match"], etag)) return new Response(null, { status: 304, headers: own })
    const isPacked = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?(?:[,\s]|$))/i.test(String(headers["accept-encoding"] ?? ""))
    return new Response(isPacked ? bytes : gunzipSync(bytes), {
      headers: { ...own, "content-type": type, ...(isPacked && { "content-encoding": "gzip" }) },
    })
  }
}

const always: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
}

/** Content Security Policy, level 3: nothing inline, nothing of others, and no other connection than to the broker's own listeners. */
function policy(host: string | undefined, listeners: readonly KnownListener[]): string {
  const name = hostName(host)
  // An address of IPv6 has no place in a policy.
  const pattern = name === undefined || name.startsWith("[") || !/^[\w.-]+$/.test(name) ? "*" : name
  const doors = listeners
    .filter(({ type }) => type === "ws" || type === "wss")
    .flatMap((listener) =>
      [...new Set([pattern, placeOf(listener) ?? pattern])].map((at) => `${listener.type}://${at}:${listener.port}`),
    )
  return [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    ["connect-src 'self'", ...doors].join(" "),
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join("; ")
}

/** The address that a listener is bound to, where it is one alone. */
function placeOf({ host }: KnownListener): string | undefined {
  return /^[\w.-]+$/.test(host) && host !== "0.0.0.0" ? host : undefined
}

function sameTag(header: string | undefined, etag: string): boolean {
  return header?.split(",").some((one) => one.trim().replace(/^W\//, "") === etag) ?? false
}
