// docs/coming-from.md is made of the tables of "puremq import": `npx vitest run scripts/coming-from.test.ts -u` writes it.

import { expect, it } from "vitest"
import { emqxListenerRows, emqxRows } from "../packages/broker/src/config/import/emqx-rows.ts"
import { bridgeRows, generalRows, listenerRows } from "../packages/broker/src/config/import/mosquitto-rows.ts"
import { nanomqListenerRows, nanomqRows } from "../packages/broker/src/config/import/nanomq-rows.ts"
import { knownPath } from "../packages/broker/src/config/import/our-options.ts"
import { comingFromPage } from "./coming-from/page.ts"

const all = [generalRows, listenerRows, bridgeRows, nanomqRows, nanomqListenerRows, emqxRows, emqxListenerRows].flatMap(
  (rows) => Object.entries(rows),
)

it("docs/coming-from.md says what the tables say", async () => {
  await expect(`${comingFromPage()}\n`).toMatchFileSnapshot("../docs/coming-from.md")
})

it.each(all)("%s becomes an option that there is, or says why there is none", (_, { to, why, read, special }) => {
  if (to !== undefined && to !== "" && special !== true) expect(knownPath(to), to).toBe(true)
  if (to === undefined) expect(why ?? read).toBeDefined()
})
