// `npm run explorer`: builds the page and serves it on loopback.

import { readdirSync, readFileSync } from "node:fs"
import { join, relative } from "node:path"
import { gzipSync } from "node:zlib"
import { bundlePage, pageFolder } from "./bundle.mjs"
import { serve } from "./serve.mjs"

const help = `TLS 1.3 seen from inside: a page in which a real client and a real server speak, step by step.

  npm run explorer [-- --port N]     builds the page, serves it on 127.0.0.1 and prints the address
  npm run explorer -- --build        builds it only: packages/explorer/dist works from any static file server

  --port N    0 to 65535; default 8460, and 0 is any that is free
  --build     build and stop
  --help      this text`

const args = process.argv.slice(2)
if (args.includes("--help")) console.log(help)
else await main(args)

async function main(args) {
  let port = 8460
  let onlyBuild = false
  for (let at = 0; at < args.length; at++) {
    if (args[at] === "--build") onlyBuild = true
    else if (args[at] === "--port") port = portOf(args[++at])
    else stop(`unknown option ${args[at]}; see --help`, 2)
  }
  await bundlePage()
  const files = readdirSync(pageFolder).map((name) => readFileSync(join(pageFolder, name)))
  const bytes = files.reduce((sum, file) => sum + gzipSync(file, { level: 9 }).length, 0)
  console.log(
    `explorer: built in ${relative(process.cwd(), pageFolder) || "."}, ${Math.ceil(bytes / 1000)} kB compressed`,
  )
  if (onlyBuild) return
  try {
    const { address } = await serve(pageFolder, port)
    console.log(`explorer: ${address} (Ctrl+C ends it)`)
  } catch (error) {
    stop(`port ${port} cannot be used (${error.code ?? error.message}): choose another with --port N, or 0 for any`)
  }
}

function portOf(text) {
  const port = Number(text)
  if (!/^\d+$/.test(text ?? "") || port > 65_535) stop("--port takes a number from 0 to 65535", 2)
  return port
}

function stop(message, status = 1) {
  console.error(`explorer: ${message}`)
  process.exit(status)
}
