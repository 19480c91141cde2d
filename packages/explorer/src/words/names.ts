// How things are called on the page: as RFC 9846 calls them.

import { ContentType, codePointName } from "@puremq/tls13/explore"
import { describe } from "@puremq/tls13/trace"
import type { SecretName } from "../run/names.ts"
import type { End, Fate, Happening } from "../run/step.ts"

/** `server_hello` as the RFC's structure is called: `ServerHello`. */
export function messageTitle(name: string): string {
  return name.replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())
}

export function contentTypeName(type: number): string {
  return codePointName(ContentType, type)
}

/** `client_application_traffic_secret_1` of a name and its generation. */
export function secretTitle(name: SecretName, generation: number): string {
  return name.endsWith("_application_traffic_secret") ? `${name}_${generation}` : name
}

const none = new Uint8Array(0)

/** What a secret is for. */
export function secretMeaning(name: SecretName): string {
  const said = describe({ type: "secret", name, secret: none, clientRandom: none, generation: 0 })
  return said.slice(said.indexOf(": ") + 2)
}

/** What a message is for, and its section: as the stack's own trace says it. */
export function messageMeaning(message: Extract<Happening, { type: "message" }>): {
  readonly meaning: string
  readonly section: string
} {
  const [, section = "", meaning = ""] = /\(section ([\d.]+)\), \d+ bytes: (.*)$/.exec(message.words[0] ?? "") ?? []
  return { meaning, section }
}

const fates: Readonly<Record<Fate, string>> = {
  carried: "",
  changed: "changed on the way",
  dropped: "never arrives",
  cut: "cut short",
  injected: "sent by somebody else",
  repeated: "a second time",
  delayed: "late",
}

/** What somebody on the way has done to a record; "": nothing. */
export function fateTitle(fate: Fate): string {
  return fates[fate]
}

export function endTitle(end: End): string {
  return end === "client" ? "Client" : "Server"
}

/** `4.3.8` of `RFC 9846 section 4.3.8`, as an address of the RFC's text. */
export function sectionLink(text: string): string | undefined {
  const [, number, , section] = /RFC (\d+)(?:,? (section|appendix) ([\w.]+))?/.exec(text) ?? []
  if (number === undefined) return undefined
  const part = section === undefined ? "" : /^[A-Z]/.test(section) ? `#appendix-${section}` : `#section-${section}`
  return `https://www.rfc-editor.org/rfc/rfc${number}${part}`
}

export function bytesText(count: number): string {
  return count === 1 ? "1 byte" : `${count.toLocaleString("en")} bytes`
}

/** With a capital letter, as a sentence begins. */
export function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
