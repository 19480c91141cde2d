// What -F prints of a message: the format strings of mosquitto_sub (its manual, "Output format").

import { UsageError } from "@puremq/tls13/command-line"
import type { Received } from "../../mqtt-client/received.ts"
import { PropertyId } from "../../packet/properties.ts"
import type { PropertyValue } from "../../packet/property-values.ts"
import { jsonOf } from "./json.ts"
import { strftime } from "./strftime.ts"

interface Field {
  readonly letter: string
  readonly left: boolean
  readonly zero: boolean
  /** 0: as wide as it is. */
  readonly width: number
  /** Characters at most. */
  readonly most: number | undefined
}

type Piece = { readonly literal: string } | { readonly time: string } | { readonly field: Field }

/** What was parsed of a format string. */
export type Format = readonly Piece[]

const letters = "%ACDEFIJPRSUXjlmpqrtx"
const escapes: Readonly<Record<string, string>> = {
  ...{ "\\": "\\", "0": "\0", a: "\x07", e: "\x1b", n: "\n", r: "\r", t: "\t", v: "\v" },
}
/** Columns of a field at most: nobody has a wider terminal. */
const widest = 10_000

/** @throws UsageError */
export function parseFormat(text: string): Format {
  const pieces: Piece[] = []
  const form = /%(-?)(0?)(\d*)(?:\.(\d*))?(.?)|@(.?)|\\(.?)|[^%@\\]+/gsu
  for (const match of text.matchAll(form)) {
    const [whole, left, zero, width = "", most, letter, time, escaped] = match
    if (letter !== undefined) {
      const field = {
        letter,
        left: left === "-",
        zero: zero === "0",
        width: Number(width),
        most: most === undefined ? undefined : Number(most),
      }
      pieces.push({ field: checked(whole, field) })
    } else if (time !== undefined) {
      if (time === "") throw new UsageError("--format ends with an @, which something must follow; @@ is one of itself")
      pieces.push(time === "@" ? { literal: "@" } : { time })
    } else if (escaped !== undefined) {
      const character = escapes[escaped]
      if (character === undefined)
        throw new UsageError(`--format has ${whole}, which is none of \\\\ \\0 \\a \\e \\n \\r \\t \\v`)
      pieces.push({ literal: character })
    } else pieces.push({ literal: whole })
  }
  return pieces
}

function checked(whole: string, field: Field): Field {
  if (field.letter === "")
    throw new UsageError(`--format ends with ${whole}, which a letter must follow; %% is one of itself`)
  if (!letters.includes(field.letter))
    throw new UsageError(
      `--format has ${whole}, and there is no %${field.letter}; there are ${[...letters].map((each) => `%${each}`).join(" ")}`,
    )
  if (field.width > widest) throw new UsageError(`--format has ${whole}; a field has ${widest} columns at most`)
  return field
}

/** What a piece made: bytes and text of the message, or text of the format itself. */
export interface Printed {
  readonly part: string | Uint8Array
  readonly literal: boolean
}

/** @param complain told in a sentence of what cannot be printed */
export function printFormat(
  format: Format,
  message: Received,
  at: Date,
  pretty: boolean,
  complain: (text: string) => void,
): Printed[] {
  return format.map((piece): Printed => {
    if ("literal" in piece) return { part: piece.literal, literal: true }
    if ("time" in piece) return { part: timeOf(piece.time, at), literal: true }
    const { letter } = piece.field
    if (letter !== "j" && letter !== "J") return { part: print(piece.field, message, at), literal: letter === "%" }
    const json = jsonOf(message, at, letter === "j" ? "text" : "json", pretty)
    if (json === undefined) complain(`the message of topic ${message.topic} is no JSON`)
    return { part: json ?? "", literal: false }
  })
}

function timeOf(conversion: string, at: Date): string {
  return conversion === "N" ? nanoseconds(at) : (strftime(conversion, at) ?? `%${conversion}`)
}

/** Of the second. The clock tells milliseconds. */
function nanoseconds(at: Date): string {
  return String(at.getMilliseconds() * 1_000_000).padStart(9, "0")
}

function print(field: Field, message: Received, at: Date): string | Uint8Array {
  switch (field.letter) {
    case "%":
      return "%"
    case "A":
      return number(field, propertyOf(message, PropertyId.TopicAlias))
    case "C":
      return text(field, propertyOf(message, PropertyId.ContentType)) ?? " ".repeat(field.width)
    case "D": {
      const value = propertyOf(message, PropertyId.CorrelationData)
      return value instanceof Uint8Array ? value : ""
    }
    case "E":
      return number(field, propertyOf(message, PropertyId.MessageExpiryInterval))
    case "F":
      return number(field, propertyOf(message, PropertyId.PayloadFormatIndicator))
    case "I":
      return text(field, `${strftime("F", at)}T${strftime("T", at)}${strftime("z", at)}`) ?? ""
    case "l":
      return number(field, message.payload.length)
    case "m":
      return number(field, message.packetId)
    case "P":
      return message.properties.flatMap(pairText).join(" ")
    case "q":
      return String(message.qos)
    case "R":
      return text(field, propertyOf(message, PropertyId.ResponseTopic)) ?? ""
    case "r":
      return message.retain ? "1" : "0"
    case "S":
      return number(field, propertyOf(message, PropertyId.SubscriptionIdentifier))
    case "t":
      return text(field, message.topic) ?? ""
    case "U":
      return `${strftime("s", at)}.${nanoseconds(at)}`
    default:
      return payloadIn(field, message.payload)
  }
}

function propertyOf({ properties }: Received, id: number): PropertyValue["value"] | undefined {
  return properties.find((each) => each.id === id)?.value
}

function pairText({ id, value }: PropertyValue): string[] {
  if (id !== PropertyId.UserProperty || typeof value !== "object" || value instanceof Uint8Array) return []
  return [`${value[0]}:${value[1]}`]
}

function number({ left, zero, width }: Field, value: PropertyValue["value"] | undefined): string {
  if (typeof value !== "number") return (zero ? "0" : " ").repeat(width)
  if (left) return String(value).padEnd(width)
  return String(value).padStart(width, zero ? "0" : " ")
}

function text({ left, width, most }: Field, value: PropertyValue["value"] | undefined): string | undefined {
  if (typeof value !== "string") return undefined
  const characters = [...value]
  const shown = most === undefined || characters.length <= most ? value : characters.slice(0, most).join("")
  const missing = " ".repeat(Math.max(0, width - Math.min(characters.length, most ?? characters.length)))
  return left ? shown + missing : missing + shown
}

/** Cut to the width, unlike all others; in hexadecimal at a whole byte. */
function payloadIn({ letter, left, zero, width }: Field, payload: Uint8Array): Uint8Array {
  const columns = letter === "p" ? 1 : 2
  const shown = width === 0 ? payload : payload.subarray(0, Math.floor(width / columns))
  const hex = () => Buffer.from(shown.buffer, shown.byteOffset, shown.length).toString("hex")
  const text = letter === "p" ? shown : Buffer.from(letter === "x" ? hex() : hex().toUpperCase())
  const missing = Buffer.from((zero && !left ? "0" : " ").repeat(Math.max(0, width - text.length)))
  return Buffer.concat(left ? [text, missing] : [missing, text])
}
