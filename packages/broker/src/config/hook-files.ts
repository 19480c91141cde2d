// What is in the files that a configuration names for tokens, a server that is asked and webhooks.

import { resolve } from "node:path"
import { usableAuthorities } from "./certificate.ts"
import { ConfigError, type HttpLoginConfig, type JwtConfig, type WebhookConfig } from "./config.ts"
import type { FileHttpLogin, FileJwt, FileWebhook } from "./file-config.ts"
import { checkSecret, checkToken, keysIn } from "./hooks.ts"
import { readCertificates } from "./pem-file.ts"
import { readKeySetFile, readSecret } from "./text-file.ts"

type Warn = (text: string) => void

/** Throws ConfigError. */
export function readJwt({ jwksFile, ca, ...others }: FileJwt, folder: string, warn: Warn): JwtConfig {
  if (jwksFile === undefined) {
    if (others.jwksUrl === undefined)
      throw new ConfigError("login.jwt needs the keys that tokens are checked with: jwksFile or jwksUrl")
    return { ...others, ca: authorities(ca, folder, warn) }
  }
  const path = resolve(folder, jwksFile)
  const jwks = readKeySetFile(path)
  for (const skipped of keysIn(jwks, path).skipped) warn(`${path}: ${skipped}; it is left out`)
  return { ...others, jwks }
}

/** Throws ConfigError. */
export function readHttpLogin(
  { tokenFile, ca, ...others }: FileHttpLogin,
  folder: string,
  warn: Warn,
): HttpLoginConfig {
  const token =
    tokenFile === undefined ? undefined : readSecret(resolve(folder, tokenFile), "the token of the HTTP hook")
  if (token !== undefined) checkToken(token, tokenFile ?? "")
  return { ...others, token, ca: authorities(ca, folder, warn) }
}

/** Throws ConfigError. */
export function readWebhook({ secretFile, ca, ...others }: FileWebhook, folder: string, warn: Warn): WebhookConfig {
  const path = secretFile === undefined ? undefined : resolve(folder, secretFile)
  const secret = path === undefined ? undefined : readSecret(path, "the secret of the webhook")
  if (secret !== undefined) checkSecret(secret, path ?? "")
  return { ...others, secret, ca: authorities(ca, folder, warn) }
}

function authorities(ca: string | undefined, folder: string, warn: Warn): string | undefined {
  if (ca === undefined) return undefined
  return usableAuthorities(readCertificates(resolve(folder, ca), "the authorities of an HTTP server"), ca, warn)
}
