// Many scenarios that differ in group, suite and signature: a table with a column for each subject.

import { escapeText, htmlTable } from "@puremq/tls13/measure"
import { figure as digits } from "../check/row.ts"
import { parseWork } from "../engine/work.ts"
import { madeBy, type Shown } from "./figures.ts"

export function matrixTable(all: readonly Shown[]): string {
  const runtimes = [...new Set(all.flatMap((shown) => shown.all.map(({ runtime }) => runtime)))]
  return runtimes.map((runtime) => ofRuntime(all, runtime, runtimes.length > 1)).join("\n")
}

function ofRuntime(all: readonly Shown[], runtime: string, isTold: boolean): string {
  const own = all.flatMap((shown) => shown.all.filter((each) => each.runtime === runtime))
  const names = [...new Set(own.flatMap(({ comparison }) => comparison.rows.map(({ name }) => name)))]
  const rows = own.map(({ comparison }) => {
    const work = parseWork(comparison.scenario!)
    if (work.type !== "handshake") throw new Error(`${comparison.scenario} is no handshake`)
    const cells = names.map((name) => {
      const row = comparison.rows.find((each) => each.name === name)
      if (row === undefined) return `<span class="soft">-</span>`
      const ratio = name === comparison.rows[0]!.name ? "" : ` <span class="soft">${row.ratio[1].toFixed(2)} x</span>`
      return `${digits(row.median)}${ratio}`
    })
    return [escapeText([work.group, work.suite, work.signature].join(", ")), ...cells]
  })
  const head = ["group, suite, signature", ...names.map(escapeText)]
  const title = isTold ? `<h3>${escapeText(runtime)}</h3>` : ""
  const unit = `<p class="soft">Microseconds of processor time of both sides, medians; beside them the ratio to ${escapeText(names[0] ?? "")}. - : the subject does not have it.</p>`
  return `${title}${unit}${htmlTable(head, rows, "figures")}${madeBy("npm run bench -- matrix", "matrix", own)}`
}
