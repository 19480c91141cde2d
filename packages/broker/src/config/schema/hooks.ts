// Rows of the option table: logins by token and by an HTTP server, and webhooks.

import { webhookEventNames } from "../../admin/webhook-events.ts"
import { placeOf } from "../../http/place.ts"
import { ConfigError } from "../config.ts"
import type { FileHttpLogin, FileJwt, FileWebhook } from "../file-config.ts"
import { choiceOf, fileName, flag, list, milliseconds, number, oneOf, show, text } from "./kinds.ts"
import type { Kind, Need, Rows } from "./option.ts"

/** An https URL, or a plain http one of this machine. */
export const hookUrl: Kind<string> = {
  words: "a URL (https://, or http:// of this machine)",
  placeholder: "URL",
  schema: { type: "string", pattern: "^https?://" },
  check: (value, where) => {
    const url = text.check(value, where)
    const place = placeOf(url)
    // Somebody's password is nobody else's to see.
    const shown = show(url.replace(/\/\/[^/]*@/, "//...@"))
    if (typeof place === "string") throw new ConfigError(`${where} must be ${place}, not ${shown}`, where)
    return url
  },
  read: (value, where) => hookUrl.check(value, where),
}

const withUrl: Need = {
  words: "`jwksUrl`",
  met: (of) => of("jwksUrl") !== undefined,
  inFile: (where, name) => `${where}.${name} means nothing without ${where}.jwksUrl`,
  onCommandLine: (flag) => `--${flag} needs a URL`,
}
const oneSource: Need = {
  words: "no `jwksFile` beside it",
  met: (of) => of("jwksFile") === undefined,
  inFile: (where) => `${where} has both jwksFile and jwksUrl; keys come from one of them`,
  onCommandLine: (flag) => `--${flag} is one of two`,
}

const atReload = "new connections"

export const jwtOptions: Rows<FileJwt> = {
  jwksFile: {
    kind: fileName,
    about: "a JWK Set (RFC 7517) with the keys of those who make tokens; secrets for HS256 may be in it",
    reload: atReload,
  },
  jwksUrl: {
    kind: hookUrl,
    about: "where such a set is fetched, without secrets",
    needs: [oneSource],
    reload: atReload,
  },
  ca: {
    kind: fileName,
    about: "the authorities that the server's certificate must come from",
    otherwise: "those of the machine",
    needs: [withUrl],
    reload: atReload,
  },
  jwksRefresh: {
    kind: number(10, 86_400, "seconds"),
    about: "time between two fetches; a token whose key is not known brings about one more, at most every 10 seconds",
    default: 600,
    needs: [withUrl],
    reload: atReload,
  },
  jwksMaximumAge: {
    kind: number(60, 31_536_000, "seconds"),
    about: "how long keys are used that cannot be fetched again; then no token is taken until they can",
    default: 86_400,
    needs: [withUrl],
    reload: atReload,
  },
  issuer: { kind: text, about: "what the claim iss must be", otherwise: "any", reload: atReload },
  audience: {
    kind: list(text, "texts"),
    about: "one of which the claim aud must have",
    otherwise: "any",
    reload: atReload,
  },
  userClaim: { kind: text, about: "the claim that is the user's name", default: "sub", reload: atReload },
  publishClaim: {
    kind: text,
    about: "the claim with the Topic Filters that the client may publish to, with %u and %c",
    default: "publish",
    reload: atReload,
  },
  subscribeClaim: {
    kind: text,
    about: "the same that it may subscribe to. With one of these two in a token, it says all that its client may do",
    default: "subscribe",
    reload: atReload,
  },
  leeway: {
    kind: number(0, 600, "seconds"),
    about: "how much clocks may differ, for exp and nbf",
    default: 30,
    reload: atReload,
  },
  requireExpiry: {
    kind: flag,
    about: "refuse tokens that never expire (without exp)",
    default: true,
    reload: atReload,
  },
}

export const httpLoginOptions: Rows<FileHttpLogin> = {
  url: { kind: hookUrl, about: "who is asked, by POST", required: true, reload: atReload },
  ca: {
    kind: fileName,
    about: "the authorities that its certificate must come from",
    otherwise: "those of the machine",
    reload: atReload,
  },
  tokenFile: {
    kind: fileName,
    about: "its first line is sent along as Authorization: Bearer",
    reload: atReload,
  },
  timeout: {
    kind: milliseconds(10, 60_000),
    about: "time for a whole answer; without one nobody is let in",
    default: 5000,
    reload: atReload,
  },
  concurrency: {
    kind: number(1, 1024),
    about: "questions under way at once, of one address half as many; more wait, as `maximumWaitingLogins` says",
    default: 32,
    reload: atReload,
  },
  cacheTime: {
    kind: number(0, 86_400, "seconds"),
    about: "how long an answer is good for the same question; 0: it is asked each time",
    default: 0,
    reload: atReload,
  },
  cacheEntries: {
    kind: number(1, 1_000_000),
    about: "answers that are remembered; the oldest makes room",
    default: 10_000,
    reload: atReload,
  },
}

export const webhookOptions: Rows<FileWebhook> = {
  url: { kind: hookUrl, about: "who is told, by POST", required: true, reload: "at once" },
  events: {
    kind: choiceOf(list(oneOf(...webhookEventNames), `${webhookEventNames.join(", ")}`)),
    about: "what it is told of",
    otherwise: "all of these",
    reload: "at once",
  },
  ca: {
    kind: fileName,
    about: "the authorities that its certificate must come from",
    otherwise: "those of the machine",
    reload: "at once",
  },
  secretFile: {
    kind: fileName,
    about: "its first line is the key that requests are signed with (HMAC-SHA256), 16 characters or more",
    reload: "at once",
  },
  timeout: { kind: milliseconds(10, 60_000), about: "time for an answer", default: 10_000, reload: "at once" },
  maximumWaiting: {
    kind: number(100, 1_000_000),
    about: "events that wait for it, 4 MiB of them at most; more push out the oldest, which is counted and told",
    default: 10_000,
    reload: "at once",
  },
}
