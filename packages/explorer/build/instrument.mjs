// What the explorer's build adds to the sources of the stack while it bundles them, so that the page can show which line did what. The
// sources themselves are not changed, and each addition stays on its line.
//
//   bytes/reader.ts, bytes/writer.ts, x509/der/der.ts
//                                       are replaced by those of src/recording/, which are made of them
//   codec/**, echCodec                  `reader.uint16()` becomes `reader.at("codec/...:LINE:NAME").uint16()`
//   x509/**                             `der.oid(` becomes `der.sited("x509/...:LINE:").oid(`, and each rule of a path tells what it said
//   everywhere                          `new InvalidMessage(` becomes `new (seen("FILE:LINE:CITED", InvalidMessage))(`
//   the checks of checks.mjs            `if (CONDITION)` becomes `if (!isCut("NAME") && (CONDITION))`

import { readFileSync } from "node:fs"
import { dirname, relative } from "node:path"
import { fileURLToPath } from "node:url"
import { checks } from "./checks.mjs"

const sources = fileURLToPath(new URL("../../tls13/src", import.meta.url))
const recording = fileURLToPath(new URL("../src/recording", import.meta.url))

/** By the name of the file in src/recording: whose place it takes, and what that exports. */
const replaced = {
  reader: { file: "bytes/reader.ts", exports: 'export { Reader } from "RECORDING"' },
  writer: { file: "bytes/writer.ts", exports: 'export { Writer } from "RECORDING"' },
  der: {
    file: "x509/der/der.ts",
    exports:
      'export { contextConstructed, contextPrimitive, Tag } from "plain:der"; export { Der, readWhole } from "RECORDING"',
  },
}

/** An esbuild plugin. */
export const instrument = {
  name: "instrument",
  setup(build) {
    build.onResolve({ filter: /^plain:\w+$/ }, ({ path }) => ({
      path: `${sources}/${replaced[path.slice("plain:".length)].file}`,
      namespace: "plain",
    }))
    build.onLoad({ filter: /.*/, namespace: "plain" }, ({ path }) => ({
      contents: readFileSync(path, "utf8"),
      loader: "ts",
      resolveDir: dirname(path),
    }))
    build.onLoad({ filter: /packages\/tls13\/src\/(bytes\/(reader|writer)|x509\/der\/der)\.ts$/ }, ({ path }) => {
      const name = Object.keys(replaced).find((each) => path.endsWith(replaced[each].file))
      const contents = replaced[name].exports.replaceAll("RECORDING", `${recording}/${name}.ts`)
      return { contents, loader: "ts", resolveDir: recording }
    })
    build.onResolve({ filter: /^explorer:rules$/ }, ({ path }) => ({ path, namespace: "explorer" }))
    build.onLoad({ filter: /.*/, namespace: "explorer" }, () => ({
      contents: `export const rules = ${JSON.stringify(ruleTable())}`,
      loader: "js",
    }))
    build.onLoad({ filter: /packages\/tls13\/src\/.*\.ts$/ }, ({ path }) => ({
      contents: instrumented(relative(sources, path), readFileSync(path, "utf8")),
      loader: "ts",
      resolveDir: dirname(path),
    }))
  },
}

/** @param file below packages/tls13/src */
export function instrumented(file, text) {
  const needed = []
  let out = text
  if (checks.some((check) => check.file === file)) {
    out = withCuts(file, out)
    needed.push(`import { isCut } from "${recording}/cut.ts";`)
  }
  const withErrors = notingErrors(file, out)
  if (withErrors !== out) needed.push(`import { seen } from "${recording}/noticed.ts";`)
  out = withErrors
  if (file.startsWith("codec/") || echCodec.includes(file)) out = notingFields(file, out)
  if (file.startsWith("x509/") && file !== "x509/der/der.ts") out = notingDer(file, out)
  if (judging.includes(file)) {
    needed.push(`import { ruled } from "${recording}/rules.ts";`)
    out = notingRules(file, out)
  }
  return needed.join(" ") + out
}

/* ---------------------------------------------------------------- fields */

/** What Encrypted Client Hello reads and writes beside the codec, which knows it as bytes. */
const echCodec = ["ech/client-hello.ts", "ech/config.ts"]

const reading = "uint8|uint16|uint24|uint32|bytes|rest|vector8|vector16|vector24|uint16List|uint16ShortList"

function notingFields(file, text) {
  return text
    .split("\n")
    .map((line, index) =>
      line.trimStart().startsWith("//") || line.trimStart().startsWith("*")
        ? line
        : line.replace(new RegExp(`\\.(${reading})\\(`, "g"), (call, method, at) => {
            const name = nameOfValue(line.slice(0, at), line.slice(at + call.length))
            return `.at(${JSON.stringify(`${file}:${index + 1}:${name}`)}).${method}(`
          }),
    )
    .join("\n")
}

