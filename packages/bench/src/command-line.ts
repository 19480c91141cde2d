// Command lines as somebody types them in a shell, for who wants the same figures.

import { startedOn } from "./runtimes.ts"

/** @param args of `npm run bench`; where a page or a file is written says nothing of the figures, and is left out */
export function commandLine(args: readonly string[]): string {
  const on = startedOn()
  const all = [...withoutOutputs(args), ...(on === undefined ? [] : ["--on", on])]
  const words = all.map((word) => (/^[\w,=.:/@-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
  return ["npm run bench", ...(words.length === 0 ? [] : ["--", ...words])].join(" ")
}

export function withoutOutputs(args: readonly string[]): string[] {
  return args.filter((word, i) => {
    if (word === "--json" || word === "--report") return false
    return args[i - 1] !== "--json" && !(args[i - 1] === "--report" && /\.html?$/.test(word))
  })
}
