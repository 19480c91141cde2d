// Users and access control list as the rules of a running broker, and a line of the log about them.

import { Acl, AclError, parseAcl } from "../access/acl.ts"
import type { LoginRules } from "../access/login.ts"
import { type PasswordEntry, PasswordFileError, parsePasswordFile, sameEntry } from "../access/password-file.ts"
import { ConfigError, type LoginConfig } from "./config.ts"

/** Throws ConfigError, with the number of the line, for a text that cannot be used. */
export function rulesOf(login: LoginConfig, acl: string | undefined): LoginRules {
  const { passwords } = login
  return {
    anonymous: login.anonymous ?? passwords === undefined,
    passwords: passwords === undefined ? undefined : within("password file", () => parsePasswordFile(passwords)),
    certificates: login.certificates ?? true,
    acl: acl === undefined ? undefined : within("access control list", () => new Acl(parseAcl(acl))),
  }
}

/** ["users: 12, 1 added, 1 removed, 2 changed", "access control list: 14 rules"]: of what there is. */
export function rulesTexts(before: LoginRules, { passwords, acl }: LoginRules): string[] {
  return [
    ...(passwords === undefined ? [] : [`users: ${passwords.size}${changes(before, passwords)}`]),
    ...(acl === undefined ? [] : [`access control list: ${counted(acl.size, "rule")}`]),
  ]
}

function changes(before: LoginRules, after: ReadonlyMap<string, PasswordEntry>): string {
  const old = before.passwords ?? new Map<string, PasswordEntry>()
  let [added, removed, changed] = [0, 0, 0]
  for (const [user, entry] of after) {
    const known = old.get(user)
    if (known === undefined) added++
    else if (!sameEntry(known, entry)) changed++
  }
  for (const user of old.keys()) if (!after.has(user)) removed++
  if (added + removed + changed === 0) return ", unchanged"
  const told = [[added, "added"] as const, [removed, "removed"] as const, [changed, "changed"] as const]
  return told.map(([count, what]) => (count === 0 ? "" : `, ${count} ${what}`)).join("")
}

/** "1 rule", "2 rules" */
export function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`
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
