// The traces of RFC 8448 as the RFC prints them: what people paste.

import { readFileSync } from "node:fs"

export interface TraceJson {
  readonly section: number
  readonly id: string
  readonly steps: readonly {
    readonly actor: string
    readonly label: string
    readonly fields?: Readonly<
      Record<string, { readonly octets?: number; readonly hex?: string; readonly text?: string }>
    >
  }[]
}

export const { traces } = JSON.parse(
  readFileSync(new URL("../../../test-vectors/rfc8448/rfc8448.json", import.meta.url), "utf8"),
) as { traces: TraceJson[] }

/** As the RFC prints it, with its page breaks. */
export function printed({ steps }: TraceJson): string {
  const lines: string[] = []
  for (const { actor, label, fields = {} } of steps) {
    lines.push("", `   {${actor}}  ${label}:`)
    for (const [name, { octets, hex: value, text }] of Object.entries(fields)) {
      if (text !== undefined || value === undefined) {
        lines.push("", `      ${name}:  ${text ?? ""}`)
        continue
      }
      const bytes = value.match(/../g) ?? []
      lines.push("", `      ${name} (${octets} octets):  ${bytes.slice(0, 12).join(" ")}`)
      for (let at = 12; at < bytes.length; at += 18) lines.push(`         ${bytes.slice(at, at + 18).join(" ")}`)
    }
  }
  const pages: string[] = []
  lines.forEach((line, index) => {
    if (index % 50 === 49)
      pages.push(
        "",
        "Thomson                       Informational                     [Page 7]",
        "\f",
        "RFC 8448                     TLS 1.3 Traces                 January 2019",
        "",
      )
    pages.push(line)
  })
  return pages.join("\n")
}
