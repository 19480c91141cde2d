// The lines of the stack's sources that the page shows: those that read, write or refuse something, with a few around each. The page
// imports them as "stack:source-lines"; they are cut out when it is built.

import { readdirSync, readFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { instrumented } from "./instrument.mjs"

const sources = fileURLToPath(new URL("../../tls13/src", import.meta.url))

/** What goes to and fro between two ends: no adapters, no command line. */
const folders = ["codec", "connection", "crypto", "handshake", "record", "session", "x509"]

/** Lines shown above and below of one. */
const around = 2

/** Places that no call of the codec marks: name, file, and a text that stands on one line of it. */
const places = [
  ["record header read", "record/record-reader.ts", "const type = this.input.byte(0)"],
  ["record header written", "record/record-writer.ts", "#writeHeader(type: number"],
  ["record opened", "record/record-reader.ts", "#opened(record: Uint8Array"],
  ["record sealed", "record/record-writer.ts", "#seal(protection: RecordProtection"],
  ["message header read", "record/handshake-joiner.ts", "const type = this.#buffer[this.#start]!"],
  ["message header written", "codec/message.ts", "return new Writer(capacity).uint8(HandshakeType[name])"],
  ["finished read", "codec/finished.ts", "reader.bytes(hashLength)"],
  ["key exchange", "crypto/montgomery-group.ts", "const shared ="],
]

/** An esbuild plugin. */
export const sourceLines = {
  name: "source-lines",
  setup(build) {
    build.onResolve({ filter: /^stack:source-lines$/ }, ({ path }) => ({ path, namespace: "stack" }))
    build.onLoad({ filter: /.*/, namespace: "stack" }, () => ({ contents: asModule(collect()), loader: "js" }))
  },
}

/** @returns lines by file and number, and the places by their names */
export function collect() {
  const wanted = new Map()
  const want = (file, line) => {
    if (!wanted.has(file)) wanted.set(file, new Set())
    for (let near = line - around; near <= line + around; near++) wanted.get(file).add(near)
  }
  for (const folder of folders) {
    for (const name of readdirSync(`${sources}/${folder}`, { recursive: true })) {
      const file = `${folder}/${name}`
      if (!/\.ts$/.test(file) || /\.test\.ts$|\.d\.ts$|\/modules\//.test(file)) continue
      for (const [, line] of instrumented(file, textOf(file)).matchAll(siteIn(file))) want(file, Number(line))
    }
  }
  const found = {}
  for (const [name, file, text] of places) {
    const lines = textOf(file).split("\n")
    const numbers = lines.flatMap((line, index) => (line.includes(text) ? [index + 1] : []))
    if (numbers.length !== 1)
      throw new Error(
        `source-lines.mjs: ${name}: ${JSON.stringify(text)} stands ${numbers.length} times in ${file}, not once`,
      )
    want(file, numbers[0])
    found[name] = { file, line: numbers[0], name: "" }
  }
  const lines = {}
  for (const [file, numbers] of [...wanted].sort()) {
    const text = textOf(file).split("\n")
    const ofFile = {}
    for (const number of [...numbers].sort((a, b) => a - b)) {
      const line = text[number - 1]
      if (line !== undefined) ofFile[number] = line
    }
    lines[file] = ofFile
  }
  return { lines, places: found }
}

function siteIn(file) {
  return new RegExp(`"${file.replace(/[.]/g, "\\.")}:(\\d+):`, "g")
}

function textOf(file) {
  return readFileSync(`${sources}/${file}`, "utf8")
}

function asModule({ lines, places }) {
  return `export const lines = ${JSON.stringify(lines)}\nexport const places = ${JSON.stringify(places)}\n`
}
