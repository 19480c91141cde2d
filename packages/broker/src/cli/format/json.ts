// A message as a line of JSON (%j, %J), as Mosquitto's tools write it.

import type { Received } from "../../mqtt-client/received.ts"
import { PropertyId } from "../../packet/properties.ts"
import { isWellFormed } from "../../packet/utf8.ts"
import { nameOf } from "../client/properties.ts"
import { strftime } from "./strftime.ts"

/** What the payload is: `text` in quotes, or `json` that stands there as it is. */
export type PayloadAs = "text" | "json"

/** undefined: the payload is to be JSON and is none. @param pretty in lines, indented */
export function jsonOf(message: Received, at: Date, payloadAs: PayloadAs, pretty: boolean): string | undefined {
  const payload = payloadAs === "text" ? quotedPayload(message.payload) : jsonPayload(message.payload)
  if (payload === undefined) return undefined
  const members = [
    ["tst", JSON.stringify(timestamp(at))],
    ["topic", JSON.stringify(message.topic)],
    ["qos", String(message.qos)],
    ["retain", message.retain ? "1" : "0"],
    ["payloadlen", String(message.payload.length)],
    ...(message.qos > 0 ? [["mid", String(message.packetId)]] : []),
    ...(message.properties.length > 0 ? [["properties", propertiesOf(message)]] : []),
    ["payload", payload],
  ]
  const text = `{${members.map(([name, value]) => `"${name}":${value}`).join(",")}}`
  return pretty ? indented(text) : text
}

function timestamp(at: Date): string {
  const micros = String(at.getMilliseconds() * 1000).padStart(6, "0")
  return `${strftime("F", at)}T${strftime("T", at)}.${micros}${strftime("z", at)}`
}

function propertiesOf({ properties }: Received): string {
  const members: string[] = []
  const pairs: string[] = []
  for (const { id, value } of properties) {
    if (id === PropertyId.UserProperty && typeof value === "object" && !(value instanceof Uint8Array)) {
      if (pairs.length === 0) members.push("")
      pairs.push(`${JSON.stringify(value[0])}:${JSON.stringify(value[1])}`)
      continue
    }
    const text = value instanceof Uint8Array ? new TextDecoder().decode(value) : value
    members.push(`"${nameOf(id)}":${JSON.stringify(text)}`)
  }
  // Where the first one came.
  return `{${members.map((member) => (member === "" ? `"user-properties":{${pairs.join(",")}}` : member)).join(",")}}`
}

/** Bytes that are no text come as a list of numbers, so that none is lost. */
function quotedPayload(payload: Uint8Array): string {
  if (!isWellFormed(payload, 0, payload.length)) return `[${payload.join(",")}]`
  return JSON.stringify(textOf(payload))
}

/** The same JSON without what is between its words: numbers are not read, which would make others of long ones. */
function jsonPayload(payload: Uint8Array): string | undefined {
  if (payload.length === 0) return "null"
  if (!isWellFormed(payload, 0, payload.length)) return undefined
  const text = textOf(payload)
  try {
    JSON.parse(text)
  } catch {
    return undefined
  }
  return tokensOf(text).join("")
}

function textOf(payload: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(payload)
}

/** Strings, brackets, commas, colons, and numbers and words. */
function tokensOf(json: string): string[] {
  return json.match(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g) ?? []
}

/** In the layout of the JSON library that Mosquitto uses: a tab a level, and a list in one line. */
function indented(json: string): string {
  const tokens = tokensOf(json)
  let out = ""
  const open: string[] = []
  const newLine = () => `\n${"\t".repeat(open.length)}`
  tokens.forEach((token, i) => {
    const inObject = open.at(-1) === "{"
    if (token === "{") {
      open.push(token)
      out += tokens[i + 1] === "}" ? token : token + newLine()
    } else if (token === "}") {
      open.pop()
      out += newLine() + token
    } else if (token === "[") {
      open.push(token)
      out += token
    } else if (token === "]") {
      open.pop()
      out += token
    } else if (token === ",") out += inObject ? token + newLine() : ", "
    else if (token === ":") out += ":\t"
    else out += token
  })
  return out
}
