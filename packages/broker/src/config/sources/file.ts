// The configuration file: TOML or JSON, by its name, or else by how it begins.

import { ConfigError } from "../config.ts"
import { configurationFile, readText } from "../text-file.ts"
import { type Document, SyntaxProblem } from "./document.ts"
import { readJson } from "./json.ts"
import { readToml } from "./toml.ts"

/** Throws ConfigError, for a text that is neither with line and column. */
export function readConfigurationFile(path: string): Document {
  const text = readText(path, configurationFile)
  const isJson = path.endsWith(".json") || (!path.endsWith(".toml") && text.trimStart().startsWith("{"))
  try {
    return isJson ? readJson(text) : readToml(text)
  } catch (error) {
    if (!(error instanceof SyntaxProblem)) throw error
    const { line, column } = error.place
    throw new ConfigError(`${path}:${line}:${column}: this is not ${isJson ? "JSON" : "TOML"}: ${error.message}`)
  }
}
