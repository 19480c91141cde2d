// A trace of RFC 8448, pasted as the RFC prints it: records, and the two values that go into the key schedule.

import { fromHex } from "@puremq/tls13/explore"
import type { End } from "../run/step.ts"
import type { Chunk } from "./observer.ts"
import type { KnownSecrets } from "./secrets.ts"

export interface PastedTrace {
  readonly chunks: readonly Chunk[]
  readonly known: KnownSecrets
}

/** undefined: the text has no step of the RFC's kind with a record in it. */
export function readRfc8448(text: string): PastedTrace | undefined {
  const steps = stepsOf(text)
  const chunks = steps.flatMap(({ actor, fields }) => {
    const record = fields.get("complete record")
    return record === undefined ? [] : [{ from: actor, bytes: record }]
  })
  if (chunks.length === 0) return undefined
  const input = (stage: string) =>
    steps
      .find(({ label, fields }) => label.includes(`extract secret "${stage}"`) && fields.has("IKM"))
      ?.fields.get("IKM")
  const early = input("early")
  const psk = early?.some((byte) => byte !== 0) ? early : undefined
  return { chunks, known: { logged: () => undefined, inputs: { psk, sharedSecret: input("handshake") } } }
}

interface PrintedStep {
  readonly actor: End
  readonly label: string
  readonly fields: ReadonlyMap<string, Uint8Array>
}

/** `{client}  send handshake record:`, then fields: `payload (196 octets):  01 00 ...`, in lines that go on. */
function stepsOf(text: string): PrintedStep[] {
  const body = text
    .split(/\r?\n/)
    // The RFC's pages have a foot and a head.
    .filter((line) => !/\[Page \d+\]\s*$/.test(line) && !/^RFC 8448\b/.test(line) && !/\f/.test(line))
    .join("\n")
  const steps: PrintedStep[] = []
  const heads = [...body.matchAll(/\{(client|server)\}\s+([^:{]*):?/g)]
  for (const [index, head] of heads.entries()) {
    const end = heads[index + 1]?.index ?? body.length
    const rest = body.slice(head.index + head[0].length, end)
    steps.push({ actor: head[1] as End, label: (head[2] ?? "").replace(/\s+/g, " ").trim(), fields: fieldsOf(rest) })
  }
  return steps
}

function fieldsOf(text: string): ReadonlyMap<string, Uint8Array> {
  const fields = new Map<string, Uint8Array>()
  for (const [, name = "", octets = "", hex = ""] of text.matchAll(
    /([A-Za-z][A-Za-z ]*?)\s+\((\d+)\s+octets\):\s*((?:[0-9a-fA-F]{2}\s*)*)/g,
  )) {
    const bytes = fromHex(hex.replace(/\s+/g, ""))
    // A word of prose behind the last line may look like hexadecimal: the RFC says how many there are.
    fields.set(name.replace(/\s+/g, " "), bytes.subarray(0, Number(octets)))
  }
  return fields
}
