// What pages of figures share: the page itself, captions, legends, the machine, data to take away. It needs no network and no script.

import type { Machine } from "../report.ts"
import { htmlTable, escapeText as text } from "./html.ts"
import { style } from "./style.ts"

/** How many colours the page has. */
export const colours = 6

/** @param body HTML */
export function wholePage(title: string, body: readonly string[]): string {
  return [
    "<!doctype html>",
    `<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">`,
    `<title>${text(title)}</title><style>${style}</style></head><body><main>`,
    `<h1>${text(title)}</h1>`,
    ...body,
    "</main></body></html>\n",
  ].join("\n")
}

/** `2026-11-29T08:00:00.000Z` as `2026-11-29 08:00:00 UTC`. */
export function momentText(iso: string): string {
  return iso.replace("T", " ").replace(/(\.\d+)?Z$/, " UTC")
}

/** @param more, plot, legend, below: `more` is text, the others are HTML */
export function captioned(title: string, more: string, plot: string, legend: string = "", below: string = ""): string {
  return `<figure><figcaption>${text(title)}${more === "" ? "" : ` <span>${text(more)}</span>`}</figcaption>${legend}${plot}${below}</figure>`
}

export function legendOf(entries: readonly { readonly name: string; readonly colour: number }[]): string {
  return `<div class="legend">${entries.map(({ name, colour }) => `<div><span class="key s${colour}"></span><b>${text(name)}</b></div>`).join("")}</div>`
}

/** A link that saves what the page was made of. */
export function dataLink(file: string, data: unknown): string {
  const address = `data:application/json;charset=utf-8,${encodeURIComponent(JSON.stringify(data))}`
  return `<a download="${text(file)}" href="${text(address)}">${text(file)}</a>`
}

/** @param more rows that the page has beside those of any machine */
export function machineTable(machine: Machine, more: readonly (readonly [string, string])[] = []): string {
  const known = (value: string | number | boolean | null) =>
    value === null ? "not known" : value === true ? "yes" : value === false ? "no" : String(value)
  const rows = [
    ["processor", `${machine.cpus} x ${machine.cpu}, ${machine.architecture}`],
    ["frequency governor", known(machine.governor)],
    ["turbo", known(machine.turbo)],
    ["virtual machine", known(machine.virtual)],
    ["CPUs that the client may use", known(machine.cpusAllowed)],
    ["CPU quota of the control group", machine.cpuQuota === null ? "none, or not known" : `${machine.cpuQuota} CPUs`],
    ["load before (1 minute)", machine.loadBefore === null ? "not known" : machine.loadBefore.toFixed(2)],
    ["memory", `${(machine.memoryBytes / 2 ** 30).toFixed(1)} GiB`],
    ["system", `${machine.system}, ${machine.kernel}`],
    ["client's runtime", machine.runtime],
    ...more,
  ]
  return htmlTable(
    [],
    rows.map((row) => row.map(text)),
    "facts",
  )
}
