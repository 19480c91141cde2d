// Where metrics may be served as they are configured: nobody reads them by oversight.

import { isLoopback } from "../listen/http-rules.ts"
import { checkAuthorities, checkCertificate } from "./certificate.ts"
import { ConfigError, type MetricsConfig } from "./config.ts"
import type { Reread } from "./reread.ts"

/** Characters of a token, at least: of 64 that are random, 96 bits. */
const shortestToken = 16
/** Tokens of one file: an old and a new one, and some to spare. */
const mostTokens = 16

/** Throws ConfigError. `now` in milliseconds since 1970. */
export function checkMetrics(config: MetricsConfig, now: number): void {
  const { cert, key, ca, tokens, host = "127.0.0.1", open = false } = config
  if ((cert === undefined) !== (key === undefined)) throw new ConfigError("metrics.cert and metrics.key go together")
  if (ca !== undefined && cert === undefined) throw new ConfigError("metrics.ca needs metrics.cert")
  if (cert !== undefined && key !== undefined)
    checkCertificate(cert, key, { cert: "of the metrics", key: "of the metrics" }, now)
  if (ca !== undefined) checkAuthorities(ca, "metrics.ca")
  if (tokens !== undefined) checkTokens(tokens, "metrics.tokens")
  if (isLoopback(host) || open) return
  if (ca === undefined && tokens === undefined)
    throw new ConfigError(
      `metrics on ${host} would be open to everybody who can reach it: give metrics.tokenFile (--metrics-token-file) or metrics.ca (--metrics-ca) with a certificate, or say "open": true (--metrics-open)`,
    )
  if (cert === undefined)
    throw new ConfigError(
      `metrics on ${host} would send tokens in the clear: give metrics.cert and metrics.key (--metrics-cert, --metrics-key), or say "open": true (--metrics-open)`,
    )
}

/** The tokens of a file. Throws ConfigError. @param name of the file */
export function tokensOf(content: string, name: string): readonly string[] {
  const lines = content.split(/\r?\n/).map((line) => line.trim())
  const tokens = lines.filter((line) => line !== "" && !line.startsWith("#"))
  checkTokens(tokens, name)
  return tokens
}

function checkTokens(tokens: readonly string[], name: string): void {
  if (tokens.length === 0) throw new ConfigError(`${name} holds no token; make one with "openssl rand -hex 32"`)
  if (tokens.length > mostTokens)
    throw new ConfigError(`${name} holds ${tokens.length} tokens; ${mostTokens} are the most`)
  for (const [i, token] of tokens.entries()) {
    // What is wrong with it is said without it.
    if (!/^[\x21-\x7e]+$/.test(token))
      throw new ConfigError(`${name}: token ${i + 1} has characters that no token may have; use letters and digits`)
    if (token.length < shortestToken)
      throw new ConfigError(
        `${name}: token ${i + 1} has ${token.length} characters, and ${shortestToken} are the least; make one with "openssl rand -hex 32"`,
      )
  }
}

/** What of it a running broker takes, checked: what stood in the way before stands there after. Throws ConfigError. */
export function metricsAfter(before: MetricsConfig, next: MetricsConfig, now: number): MetricsConfig {
  for (const [name, words] of [
    ["cert", "certificate for metrics"],
    ["ca", "authority for who reads metrics"],
    ["tokens", "token for metrics"],
  ] as const) {
    if ((before[name] === undefined) === (next[name] === undefined)) continue
    const now = next[name] === undefined ? "any more" : "until now"
    throw new ConfigError(`there is no ${words} ${now}; that needs a restart`)
  }
  const { cert, key, ca, tokens } = next
  const after = { ...before, cert, key, ca, tokens }
  checkMetrics(after, now)
  return after
}

/** For a line of the log. */
export function rereadMetrics(before: MetricsConfig, after: MetricsConfig): readonly Reread[] {
  const certificates = before.cert !== after.cert || before.key !== after.key || before.ca !== after.ca
  const tokens = before.tokens?.join("\n") !== after.tokens?.join("\n")
  return [
    ...(certificates ? [{ text: "certificates for metrics, changed", changed: true }] : []),
    ...(tokens ? [{ text: "tokens for metrics, changed", changed: true }] : []),
  ]
}
