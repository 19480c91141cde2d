// What others have beside MQTT, and we too: an HTTP API, servers that are asked about logins, tokens, webhooks.

import { placeOf } from "../../http/place.ts"
import { textAt, valueAt } from "./hocon-lines.ts"
import type { HoconObject } from "./hocon-values.ts"
import type { ImportMeans } from "./means.ts"
import type { Outcome, Source } from "./outcome.ts"
import { amountOf, flagOf } from "./values.ts"

/** An HTTP API of theirs. */
export interface Api {
  readonly port: number
  /** Undefined: every address. */
  readonly host: string | undefined
  /** Paths of files. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined
  readonly sources: readonly Source[]
}

/** Theirs is asked by users with passwords, ours with tokens: one is made. */
export function takeApi({ port, host, tls, sources }: Api, outcome: Outcome, means: ImportMeans): void {
  const { settings, files, told } = outcome
  if (settings.get("admin.port") !== undefined) {
    for (const source of sources) outcome.leave(source, "there is one admin API")
    return
  }
  const isLoopback = host !== undefined && /^(localhost|::1|127\.[\d.]+)$/.test(host)
  settings.set("admin.port", port, sources, "its paths and answers are others (docs/admin.md)")
  if (tls !== undefined) {
    settings.set("admin.host", host ?? "0.0.0.0", sources)
    settings.set("admin.cert", tls.cert, sources)
    settings.set("admin.key", tls.key, sources)
  } else if (!isLoopback)
    settings.set("admin.host", "127.0.0.1", [], "of this machine alone: for others it needs `cert` and `key`")
  const { token, line } = means.adminToken()
  files.set("puremq-admin-tokens", `${line}\n`)
  files.set("puremq-admin-token", `${token}\n`)
  settings.set(
    "admin.tokenFile",
    "puremq-admin-tokens",
    [],
    "theirs is asked by users with passwords, ours with tokens",
  )
  told.push(
    'the admin API and its page ask for a token: the one in puremq-admin-token may do everything, and "puremq token" makes others',
  )
  for (const source of sources) outcome.carry(source, "its paths and answers are others")
}

/** A server that is asked about logins. Returns false: it is left. */
export function takeHttpLogin(
  url: string,
  more: { readonly timeout?: string | undefined; readonly pool?: string | undefined; readonly ca?: string | undefined },
  source: Source,
  outcome: Outcome,
): boolean {
  const place = placeOf(url)
  if (typeof place === "string") {
    outcome.leave(source, `who is asked about logins must be ${place}`)
    return false
  }
  const { settings, told } = outcome
  settings.set("login.http.url", url, [source], "question and answer are JSON, and others than there (docs/hooks.md)")
  const milliseconds = Math.round(1000 * (amountOf(more.timeout ?? "", "seconds") ?? 0))
  if (milliseconds > 0) settings.set("login.http.timeout", Math.min(60_000, Math.max(10, milliseconds)), [source])
  const pool = Number(more.pool ?? 0)
  if (pool >= 1) settings.set("login.http.concurrency", Math.min(1024, Math.floor(pool)), [source])
  if (more.ca !== undefined && place.secure) settings.set("login.http.ca", more.ca, [source])
  outcome.carry(source, "question and answer are others")
  told.push(
    `${url} is asked about logins as there, but by other questions, and its answers are read otherwise (docs/hooks.md): until it knows them, it lets nobody in`,
  )
  return true
}

/** `mechanism = jwt` of EMQX. Returns why it is left, or undefined. */
export function takeJwt(item: HoconObject, source: Source, outcome: Outcome, means: ImportMeans): string | undefined {
  const of = (...path: string[]) => textAt(item, ...path)
  const { settings, files } = outcome
  if ((of("from") ?? "password") !== "password") return "a token is a password here, or Authentication Data"
  const claims = claimsOf(item)
  if (settings.get("login.jwt.userClaim") !== undefined) return "there is one set of keys: put them together in one"
  if (claims === undefined) return "claims can be checked for `iss` and `aud` alone, and one that names the user"
  const keys = keysOf(item, source, means)
  if (typeof keys === "string") return keys
  if ("url" in keys) {
    const place = placeOf(keys.url)
    if (typeof place === "string") return `where keys are fetched must be ${place}`
    settings.set("login.jwt.jwksUrl", keys.url, [source])
    const seconds = amountOf(of("refresh_interval") ?? "", "seconds")
    if (seconds !== undefined && seconds > 0)
      settings.set("login.jwt.jwksRefresh", Math.min(86_400, Math.max(10, Math.round(seconds))), [source])
    const ca = of("ssl", "cacertfile")
    if (ca !== undefined && place.secure) settings.set("login.jwt.ca", means.beside(source.file, ca), [source])
  } else {
    files.set("puremq-jwks", `${JSON.stringify({ keys: [keys.key] })}\n`)
    settings.set("login.jwt.jwksFile", "puremq-jwks", [source])
  }
  if (claims.issuer !== undefined) settings.set("login.jwt.issuer", claims.issuer, [source])
  if (claims.audience !== undefined) settings.set("login.jwt.audience", [claims.audience], [source])
  settings.set(
    "login.jwt.userClaim",
    claims.user ?? "sub",
    claims.user === undefined ? [] : [source],
    "who a client is, says its token; one without `exp` is refused, unless requireExpiry is false",
  )
  outcome.carry(source, "who a client is, says its token")
  outcome.told.push(
    "what a token says of rights is read from its claims `publish` and `subscribe` (docs/hooks.md); the claim `acl` means nothing here",
  )
  return undefined
}

/** Undefined: some cannot be checked, and without them more would be let in than there. */
function claimsOf(item: HoconObject): { issuer?: string; audience?: string; user?: string } | undefined {
  const given = valueAt(item, "verify_claims")
  const claims: { issuer?: string; audience?: string; user?: string } = {}
  const pairs =
    given?.kind === "object"
      ? [...given.members].map(([name, value]) => [name, value.kind === "text" ? value.text : undefined] as const)
      : given?.kind === "list"
        ? given.items.map(
            (each) =>
              [
                each.kind === "object" ? textAt(each, "name") : undefined,
                each.kind === "object" ? textAt(each, "value") : undefined,
              ] as const,
          )
        : []
  for (const [name, value] of pairs) {
    if (name === undefined || value === undefined) return undefined
    if (value === `\${username}` || value === "%u") claims.user = name
    else if (value.includes("${") || value.includes("%c")) return undefined
    else if (name === "iss") claims.issuer = value
    else if (name === "aud") claims.audience = value
    else return undefined
  }
  return claims
}

/** Where keys are, or one; or why there is none. */
function keysOf(
  item: HoconObject,
  source: Source,
  means: ImportMeans,
): { readonly url: string } | { readonly key: object } | string {
  const of = (name: string) => textAt(item, name)
  if (flagOf(of("use_jwks") ?? "false") === true) {
    const url = of("endpoint")
    return url === undefined ? "it does not say where keys are fetched" : { url }
  }
  const [secret, publicKey] = [of("secret"), of("public_key")]
  if (publicKey !== undefined) {
    const pem = publicKey.includes("-----BEGIN") ? publicKey : means.read(means.beside(source.file, publicKey))
    const key = pem === undefined ? undefined : means.jwkOf(pem)
    return key === undefined ? "its public key cannot be read here" : { key }
  }
  if (secret === undefined) return "it has no key"
  const bytes = Buffer.from(secret, flagOf(of("secret_base64_encoded") ?? "false") === true ? "base64" : "utf8")
  if (bytes.length < 32) return "a secret of tokens has 32 bytes or more here (RFC 7518 section 3.2)"
  return { key: { kty: "oct", k: bytes.toString("base64url") } }
}

const webhookEvents: Readonly<Record<string, string>> = {
  on_client_connack: "connect",
  on_client_connected: "connect",
  on_client_disconnected: "disconnect",
}

/** Of NanoMQ. @param names of its events */
export function takeWebhook(
  url: { readonly text: string; readonly source: Source },
  names: readonly string[],
  source: Source,
  outcome: Outcome,
): void {
  const place = placeOf(url.text)
  const events = [...new Set(names.flatMap((name) => webhookEvents[name] ?? []))]
  if (typeof place === "string" || events.length === 0) {
    const why = typeof place === "string" ? `who is told must be ${place}` : "none of these events is told here"
    for (const each of [url.source, source]) outcome.leave(each, why)
    return
  }
  const left = names.filter((name) => webhookEvents[name] === undefined)
  const differs = "what is sent is another JSON (docs/hooks.md)"
  outcome.settings.set(
    "webhooks",
    [{ url: url.text, events }],
    [url.source, source],
    differs,
    left.length === 0 ? undefined : `not told here: ${left.join(", ")}`,
  )
  for (const each of [url.source, source]) outcome.carry(each, differs)
}
