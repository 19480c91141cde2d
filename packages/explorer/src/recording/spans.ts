// What the codec reads and writes, field by field: where in the bytes, under which name, and by which line of its source. The
// explorer's build puts a reader and a writer in the place of those of `bytes/` that note it; the codec itself is as it is.

/** A place in the sources of packages/tls13/src. */
export interface Site {
  /** Below packages/tls13/src, such as `codec/client-hello.ts`. */
  readonly file: string
  readonly line: number
  /** The name that the source gives to the value, as RFC 9846 writes it (`legacy_version`); "" when it gives none. */
  readonly name: string
}

export type SpanKind =
  /** A number of 1 to 4 bytes. */
  | "number"
  /** Bytes of a fixed length. */
  | "bytes"
  /** The length in front of a vector. */
  | "length"
  /** The content of a vector. */
  | "vector"
  /** One of a list of code points. */
  | "element"

/** Bytes `start` to `end` (not included) of a message. */
export interface Span {
  readonly start: number
  readonly end: number
  readonly kind: SpanKind
  readonly name: string
  /** The structure that the reader was made for: `ClientHello`, `key_share`. */
  readonly structure: string
  /** Of a number, a length or a code point. */
  readonly value?: number
  readonly site: Site | undefined
}

/** A span with those that lie inside of it, in order. */
export interface Field extends Span {
  readonly fields: readonly Field[]
}

/** `codec/client-hello.ts:66:legacy_version`, as the build writes it into the codec. */
export function siteOf(text: string | undefined): Site | undefined {
  if (text === undefined) return undefined
  const [file = "", line = "0", name = ""] = text.split(":")
  return { file, line: Number(line), name }
}

/**
 * Puts spans into one another. Two readers of the same bytes (a ClientHello is read twice where its extensions are) give the same
 * spans twice: the first counts.
 */
export function nest(spans: readonly Span[]): readonly Field[] {
  const sorted = spans
    .map((span, order) => ({ span, order }))
    .sort((a, b) => a.span.start - b.span.start || b.span.end - a.span.end || a.order - b.order)
  const roots: MutableField[] = []
  const open: MutableField[] = []
  for (const { span } of sorted) {
    if (span.end === span.start) continue
    while (open.length > 0 && span.start >= open.at(-1)!.end) open.pop()
    const outer = open.at(-1)
    // One that sticks out of what it begins in is of a reading that failed.
    if (outer !== undefined && span.end > outer.end) continue
    if (outer !== undefined && outer.start === span.start && outer.end === span.end && outer.kind === span.kind)
      continue
    const field: MutableField = { ...span, fields: [] }
    ;(outer?.fields ?? roots).push(field)
    open.push(field)
  }
  return roots
}

interface MutableField extends Span {
  readonly fields: MutableField[]
}
