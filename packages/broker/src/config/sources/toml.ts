// TOML, by smol-toml, with the places of values and of what is wrong.

import { parse, TomlError } from "smol-toml"
import { type Document, deepest, SyntaxProblem } from "./document.ts"
import { tomlPlaces } from "./toml-places.ts"

/** Throws SyntaxProblem. */
export function readToml(text: string): Document {
  try {
    return { value: parse(text, { maxDepth: deepest }), places: tomlPlaces(text) }
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const { line, column } = error
    const clause = clauseOf(error.message)
    const advice = clause.startsWith("control characters")
      ? "; a text ends with its quote in the same line"
      : adviceFor(text.split("\n")[line - 1] ?? "")
    throw new SyntaxProblem(`${clause}${advice}`, { line, column })
  }
}

/** Without its introduction, and without the lines that it shows. */
function clauseOf(message: string): string {
  const [line = ""] = message.replace(/^Invalid TOML document: /, "").split("\n")
  return line.trim()
}

/** What people write who have another format in their hands. */
function adviceFor(line: string): string {
  if (/^\s*\w[\w.-]*\s*:(\s|$)/.test(line)) return "; a value is given by =, as in port = 8883"
  if (/^\s*(\/\/|\/\*|;)/.test(line)) return "; a comment begins with #"
  if (/^\s*[{}]/.test(line)) return "; JSON is for a file that ends in .json"
  const [, key = "", value = ""] = /^\s*([\w.-]+)\s*=\s*([^"'[{\s][^#]*?)\s*(?:#.*)?$/.exec(line) ?? []
  if (/^[A-Za-z_/.][^"']*$/.test(value) || /^\d+[A-Za-z]+$/.test(value) || /^\d+\.\d+\.\d+/.test(value))
    return `; a text stands in quotes, as in ${/password|secret|token/i.test(key) ? `${key} = "..."` : JSON.stringify(value)}`
  const [, name = ""] = /^\s*(\w[\w.-]*)\s+[^=\s]/.exec(line) ?? []
  if (name !== "" && !line.includes("=")) return `; a value is given by =, as in ${name} = ...`
  return ""
}
