// The parts of a configuration that are about tokens, a server that is asked and webhooks: what is wrong with them, and what is
// said of them at a reload.

import { KeySetError, readKeySet } from "../access/jwk-set.ts"
import { type Place, placeOf } from "../http/place.ts"
import { ConfigError, type LoginConfig, type WebhookConfig } from "./config.ts"
import { counted, type Reread } from "./reread.ts"

/** The keys of a JWK Set. Throws ConfigError. @param name of its file, or what there is of it */
export function keysIn(jwks: string, name: string): ReturnType<typeof readKeySet> {
  try {
    return readKeySet(jwks, true)
  } catch (error) {
    if (!(error instanceof KeySetError)) throw error
    throw new ConfigError(`cannot use the keys for tokens of ${name}: ${error.message}`)
  }
}

/** Throws ConfigError. */
export function checkSecret(secret: string, where: string): void {
  if (secret.length < 16) throw new ConfigError(`${where}: the secret of a webhook has 16 characters or more`)
}

/** Throws ConfigError: it stands in a field of a request. */
export function checkToken(token: string, where: string): void {
  if (!/^[\x21-\x7e]+$/.test(token)) throw new ConfigError(`${where}: the token is to be visible ASCII without spaces`)
}

/** Throws ConfigError for a URL that cannot be used. */
export function placeIn(url: string, where: string): Place {
  const place = placeOf(url)
  if (typeof place === "string") throw new ConfigError(`${where} must be ${place}`)
  return place
}

/** What is said of each of them that there is or was: `tokens: keys of FILE, 2`. */
export function rereadFurther(before: LoginConfig, after: LoginConfig): Reread[] {
  const told: Reread[] = []
  const tell = <T>(what: string, old: T | undefined, next: T | undefined, text: (value: T) => string) => {
    if (old === undefined && next === undefined) return
    const changed = JSON.stringify(old) !== JSON.stringify(next)
    const fate = changed ? "changed" : "unchanged"
    told.push({ text: `${what}: ${next === undefined ? "none any more" : `${text(next)}, ${fate}`}`, changed })
  }
  tell("tokens", before.jwt, after.jwt, ({ jwks, jwksUrl = "" }) =>
    jwks === undefined
      ? `keys of ${placeIn(jwksUrl, "login.jwt.jwksUrl").shown}`
      : counted(keysIn(jwks, "").keys.length, "key"),
  )
  tell("HTTP hook", before.http, after.http, ({ url }) => placeIn(url, "login.http.url").shown)
  tell("order of logins", before.order, after.order, (order) => order.join(" "))
  return told
}

export function rereadWebhooks(before: readonly WebhookConfig[], after: readonly WebhookConfig[]): Reread[] {
  if (before.length === 0 && after.length === 0) return []
  const changed = JSON.stringify(before) !== JSON.stringify(after)
  return [{ text: `webhooks: ${after.length}, ${changed ? "changed" : "unchanged"}`, changed }]
}
