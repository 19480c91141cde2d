// Sequences that once were found, as "seed:execution": what was found, to what brings it back.

import { readFileSync, writeFileSync } from "node:fs"

export type Corpus = Readonly<Record<string, string>>

/** Bundled, this module is in another package's folder. */
const folder = import.meta.url.includes("/dist/") ? "../../../broker/fuzz/corpus/" : "./corpus/"

function corpusFile(): URL {
  return new URL(`${folder}broker.json`, import.meta.url)
}

export function readBrokerCorpus(): Corpus {
  return JSON.parse(readFileSync(corpusFile(), "utf8")) as Corpus
}

export function addToBrokerCorpus(found: Corpus): void {
  const sorted = Object.entries({ ...found, ...readBrokerCorpus() }).sort(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(corpusFile(), `${JSON.stringify(Object.fromEntries(sorted), null, 1)}\n`)
}
