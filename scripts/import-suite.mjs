// `npm run import-suite -- --suite DIR`: what "puremq import" makes of the configurations that Mosquitto, NanoMQ and EMQX ship, from a
// folder with mosquitto/mosquitto.conf, nanomq/*.conf and emqx/*, of which nothing is kept here.

import { spawnSync } from "node:child_process"
import { resolve } from "node:path"
import { fileURLToPath } from "node:url"

const [option, folder, ...more] = process.argv.slice(2)
if (option !== "--suite" || folder === undefined || more.length > 0) {
  console.error("usage: npm run import-suite -- --suite DIR")
  process.exit(2)
}
const { status } = spawnSync("npx", ["vitest", "run", "packages/broker/tests/import/shipped.test.ts"], {
  cwd: fileURLToPath(new URL("..", import.meta.url)),
  env: { ...process.env, IMPORT_SUITE: resolve(folder) },
  stdio: "inherit",
})
process.exit(status ?? 1)
