// Results as one HTML page: what is wanted of this version, each part with its plots, the machine; by the same hand as the page of
// `tls13 bench --html`.

import { dataLink, escapeText, htmlTable, machineTable, momentText, wholePage } from "@puremq/tls13/measure"
import { settledText } from "../measure.ts"
import { partNames, parts } from "../parts.ts"
import { durationText } from "../progress.ts"
import { isTable, type Results } from "../results.ts"
import type { TextTable } from "../tables.ts"
import { checkSection } from "./checks.ts"
import { barsFigure, comparisonFigure, comparisonsTable, growthFigures, madeBy, type Shown } from "./figures.ts"
import { matrixTable } from "./matrix.ts"

/** @param all of one runtime each, or of several parts; at least one */
export function comparisonsPage(all: readonly Results[]): string {
  const [first] = all
  const runtimes = [...new Set(all.map(({ runtime }) => shortRuntime(runtime)))]
  const checked = all.filter(({ rows }) => rows.length > 0)
  const present = partNames.filter((part) => all.some(({ findings }) => findings.some((each) => each.part === part)))
  return wholePage("PureMQ and its peers, side by side", [
    `<p class="soft">${escapeText(momentText(first!.started))} on ${escapeText(first!.machine.host)}; ${escapeText(runtimes.join(", "))}</p>`,
    `<pre>${escapeText(all.map(({ command }) => command).join("\n"))}</pre>`,
    ...new Set(all.flatMap(warnings)),
    navigation(present, checked.length > 0),
    ...checked.map((results) =>
      checkSection(
        results,
        `What is wanted of this version${checked.length > 1 ? `: ${shortRuntime(results.runtime)}` : ""}`,
      ),
    ),
    ...present.map((part) => partSection(part, all)),
    `<h2 id="machine">Machine and versions</h2>`,
    ...all.map(machine),
    reading(),
    `<footer>All figures of this page: ${dataLink("results.json", all.length === 1 ? first : all)}. A page of saved results: <code>npm run bench -- --report out.html --from results.json</code></footer>`,
  ])
}

