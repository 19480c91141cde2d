// Users and access control list as the rules of a running broker, and a line of the log about them.

import { AclError } from "../access/acl.ts"
import { readAclFile } from "../access/acl-file.ts"
import type { ListenerLogin, LoginRules } from "../access/login.ts"
import { type PasswordEntry, PasswordFileError, parsePasswordFile, sameEntry } from "../access/password-file.ts"
import { ConfigError, type LoginConfig, type ReadAcl } from "./config.ts"
import { counted, type Reread } from "./reread.ts"

/** Throws ConfigError, with the number of the line, for a text that cannot be used. */
export function rulesOf(
  login: LoginConfig,
  acl: string | ReadAcl | undefined,
  further?: LoginRules["further"],
  listeners: ReadonlyMap<string, ListenerLogin> = new Map(),
): LoginRules {
  const { http, jwt, passwords } = login
  return {
    anonymous: login.anonymous ?? (passwords === undefined && jwt === undefined && http === undefined),
    order: login.order,
    further,
    passwords: typeof passwords === "string" ? within("password file", () => parsePasswordFile(passwords)) : passwords,
    certificates: login.certificates ?? true,
    listeners,
    acl: typeof acl === "string" ? within("access control list", () => readAclFile(acl)) : acl?.acl,
  }
}

/** Whether both are of the same text. */
export function sameAcl(one: string | ReadAcl | undefined, other: string | ReadAcl | undefined): boolean {
  const textOf = (acl: string | ReadAcl | undefined) => (typeof acl === "string" ? acl : acl?.text)
  return textOf(one) === textOf(other)
}

/** What is said of each part there is or was: `users: 12, 1 added, 1 removed, 2 changed`. @param rights whether the list is another text */
export function rereadRules(before: LoginRules, after: LoginRules, rights: boolean): Reread[] {
  const names = [...(after.listeners?.keys() ?? [])]
  const ofListeners = names.flatMap((name) => {
    const at = (rules: LoginRules) => ({ ...rules, ...definedOf(rules.listeners?.get(name)) })
    // What is other everywhere is told once.
    const [own, next] = [before.listeners?.get(name), after.listeners?.get(name)]
    if (own?.anonymous === next?.anonymous && own?.certificates === next?.certificates) return []
    const told = rereadLogins(at(before), at(after))
    return told.map(({ text, changed }) => ({ text: `listeners.${name}: ${text}`, changed }))
  })
  return [
    ...rereadLogins(before, after),
    ...ofListeners,
    ...rereadUsers(before, after),
    ...rereadAcl(before, after, rights),
  ]
}

type Flags = Pick<ListenerLogin, "anonymous" | "certificates">

function definedOf({ anonymous, certificates }: ListenerLogin = {}): ListenerLogin {
  return { ...(anonymous !== undefined && { anonymous }), ...(certificates !== undefined && { certificates }) }
}

function rereadLogins(before: Flags, after: Flags): Reread[] {
  const told: Reread[] = []
  const tell = (text: string) => told.push({ text, changed: true })
  if (before.anonymous !== after.anonymous)
    tell(`clients without login: ${after.anonymous ? "let in now" : "refused now"}`)
  if (before.certificates !== after.certificates)
    tell(`client certificates: ${after.certificates ? "a login now" : "no login any more"}`)
  return told
}

function rereadUsers({ passwords: before }: LoginRules, { passwords: after }: LoginRules): Reread[] {
  if (after === undefined) return before === undefined ? [] : [{ text: "users: none any more", changed: true }]
  const changes = changesOf(before ?? new Map<string, PasswordEntry>(), after)
  return [{ text: `users: ${after.size}${changes || ", unchanged"}`, changed: changes !== "" || before === undefined }]
}

function rereadAcl({ acl: before }: LoginRules, { acl: after }: LoginRules, rights: boolean): Reread[] {
  if (after === undefined)
    return before === undefined ? [] : [{ text: "access control list: none any more", changed: true }]
  const fate = rights ? "changed" : "unchanged"
  return [{ text: `access control list: ${counted(after.size, "rule")}, ${fate}`, changed: rights }]
}

function changesOf(old: ReadonlyMap<string, PasswordEntry>, after: ReadonlyMap<string, PasswordEntry>): string {
  let [added, removed, changed] = [0, 0, 0]
  for (const [user, entry] of after) {
    const known = old.get(user)
    if (known === undefined) added++
    else if (!sameEntry(known, entry)) changed++
  }
  for (const user of old.keys()) if (!after.has(user)) removed++
  const told = [[added, "added"] as const, [removed, "removed"] as const, [changed, "changed"] as const]
  return told.map(([count, what]) => (count === 0 ? "" : `, ${count} ${what}`)).join("")
}

function within<T>(what: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (error instanceof AclError || error instanceof PasswordFileError)
      throw new ConfigError(`${what}, ${error.message}`)
    throw error
  }
}
