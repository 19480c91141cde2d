// All targets, and the corpus that they begin with.

import { readFileSync } from "node:fs"
import { brokerCore } from "../../broker/fuzz/broker-core.ts"
import { mqttClient } from "../../broker/fuzz/mqtt-client.ts"
import { fromHex } from "../src/bytes/hex.ts"
import type { Target } from "./target.ts"
import { captures, savedTraces } from "./targets/captures.ts"
import { connection } from "./targets/connections.ts"
import { deframer, messages, tickets } from "./targets/decoders.ts"
import { ech } from "./targets/ech.ts"
import { exported, recordings, timestamps } from "./targets/kept.ts"
import { x509 } from "./targets/x509.ts"

export const targetNames = [
  "deframer",
  "messages",
  "tickets",
  "client",
  "server",
  "x509",
  "captures",
  "saved-traces",
  "ech",
  "timestamps",
  "recordings",
  "exported",
  "mqtt-client",
  "broker-core",
] as const
export type TargetName = (typeof targetNames)[number]

/** A file of the corpus: outcome to the input that gave it, hexadecimal bytes or, of the connections, "seed:execution". */
export type Corpus = Readonly<Record<string, string>>

/** The way to this folder: bundled, this module is one folder deeper. */
const inFuzz = import.meta.url.includes("/fuzz/dist/") ? "../" : "./"

export function corpusFile(name: TargetName): URL {
  return new URL(`${inFuzz}corpus/${name}.json`, import.meta.url)
}

export function readCorpus(name: TargetName): Corpus {
  try {
    return JSON.parse(readFileSync(corpusFile(name), "utf8")) as Corpus
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return {}
    throw error
  }
}

export function makeTarget(name: TargetName): Target {
  switch (name) {
    case "client":
    case "server":
      return connection(name)
    case "mqtt-client":
      return mqttClient
    case "broker-core":
      return brokerCore()
    case "x509":
      return x509(new URL(`${inFuzz}../tests/x509/openssl.json`, import.meta.url))
    default: {
      const corpus = Object.values(readCorpus(name)).map(fromHex)
      const targets = { deframer, messages, tickets, captures, "saved-traces": savedTraces, ech }
      return { ...targets, timestamps, recordings, exported }[name](corpus)
    }
  }
}