/** `Node 20.20.2` of `Node.js v20.20.2 (OpenSSL 3.0.19)`. */
export function shortRuntime(runtime: string): string {
  return runtime.replace(/^Node\.js v/, "Node ").replace(/ \(.*$/, "")
}

/** What nobody should read past. */
function warnings(results: Results): string[] {
  const { machine: of, during, broken, findings, rows } = results
  const comparisons = findings.flatMap(({ figure }) => (isTable(figure) ? [] : [figure]))
  const moving = comparisons.filter((each) => each.rows.some((_, i) => settledText(each, i)?.startsWith("not"))).length
  const movingRows = rows.filter((row) => "note" in row && row.note?.includes("not settled")).length
  const where = `${shortRuntime(results.runtime)}: `
  const load = of.loadBefore ?? 0
  const lines = [
    ...broken.map((line) => `A measurement broke: ${line}`),
    ...(load > of.cpus / 2
      ? [
          `The machine was busy before it began: a load of ${load.toFixed(1)} with ${of.cpus} CPUs. Ratios hold better than figures.`,
        ]
      : []),
    ...(during !== null && during.steal >= 0.01
      ? [`${(100 * during.steal).toFixed(1)}% of the processor time was taken by the machine's host (steal).`]
      : []),
    ...(moving + movingRows > 0
      ? [
          `In ${moving + movingRows} of ${comparisons.length + rows.length} an engine had not settled when its rounds began; they are marked.`,
        ]
      : []),
  ]
  return lines.map((line) => `<p class="warn">${escapeText(where + line)}</p>`)
}

function navigation(present: readonly string[], isChecked: boolean): string {
  const links = [
    ...(isChecked ? [["check", "What is wanted"] as const] : []),
    ...present.map((part) => [part, parts[part]!.title] as const),
    ["machine", "Machine"] as const,
  ]
  return `<nav>${links.map(([id, title]) => `<a href="#${id}">${escapeText(title)}</a>`).join("")}</nav>`
}

function partSection(part: string, all: readonly Results[]): string {
  const found = all.flatMap(({ runtime, findings }) =>
    findings.filter((each) => each.part === part).map((each) => ({ ...each, runtime: shortRuntime(runtime) })),
  )
  const comparisons = new Map<string, Shown>()
  const tables: string[] = []
  for (const { command, figure, runtime } of found) {
    if (isTable(figure)) {
      tables.push(tableSection(figure, command, all.length > 1 ? runtime : ""))
      continue
    }
    const others = comparisons.get(figure.title)
    const shown = {
      part,
      command: others === undefined ? command : joined(others.command, command),
      title: figure.title,
      all: [...(others?.all ?? []), { runtime, comparison: figure }],
    }
    comparisons.set(figure.title, shown)
  }
  const { title, help } = parts[part]!
  const shown = [...comparisons.values()]
  return [
    `<h2 id="${part}">${escapeText(title)}</h2>`,
    `<p class="soft">${escapeText(help.slice(0, 1).toUpperCase() + help.slice(1))}.</p>`,
    ...(shown.length > 0 ? [drawings(part, shown), part === "matrix" ? "" : comparisonsTable(shown)] : []),
    ...tables,
  ].join("\n")
}

/** Of the same on one runtime and on another: on both. */
function joined(one: string, other: string): string {
  const on = / --on (\S+)$/
  const names = [one, other].map((command) => on.exec(command)?.[1])
  return names.includes(undefined) ? one : one.replace(on, ` --on ${names.join(",")}`)
}

function drawings(part: string, shown: readonly Shown[]): string {
  if (part === "matrix") return matrixTable(shown)
  const growth = growthFigures(shown)
  // A box plot of each of many sizes says nothing that a curve does not.
  const isCurvesOnly = growth.length > 0 && (part === "records" || part === "digests")
  const figures = isCurvesOnly ? growth : [...shown.map(comparisonFigure), ...growth]
  return `<div class="plots">${figures.join("\n")}</div>`
}

function tableSection(table: TextTable, command: string, runtime: string): string {
  const { title, lead, head, cells, absent = [], bars } = table
  const rows = [...cells, ...absent.map(({ name, why }) => [name, `skipped: ${why}`, ...head.slice(2).map(() => "")])]
  return [
    `<h3>${escapeText(`${title}${runtime === "" ? "" : `, ${runtime}`}`)}</h3>`,
    lead === undefined ? "" : `<p class="soft">${escapeText(lead)}</p>`,
    bars === undefined ? "" : `<div class="plots">${barsFigure(title, bars)}</div>`,
    htmlTable(
      head.map(escapeText),
      rows.map((row) => row.map(escapeText)),
    ),
    madeBy(command, title, table),
  ].join("\n")
}

function machine({ machine: of, during, versions, command, seconds, runtime }: Results): string {
  const share = (value: number) => `${(100 * value).toFixed(1)}%`
  const more: (readonly [string, string])[] = [
    ["processors busy in the run", during === null ? "not known" : share(during.busy)],
    ["time stolen by the host in the run", during === null ? "not known" : share(during.steal)],
    ["the run took", durationText(seconds)],
    ...Object.entries(versions),
  ]
  return `<h3>${escapeText(shortRuntime(runtime))}: <code>${escapeText(command)}</code></h3>\n${machineTable(of, more)}`
}

function reading(): string {
  const words = [
    "Subjects take turns within a round, in turning order, and ratios are taken within a round: what else the machine does falls on all of them. Beside each median is its ratio to the first subject, the median over the rounds.",
    "Processor time is that of the whole process, user and system, collections and compilation included.",
    "In memory each subject has a process of its own; rounds begin when three slices differ from the three before by 5% at most, over sockets by 10%. Where they did not, it is said.",
    "Boxes are the quartiles with the median in them; whiskers reach to the outermost value within 1.5 box lengths; each dot is a round.",
    "Over sockets a server is measured by its own processor time, while OpenSSL is the client in other processes.",
    "On Linux what is compared by its processor time has one and the same processor, in turns: on a shared machine one may be half as fast as its neighbour for seconds.",
  ]
  return `<h2>How to read this</h2>\n<ul class="notes">${words.map((each) => `<li>${escapeText(each)}</li>`).join("")}</ul>`
}
