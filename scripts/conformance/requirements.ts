// test-vectors/rfc9846/requirements.json, and the tags of tests that point into it.
//
// A tag is a comment above a test, above a row of its table, or above a group of tests:
//
//   // Requirement 4.2.2-7
//   // Requirements 4.3-5, 4.3-7 (client), 6-5
//
// It says that the test fails when the requirement is not kept. `(client)` or `(server)`: only by that role.

import { lineOf, readTests, type TestCall, type TestSource } from "./source.ts"

export type Role = "client" | "server"

export interface Requirement {
  /** Section, and the number of the sentence among those of the section that have a MUST. */
  readonly id: string
  /** MUST, MUST NOT, REQUIRED, SHALL as the sentence has them. */
  readonly level: string
  /** Who has to keep it. */
  readonly role: Role | "both" | "none"
  readonly text: string
  /** The same rule, said in another place: shown by the tests of that one. */
  readonly sameAs?: string
  /** Why it is no matter of ours. */
  readonly notApplicable?: string
  /** Why it has no test though it is. */
  readonly untested?: string
}

export interface RequirementsFile {
  readonly source: string
  readonly licence: string
  readonly sections: Readonly<Record<string, string>>
  readonly requirements: readonly Requirement[]
}

/** A test that shows a requirement. */
export interface Evidence {
  readonly id: string
  readonly roles: readonly Role[]
  /** Path from the root of the repository. */
  readonly file: string
  /** The groups that the test is in, its own title, and the row of its table. */
  readonly title: string
}

export interface Scan {
  readonly evidence: readonly Evidence[]
  /** Tags that say nothing true, each as `file:line: what`. */
  readonly problems: readonly string[]
}

export function rolesOf(requirement: Requirement): readonly Role[] {
  if (requirement.role === "none") return []
  return requirement.role === "both" ? ["client", "server"] : [requirement.role]
}

/** Everything that the tags of one file say. `isTable`: its rows are those of a test in another file. */
export function scanFile(file: string, source: string, requirements: readonly Requirement[], isTable = false): Scan {
  const evidence: Evidence[] = []
  const problems: string[] = []
  const byId = new Map(requirements.map((requirement) => [requirement.id, requirement]))
  // Most files have none, and are not read any further.
  if (!source.includes("// Requirement")) return { evidence, problems }
  const tests = readTests(source)
  for (const [index, token] of tests.tokens.entries()) {
    const list = token.kind === "comment" ? /^\/\/ Requirements? (.+)$/.exec(token.text)?.[1] : undefined
    if (list === undefined) continue
    const problem = (what: string) => problems.push(`${file}:${lineOf(source, token.at)}: ${what}`)
    const title = titleBelow(tests, index, isTable)
    if (typeof title === "object") {
      problem(title.problem)
      continue
    }
    for (const item of list.split(", ")) {
      const [, id, only] = /^(\S+?)(?: \((client|server)\))?$/.exec(item) ?? []
      const requirement = id === undefined ? undefined : byId.get(id)
      if (requirement === undefined) {
        problem(`${JSON.stringify(item)} is no requirement of test-vectors/rfc9846/requirements.json`)
        continue
      }
      const whose = rolesOf(requirement)
      const roles = only === undefined ? whose : whose.filter((role) => role === only)
      if (requirement.sameAs !== undefined) problem(`${id} is the same as ${requirement.sameAs}: name that one`)
      else if (requirement.notApplicable !== undefined) problem(`${id} is said not to apply`)
      else if (requirement.untested !== undefined) problem(`${id} is said to have no test`)
      else if (roles.length === 0) problem(`${id} is no requirement for a ${only}`)
      else evidence.push({ id: requirement.id, roles, file, title })
    }
  }
  return { evidence, problems }
}

/** The title of what stands below a tag. */
function titleBelow(
  { tokens, calls }: TestSource,
  tag: number,
  isTableFile: boolean,
): string | { readonly problem: string } {
  let at = tag + 1
  while (tokens[at]?.kind === "comment") at++
  const around = calls.filter((call) => call.first <= at && at <= call.last)
  const own = around.find((call) => call.first === at)
  const skipped = around.find(({ modifiers }) => modifiers.includes("skip") || modifiers.includes("todo"))
  if (skipped !== undefined) return { problem: `the test "${skipped.title}" is skipped` }
  const groups = around.filter((call) => call.kind === "group" || call === own).map(({ title }) => title)
  if (own !== undefined) return groups.join(" > ")
  // A row of a table, which begins with its title.
  const row = tokens.findIndex((token, index) => index >= at && token.kind === "string")
  const isOfRows = ({ modifiers, title }: TestCall) =>
    modifiers.includes("each") || modifiers.includes("for") || title.includes("{")
  const isTable = isTableFile || calls.some(isOfRows)
  const isRow = ["[", "."].includes(tokens[at]?.text ?? "") || tokens[at]?.kind === "string"
  if (!isTable || !isRow || row === -1) return { problem: "there is no test below the tag" }
  return [...groups, tokens[row]!.text].join(" > ")
}

/* ---------------------------------------------------------------- who is covered */

export interface Coverage {
  readonly requirement: Requirement
  /** Of the requirement itself, or of the one that it is the same as. */
  readonly evidence: readonly Evidence[]
  /** Roles that have to keep it, and no test shows that they do. */
  readonly missing: readonly Role[]
}

export function coverage(requirements: readonly Requirement[], evidence: readonly Evidence[]): readonly Coverage[] {
  return requirements.map((requirement) => {
    const own = distinct(evidence.filter(({ id }) => id === (requirement.sameAs ?? requirement.id)))
    const shown = new Set(own.flatMap(({ roles }) => roles))
    const missing =
      requirement.notApplicable === undefined ? rolesOf(requirement).filter((role) => !shown.has(role)) : []
    return { requirement, evidence: own, missing }
  })
}

/** A test that is tagged twice, for one role and the other perhaps, is one. */
function distinct(evidence: readonly Evidence[]): readonly Evidence[] {
  const tests = new Map<string, Evidence>()
  for (const each of evidence) {
    const key = `${each.file} ${each.title}`
    const roles = new Set([...(tests.get(key)?.roles ?? []), ...each.roles])
    tests.set(key, { ...each, roles: [...roles] })
  }
  return [...tests.values()]
}

/** What is wrong with the list itself. */
export function listProblems(requirements: readonly Requirement[]): readonly string[] {
  const byId = new Map(requirements.map((requirement) => [requirement.id, requirement]))
  const problems: string[] = []
  if (byId.size !== requirements.length) problems.push("an id stands twice")
  for (const { id, role, sameAs, notApplicable, untested } of requirements) {
    const said = [sameAs, notApplicable, untested].filter((reason) => reason !== undefined)
    if (said.length > 1) problems.push(`${id} says more than one of sameAs, notApplicable and untested`)
    if (role === "none" && notApplicable === undefined) problems.push(`${id} concerns nobody and does not say why`)
    const other = sameAs === undefined ? undefined : byId.get(sameAs)
    if (sameAs !== undefined && (other === undefined || other.sameAs !== undefined)) {
      problems.push(`${id} is the same as ${sameAs}, which is no requirement of its own`)
    }
  }
  return problems
}
