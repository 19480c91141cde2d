// Tokens of the admin API. A file of them has a line for each: a name for the log, what it may do, and the SHA-256 of the token,
// which has 256 random bits: no guess finds one, and nothing that is slow has to be computed for it.

import { createHash, timingSafeEqual } from "node:crypto"

export const scopes = ["read", "operate"] as const
export type TokenScope = (typeof scopes)[number]

export interface Token {
  /** For the log. */
  readonly name: string
  /** "operate" may read, too. */
  readonly scope: TokenScope
  readonly sha256: Buffer
}

/** What a token begins with, so that a search for lost secrets finds it. */
export const tokenPrefix = "puremq_"
/** Characters. */
export const longestToken = 256
/** Of a file: each request is compared with all of them. */
const mostTokens = 1000

/** What is wrong with a file, with its line. */
export class TokenFileError extends Error {}

const form = /^([\w.@-]{1,64}):(read|operate):([0-9a-f]{64})$/

export const tokenName: RegExp = /^[\w.@-]{1,64}$/

/** Reads the text of a file. Throws TokenFileError. */
export function parseTokens(text: string): Token[] {
  const tokens = new Map<string, Token>()
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === "" || line.startsWith("#")) continue
    const where = `line ${index + 1}`
    const [, name = "", scope, digest = ""] = form.exec(line) ?? []
    if (scope !== "read" && scope !== "operate")
      throw new TokenFileError(`${where} is not NAME:read:SHA256 or NAME:operate:SHA256, which "puremq token" writes`)
    if (tokens.has(name)) throw new TokenFileError(`${where}: there is a token ${name} already`)
    if (tokens.size === mostTokens) throw new TokenFileError(`${where}: ${mostTokens} tokens are the most`)
    tokens.set(name, { name, scope, sha256: Buffer.from(digest, "hex") })
  }
  return [...tokens.values()]
}

export function tokenLine(name: string, scope: TokenScope, token: string): string {
  return `${name}:${scope}:${digestOf(token).toString("hex")}`
}

/** Which of them this is. All are compared, each in the same time. */
export function findToken(tokens: readonly Token[], given: string): Token | undefined {
  const digest = digestOf(given)
  let found: Token | undefined
  for (const token of tokens) if (timingSafeEqual(token.sha256, digest)) found = token
  return found
}

/** Whether they have this one, which may do the same. */
export function isAmong(tokens: readonly Token[], { scope, sha256 }: Token): boolean {
  return tokens.some((token) => token.scope === scope && token.sha256.equals(sha256))
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token, "utf8").digest()
}
