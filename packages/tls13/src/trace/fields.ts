// A handshake message as its bytes, field by field, with the names that RFC 9846 gives them: what `--trace=bytes` prints. It
// looks at lengths only and never refuses: what the fields mean, and whether they are right, is the codec's affair.

import { codePointName, ExtensionType, type HandshakeTypeName } from "../bytes/code-points.ts"
import { toHex } from "../bytes/hex.ts"

/** Bytes of a fixed length; a vector by the bytes of its length; the rest; extensions; a list of such structures. */
type Layout = number | "vector8" | "vector16" | "vector24" | "rest" | "extensions" | { readonly list24: Fields }
type Fields = readonly (readonly [name: string, layout: Layout])[]

const clientHello: Fields = [
  ["legacy_version", 2],
  ["random", 32],
  ["legacy_session_id", "vector8"],
  ["cipher_suites", "vector16"],
  ["legacy_compression_methods", "vector8"],
  ["extensions", "extensions"],
]
const serverHello: Fields = [
  ["legacy_version", 2],
  ["random", 32],
  ["legacy_session_id_echo", "vector8"],
  ["cipher_suite", 2],
  ["legacy_compression_method", 1],
  ["extensions", "extensions"],
]
const certificate: Fields = [
  ["certificate_request_context", "vector8"],
  [
    "certificate_list",
    {
      list24: [
        ["cert_data", "vector24"],
        ["extensions", "extensions"],
      ],
    },
  ],
]

const layouts: Readonly<Partial<Record<HandshakeTypeName | "hello_retry_request", Fields>>> = {
  client_hello: clientHello,
  server_hello: serverHello,
  hello_retry_request: serverHello,
  encrypted_extensions: [["extensions", "extensions"]],
  certificate_request: [
    ["certificate_request_context", "vector8"],
    ["extensions", "extensions"],
  ],
  certificate,
  compressed_certificate: [
    ["algorithm", 2],
    ["uncompressed_length", 3],
    ["compressed_certificate_message", "vector24"],
  ],
  certificate_verify: [
    ["algorithm", 2],
    ["signature", "vector16"],
  ],
  finished: [["verify_data", "rest"]],
  new_session_ticket: [
    ["ticket_lifetime", 4],
    ["ticket_age_add", 4],
    ["ticket_nonce", "vector8"],
    ["ticket", "vector16"],
    ["extensions", "extensions"],
  ],
  key_update: [["request_update", 1]],
}

const bytesALine = 32

/** Lines of "name: hexadecimal", the message's four bytes of header first; long ones go on in the next line. */
export function messageFields(name: HandshakeTypeName | "hello_retry_request", message: Uint8Array): string[] {
  const lines = [...line("msg_type", message.subarray(0, 1), ""), ...line("length", message.subarray(1, 4), "")]
  const rest = walk(layouts[name] ?? [["body", "rest"]], message.subarray(4), "", lines)
  if (rest.length > 0) lines.push(...line("(more bytes)", rest, ""))
  return lines
}

/** A field of a message without a byte of it. */
export interface FieldShape {
  readonly name: string
  /** Bytes, without those that say so. */
  readonly length: number
  readonly fields?: readonly FieldShape[]
}

/** What `messageFields` tells, as lengths alone: of the body, as the header says no more. */
export function messageShape(name: HandshakeTypeName | "hello_retry_request", message: Uint8Array): FieldShape[] {
  const shapes: FieldShape[] = []
  const rest = walkShape(layouts[name] ?? [["body", "rest"]], message.subarray(4), shapes)
  if (rest.length > 0) shapes.push({ name: "(more bytes)", length: rest.length })
  return shapes
}

/** Returns what is left. */
function walkShape(fields: Fields, bytes: Uint8Array, shapes: FieldShape[]): Uint8Array {
  let rest = bytes
  for (const [name, layout] of fields) {
    if (rest.length === 0) break
    const { body, more } = cut(rest, typeof layout === "object" ? "vector24" : layout)
    rest = more
    const { length } = body
    if (layout === "extensions") shapes.push({ name, length, fields: extensionShapes(body) })
    else if (typeof layout === "object") {
      const inner: FieldShape[] = []
      let entries = body
      while (entries.length > 0) {
        const left = walkShape(layout.list24, entries, inner)
        if (left.length === entries.length) break
        entries = left
      }
      shapes.push({ name, length, fields: inner })
    } else shapes.push({ name, length })
  }
  return rest
}

function extensionShapes(block: Uint8Array): FieldShape[] {
  const shapes: FieldShape[] = []
  let rest = block
  while (rest.length >= 4) {
    const { body, more } = cut(rest.subarray(2), "vector16")
    shapes.push({ name: codePointName(ExtensionType, (rest[0]! << 8) | rest[1]!), length: body.length })
    rest = more
  }
  return shapes
}

/** Returns what is left. */
function walk(fields: Fields, bytes: Uint8Array, indent: string, lines: string[]): Uint8Array {
  let rest = bytes
  for (const [name, layout] of fields) {
    if (rest.length === 0) break
    const { head, body, more } = cut(rest, layout)
    rest = more
    if (layout === "extensions") {
      lines.push(...line(`${name}, length`, head, indent))
      extensions(body, `${indent}  `, lines)
    } else if (typeof layout === "object") {
      lines.push(...line(`${name}, length`, head, indent))
      let entries = body
      while (entries.length > 0) {
        const left = walk(layout.list24, entries, `${indent}  `, lines)
        if (left.length === entries.length) break
        entries = left
      }
    } else if (head.length > 0) lines.push(...line(`${name} (length ${toHex(head)})`, body, indent))
    else lines.push(...line(name, body, indent))
  }
  return rest
}

function extensions(block: Uint8Array, indent: string, lines: string[]): void {
  let rest = block
  while (rest.length >= 4) {
    const type = (rest[0]! << 8) | rest[1]!
    const { head, body, more } = cut(rest.subarray(2), "vector16")
    const name = codePointName(ExtensionType, type)
    lines.push(...line(`${name} (type ${toHex(rest.subarray(0, 2))}, length ${toHex(head)})`, body, indent))
    rest = more
  }
  if (rest.length > 0) lines.push(...line("(more bytes)", rest, indent))
}

/** A field in front of the rest; one that is cut short is what there is. */
function cut(bytes: Uint8Array, layout: Layout): { head: Uint8Array; body: Uint8Array; more: Uint8Array } {
  if (layout === "rest") return { head: bytes.subarray(0, 0), body: bytes, more: bytes.subarray(bytes.length) }
  if (typeof layout === "number") {
    return { head: bytes.subarray(0, 0), body: bytes.subarray(0, layout), more: bytes.subarray(layout) }
  }
  const width = layout === "vector8" ? 1 : layout === "vector16" || layout === "extensions" ? 2 : 3
  const head = bytes.subarray(0, width)
  const end = head.reduce((sum, byte) => sum * 256 + byte, 0) + width
  return { head, body: bytes.subarray(width, end), more: bytes.subarray(end) }
}

function line(name: string, bytes: Uint8Array, indent: string): string[] {
  if (bytes.length <= bytesALine) return [`${indent}${name}: ${toHex(bytes)}`.trimEnd()]
  const lines = [`${indent}${name}: ${bytes.length} bytes`]
  for (let at = 0; at < bytes.length; at += bytesALine)
    lines.push(`${indent}  ${toHex(bytes.subarray(at, at + bytesALine))}`)
  return lines
}
