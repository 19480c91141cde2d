import { readFileSync } from "node:fs"

/** The comment of each member of an interface, each in one line, by the member's name. @param file below packages/ */
export function commentsOf(file: string, name: string): ReadonlyMap<string, string> {
  const source = readFileSync(new URL(`../../packages/${file}`, import.meta.url), "utf8")
  const start = source.indexOf(`export interface ${name} `)
  const body = source.slice(start, source.indexOf("\n}\n", start))
  const members = body.matchAll(/\/\*\*\s+([\s\S]*?)\s*\*\/\s+readonly (\w+):/g)
  return new Map(
    [...members].map(([, comment = "", member = ""]) => [
      member,
      comment.replace(/^\* /, "").replaceAll(/\s*\n\s*\* ?/g, " "),
    ]),
  )
}
