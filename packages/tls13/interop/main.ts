// `npm run interop [-- --ci] [--write] [--only TEXT] [--verbose]`: our client, server and broker against those that
// nobody here wrote, as real processes.

import { mkdirSync, writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { inRoot } from "./files.ts"
import { moreFeatures, moreRows } from "./more-rows.ts"
import { basicFeatures, mqttFeatures } from "./mqtt-scenarios.ts"
import { chromiumRow } from "./peers/chromium.ts"
import { gnutlsClient, gnutlsServer } from "./peers/gnutls.ts"
import { curlRow, httpFeatures, httpsRow, undiciRow, wsRow } from "./peers/http.ts"
import { go, java, nodeHere, nodeLatest, python, rustls } from "./peers/languages.ts"
import { mosquittoBrokers, mosquittoClients } from "./peers/mosquitto.ts"
import { aedesRow, mqttJsRows } from "./peers/mqttjs.ts"
import { nssClient, nssServer } from "./peers/nss.ts"
import { opensslClient, opensslServer } from "./peers/openssl.ts"
import { pahoGo, pahoPython } from "./peers/paho.ts"
import { clientProgram, serverProgram } from "./peers/programs.ts"
import { hostileFeatures, hostileRow, plainHttpRow, tls12Row, unwelcomeFeatures } from "./peers/unwelcome.ts"
import { count, finishAll, runTables, type Table, toMarkdown } from "./table.ts"
import { clientRow, serverRow, tlsFeatures } from "./tls-rows.ts"

const help = `Our TLS 1.3 and MQTT against those of others: each peer a row, each feature a column, each cell a real run.

  npm run interop [-- options]

  --ci            leave out what takes long to build or to download and is not there yet
  --only TEXT     only rows whose table or peer has TEXT in its name
  --write         write the tables to docs/interop.md
  --verbose       show what the programs of a failed cell printed
  --jobs N        rows at a time; default 2

The exit status is 0 when no cell failed. A peer that is not here is a skipped row.`

const values = readOptions()

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => finishAll().finally(() => process.exit(130)))
}

if (values.help) console.log(help)
else process.exitCode = await main()

function readOptions() {
  try {
    return parseArgs({
      options: {
        ci: { type: "boolean", default: false },
        only: { type: "string", default: "" },
        write: { type: "boolean", default: false },
        verbose: { type: "boolean", default: false },
        jobs: { type: "string", default: "2" },
        help: { type: "boolean", default: false },
      },
    }).values
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    const unknown = /^Unknown option '([^']+)'/.exec(message)
    console.error(`interop: ${unknown ? `unknown option ${unknown[1]}` : message.split("\n")[0]}; see --help`)
    return process.exit(2)
  }
}

async function main(): Promise<number> {
  const options = { quick: values.ci }
  const programs = [nodeHere, nodeLatest, go, rustls(options), python, java]
  const tables: Table[] = [
    {
      title: "TLS clients with `tls13 serve`",
      columns: tlsFeatures,
      rows: [opensslClient, gnutlsClient, nssClient, ...programs.map(clientProgram)].map(clientRow),
    },
    {
      title: "TLS servers with `tls13 connect`",
      columns: tlsFeatures,
      rows: [opensslServer, gnutlsServer, nssServer, ...programs.map(serverProgram)].map(serverRow),
    },
  ]
  tables.push(
    { title: "Groups and signatures of `crypto/more`, and ML-DSA", columns: moreFeatures, rows: moreRows(options) },
    {
      title: "MQTT clients with `puremq start`",
      columns: mqttFeatures,
      rows: [...mosquittoClients, ...mqttJsRows, ...pahoPython, ...pahoGo],
    },
    {
      title: "MQTT brokers with `puremq pub` and `puremq sub`",
      columns: basicFeatures,
      rows: [...mosquittoBrokers, aedesRow],
    },
    { title: "HTTP and WebSocket", columns: httpFeatures, rows: [curlRow, httpsRow, undiciRow, wsRow, chromiumRow] },
    { title: "Unwelcome clients of `puremq start`", columns: unwelcomeFeatures, rows: [tls12Row, plainHttpRow] },
    { title: "Hostile clients of `puremq start`", columns: hostileFeatures, rows: [hostileRow(console.log)] },
  )
  const { only, verbose } = values
  const results = await runTables(tables, { jobs: Number(values.jobs), only, verbose, say: console.log })
  const markdown = toMarkdown(results)
  console.log(`\n${markdown}`)
  if (values.write) write(markdown)
  const { passed, failed, skipped } = count(results)
  console.log(`interop: ${passed} passed, ${failed} failed, ${skipped} skipped`)
  return failed > 0 ? 1 : 0
}

function write(markdown: string): void {
  const date = new Date().toISOString().slice(0, 10)
  const head = [
    "# Interoperability",
    "",
    `Made by \`npm run interop -- --write\` on ${date}, Node ${process.versions.node}. Each cell is a real run between`,
    'processes: "yes" passed, "-" is what the peer cannot do, with the reason below the table.',
    "",
    "",
  ].join("\n")
  mkdirSync(inRoot("docs"), { recursive: true })
  writeFileSync(inRoot("docs/interop.md"), head + markdown)
}
