// Rows of the table over TCP, one byte at a time: what a broker says does not depend on how it is sent.

import { readFileSync } from "node:fs"
import { expect, it, onTestFinished } from "vitest"
import { createBroker } from "../../src/platform/node.ts"
import { brokers } from "./brokers.ts"
import { made } from "./made/index.ts"
import { play, type Stage } from "./play.ts"
import type { Row } from "./row.ts"
import { tcpLine } from "./tcp-line.ts"
import { readRows } from "./text.ts"

/** Of each file so many, evenly. */
const perFile = 24
/** Bytes that a row may send. */
const most = 1000

function chosen(name: string): Row[] {
  const text = readFileSync(new URL(`../../../../test-vectors/mqtt/${name}.txt`, import.meta.url), "utf8")
  const rows = readRows(text).filter(isQuick)
  return rows.filter(
    (_, i) => Math.floor((i * perFile) / rows.length) !== Math.floor(((i - 1) * perFile) / rows.length),
  )
}

/** Without time that passes, names that are drawn, methods of the table's own, or much to send. */
function isQuick({ steps, name, broker }: Row): boolean {
  if (broker !== undefined && brokers[broker]?.threeSteps === true) return false
  let bytes = 0
  for (const step of steps) {
    if (step.does === "waits") return false
    if (step.does === "sends") bytes += step.bytes.length
  }
  return bytes <= most && !name.startsWith("no Client Identifier")
}

it.each(Object.keys(made))("%s: rows over TCP, byte by byte", { timeout: 120_000 }, async (name) => {
  const rows = chosen(name)
  expect(rows.length).toBeGreaterThan(10)
  const wrong: string[] = []
  for (const row of rows) {
    const { limits, features, checksPayloadFormat, responseInformation, elsewhere } = brokers[row.broker ?? "plain"]!
    const broker = createBroker({
      listeners: [{ type: "tcp", host: "127.0.0.1", port: 0 }],
      sysInterval: 0,
      limits,
      features,
      checkPayloadFormat: checksPayloadFormat,
      responseInformation,
      serverReference: elsewhere === undefined ? undefined : { server: elsewhere, when: "always" },
    })
    onTestFinished(() => broker.close())
    const [address] = await broker.listen()
    const open = () => tcpLine({ host: "127.0.0.1", port: address!.port, pieces: true })
    const stage: Stage = { open, wait: () => undefined }
    const fault = await play(row, stage)
    if (fault !== undefined) wrong.push(fault)
    await broker.close()
  }
  expect(wrong).toEqual([])
})
