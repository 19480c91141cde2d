// docs/metrics.md and the table in docs/logs.md are made of the code: `npx vitest run scripts/metrics.test.ts -u` writes the first.

import { readFileSync } from "node:fs"
import { expect, it } from "vitest"
import { metrics } from "../packages/broker/src/admin/metric-table.ts"
import { severities } from "../packages/broker/src/admin/severity.ts"
import { metricsPage } from "./metrics/page.ts"

it("docs/metrics.md says what the table says", async () => {
  await expect(`${metricsPage(metrics)}\n`).toMatchFileSnapshot("../docs/metrics.md")
})

it("docs/logs.md has each event, with its severity", () => {
  const page = readFileSync(new URL("../docs/logs.md", import.meta.url), "utf8")
  const rows = [...page.matchAll(/^\| `([a-z ]+)` \| ([A-Z]+)/gm)].map(([, event, severity]) => [event, severity])
  expect(Object.fromEntries(rows)).toEqual(severities)
})
