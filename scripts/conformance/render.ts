// The part of docs/conformance.md that is made from the requirements and the tags.

import { type Coverage, type Evidence, type RequirementsFile, type Role, rolesOf } from "./requirements.ts"

const begin = "<!-- made by `npm run conformance` from test-vectors/rfc9846/requirements.json and the tests: begin -->"
const end = "<!-- made by `npm run conformance`: end -->"

/** The page with the part that is made replaced. @throws Error when the page has no place for it */
export function renderInto(page: string, file: RequirementsFile, covered: readonly Coverage[]): string {
  const from = page.indexOf(begin)
  const to = page.indexOf(end)
  if (from === -1 || to < from)
    throw new Error(`docs/conformance.md has no place for the requirements: ${begin} ... ${end}`)
  return `${page.slice(0, from + begin.length)}\n\n${render(file, covered)}\n${page.slice(to)}`
}

function render(file: RequirementsFile, covered: readonly Coverage[]): string {
  return [
    introduction(file, covered),
    shares(covered),
    notShown(covered),
    notOurs(covered),
    ...sections(covered).map((number) => section(number, file.sections[number] ?? "", covered)),
  ].join("\n")
}

function introduction({ source }: RequirementsFile, covered: readonly Coverage[]): string {
  const applicable = covered.filter(({ requirement }) => requirement.notApplicable === undefined)
  return `The ${covered.length} sentences of ${source} that have a MUST, MUST NOT, REQUIRED or SHALL, in the RFC's order. The number behind a section counts them. ${applicable.length} concern a client or a server of TLS 1.3; of the others the table says in a word why they do not. The test after a requirement fails when it is not kept; a title in braces is filled in for each case.
`
}

/* ---------------------------------------------------------------- totals */

export function share(covered: readonly Coverage[], role: Role): { readonly shown: number; readonly all: number } {
  const concerned = covered.filter(
    ({ requirement }) => requirement.notApplicable === undefined && rolesOf(requirement).includes(role),
  )
  return { shown: concerned.filter(({ missing }) => !missing.includes(role)).length, all: concerned.length }
}

function shares(covered: readonly Coverage[]): string {
  const rows = (["client", "server"] as const).map((role) => {
    const { shown, all } = share(covered, role)
    return `| ${role} | ${all} | ${shown} | ${((100 * shown) / all).toFixed(1)} % |`
  })
  return `| role | requirements | shown by a test | share |\n|---|---|---|---|\n${rows.join("\n")}\n`
}

function notShown(covered: readonly Coverage[]): string {
  const open = covered.filter(({ missing }) => missing.length > 0)
  if (open.length === 0) return "None is without a test.\n"
  const lines = open.map(
    ({ requirement: { id, untested }, missing }) => `- ${id}, ${missing.join(" and ")}: ${untested ?? "no test yet"}`,
  )
  return `Not shown by a test:\n\n${lines.join("\n")}\n`
}

/** How many do not concern us, by the first words of their reasons. */
function notOurs(covered: readonly Coverage[]): string {
  const counts = new Map<string, number>()
  for (const { requirement } of covered) {
    const reason = requirement.notApplicable?.replace(/:.*$/, "")
    if (reason !== undefined) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  }
  const list = [...counts].map(([reason, count]) => `${reason} (${count})`)
  return `Not ours: ${list.join(", ")}.\n`
}

/* ---------------------------------------------------------------- sections */

function sectionOf(id: string): string {
  return id.replace(/-\d+$/, "")
}

/** In the order of the list. */
function sections(covered: readonly Coverage[]): string[] {
  return [...new Set(covered.map(({ requirement }) => sectionOf(requirement.id)))]
}

function section(number: string, title: string, covered: readonly Coverage[]): string {
  const rows = covered.filter(({ requirement }) => sectionOf(requirement.id) === number).map(row)
  return `#### ${number} ${title}\n\n| | for | requirement | shown by |\n|---|---|---|---|\n${rows.join("\n")}\n`
}

function row({ requirement, evidence, missing }: Coverage): string {
  const { id, role, text, sameAs, notApplicable, untested } = requirement
  const shown =
    notApplicable !== undefined
      ? [`- (${notApplicable})`]
      : sameAs !== undefined
        ? [`see ${sameAs}`]
        : [
            ...tests(evidence),
            ...(missing.length > 0 ? [`**not shown** (${missing.join(" and ")}): ${untested ?? "no test yet"}`] : []),
          ]
  return `| ${id} | ${role === "none" ? "-" : role} | ${asText(text)} | ${shown.join("<br>")} |`
}

/** Tests by file, in the order in which they stand there. */
function tests(evidence: readonly Evidence[]): string[] {
  return evidence.map(({ file, title, roles }) => {
    const name = file.replace(/^.*\//, "").replace(/(?:\.test)?\.ts$/, "")
    const only = evidence.some((other) => other.roles.length !== roles.length || other.roles[0] !== roles[0])
    return `[${name}](../${file}): ${asText(title)}${only && roles.length === 1 ? ` (${roles[0]})` : ""}`
  })
}

/** Without meaning as Markdown or HTML. */
function asText(text: string): string {
  return text.replace(/[\\`*_[\]|]/g, "\\$&").replaceAll("<", "&lt;")
}