/** The name that a line gives to what it reads or writes, as the RFC writes names. */
function nameOfValue(before, after) {
  const name =
    /^\s*"([\w]+)"/.exec(after)?.[1] ??
    /(\w+):\s*[\w.#!]+$/.exec(before)?.[1] ??
    /\bconst (\w+)(?::[^=]+)?\s*=\s*[\w.#!]+$/.exec(before)?.[1] ??
    /^\((\w+)\)\s*=>/.exec(after)?.[1] ??
    /^(?:[\w!]+\.)*(\w+)!?\s*[,)]/.exec(after)?.[1] ??
    ""
  return /^\d+$/.test(name) ? "" : name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}

/* ---------------------------------------------------------------- certificates */

const derReading =
  "sequence|enter|optional|content|element|skip|boolean|defaultFalse|integer|unsigned|small|bitString|namedBits|octetString|null|oid"

function notingDer(file, text) {
  return text
    .split("\n")
    .map((line, index) =>
      line.replace(
        new RegExp(`(?<=\\w)\\.(${derReading})\\(`, "g"),
        (_, method) => `.sited("${file}:${index + 1}:").${method}(`,
      ),
    )
    .join("\n")
}

/** Where the rules of a path are. */
const judging = ["x509/path/path-rules.ts", "x509/path/path.ts", "x509/path/policy.ts", "x509/names/name.ts"]
const rule = /^(?:export )?function (\w+)\([^()]*\): X509Error \| undefined \{$/gm

/** `leafProblem = ruled("leafProblem", "x509/path/path-rules.ts:48", leafProblem)` behind the last line: whoever calls it is heard. */
function notingRules(file, text) {
  return (
    text +
    rulesOf(text)
      .map(({ name, line }) => `${name} = ruled("${name}", "${file}:${line}", ${name});`)
      .join(" ")
  )
}

function rulesOf(text) {
  return [...text.matchAll(rule)].map((match) => ({ name: match[1], at: match.index, line: lineAt(text, match.index) }))
}

function lineAt(text, at) {
  return text.slice(0, at).split("\n").length
}

/** Every reason that a rule can give, in the order of the sources. */
function ruleTable() {
  return judging.flatMap((file) => {
    const text = readFileSync(`${sources}/${file}`, "utf8")
    const lines = text.split("\n")
    const rules = rulesOf(text)
    return [...text.matchAll(/new X509Error\(\s*"(\w+)"/g)].flatMap((match) => {
      const within = rules.findLast(({ at }) => at < match.index)
      const line = lineAt(text, match.index)
      const ends = within && text.indexOf("\n}", within.at)
      if (within === undefined || match.index > ends) return []
      return [
        {
          rule: within.name,
          file,
          line,
          reason: match[1],
          cited: sectionAbove(lines, line - 1, documentOf(file, lines)),
        },
      ]
    })
  })
}

/* ---------------------------------------------------------------- errors */

const errors =
  "PeerMisbehaved|PeerIncompatible|InvalidMessage|CertificateRejected|LimitExceeded|PeerAlert|Closed|X509Error|InvalidKeyShare"

function notingErrors(file, text) {
  const lines = text.split("\n")
  return lines
    .map((line, index) =>
      line.replace(new RegExp(`\\bnew (${errors})\\(`, "g"), (_, name) => {
        const place = `${file}:${index + 1}:${sectionAbove(lines, index, documentOf(file, lines))}`
        return `new (seen(${JSON.stringify(place)}, ${name}))(`
      }),
    )
    .join("\n")
}

/** What is cited on the line or nearest above it, within the function; else at the head of the file: `RFC 9846 section 5.2`. */
function sectionAbove(lines, index, document) {
  for (let at = index; at >= 0 && at > index - 25; at--) {
    const found = cited(lines[at], document)
    if (found) return found
    if (at < index && /^(?:export )?(?:async )?(?:function|class)\b/.test(lines[at])) {
      // A function's own comment stands above it.
      for (let above = at - 1; above >= 0 && /^\s*(?:\*|\/\*\*|\/\/)/.test(lines[above]); above--) {
        const own = cited(lines[above], document)
        if (own) return own
      }
      break
    }
  }
  const head = lines
    .slice(
      0,
      lines.findIndex((line) => !line.startsWith("//")),
    )
    .join(" ")
  // "WAIT_SH of appendix A.1: ServerHello (section 4.2.3)": the state's name says less than the message's section.
  return cited(head.replace(/[Aa]ppendix \S+/, ""), document) ?? cited(head, document) ?? ""
}

/** Whose sections a file cites without a name: those of RFC 9846, but in x509/ those of the document that its head names first. */
function documentOf(file, lines) {
  const head = lines.slice(0, 4).join(" ")
  return (file.startsWith("x509/") && /RFC (\d{4})/.exec(head)?.[1]) || "9846"
}

function cited(text, document) {
  const found = /(?:RFC (\d{4}),? )?(?:([Ss]ections?|[Aa]ppendix) )?([A-E]\.\d[\d.]*\d|[A-E]\.\d|\d+(?:\.\d+)*)/g
  for (const [, named, word, section] of text.matchAll(found)) {
    if (named === undefined && word === undefined) continue
    // "RFC 9846 5.2", but not "RFC 9846" alone.
    if (word === undefined && !section.includes(".")) continue
    return `RFC ${named ?? document} ${word?.toLowerCase().startsWith("a") ? "appendix" : "section"} ${section}`
  }
  return undefined
}

/* ---------------------------------------------------------------- checks */

function withCuts(file, text) {
  let out = text
  for (const check of checks.filter((row) => row.file === file)) {
    const { name, condition } = check
    const replacements = [
      condition === undefined
        ? [check.find, check.replace]
        : [`if (${condition})`, `if (!isCut(${JSON.stringify(name)}) && (${condition}))`],
      ...(check.also ?? []),
    ]
    for (const [find, replace] of replacements) {
      const parts = out.split(find)
      if (parts.length !== 2) {
        throw new Error(
          `checks.mjs: ${name}: ${JSON.stringify(find)} stands ${parts.length - 1} times in ${file}, not once`,
        )
      }
      out = parts.join(replace)
    }
  }
  return out
}
