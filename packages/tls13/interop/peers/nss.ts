// NSS: tstclnt, and selfserv in a network namespace of its own.

import { mkdirSync } from "node:fs"
import { files, inFolder, outputOf, psk, textOf, writeFile } from "../files.ts"
import { enterNamespace, requireNamespaces } from "../namespace.ts"
import { Program, type Run } from "../program.ts"
import { Absent } from "../table.ts"
import {
  type ClientPeer,
  type ClientRequest,
  noMadeUpEch,
  type PeerServer,
  type ServerPeer,
  type ServerRequest,
} from "../tls-rows.ts"

async function version(): Promise<string> {
  const text = outputOf("certutil", "--version")
  if (outputOf("sh", "-c", "command -v tstclnt") === undefined) {
    throw new Absent("there is no tstclnt (Debian: libnss3-tools)")
  }
  database ??= makeDatabase()
  await database
  const debian = outputOf("dpkg-query", "-W", "-f", "$" + "{Version}", "libnss3-tools")
  return `NSS ${/(\d+:)?([\d.]+)/.exec(debian ?? text ?? "")?.[2] ?? ""}`
}

const folder = inFolder("nss")
const database_ = `sql:${folder}`

let database: Promise<void> | undefined

async function makeDatabase(): Promise<void> {
  mkdirSync(folder)
  const steps: readonly (readonly [string, ...string[]])[] = [
    ["certutil", "-N", "-d", database_, "--empty-password"],
    ["certutil", "-A", "-d", database_, "-n", "authority", "-t", "CT,CT,", "-i", files.ca],
    ...[
      ["server", files.cert, files.key],
      ["client", files.clientCert, files.clientKey],
    ].flatMap(([name = "", cert = "", key = ""]): [string, ...string[]][] => {
      const both = inFolder(`${name}.p12`)
      return [
        ["openssl", "pkcs12", "-export", "-in", cert, "-inkey", key, "-name", name, "-passout", "pass:x", "-out", both],
        ["pk12util", "-i", both, "-d", database_, "-W", "x", "-K", ""],
      ]
    }),
  ]
  for (const [program, ...args] of steps) {
    const step = new Program(program, args)
    step.endInput()
    await step.succeeds()
  }
}

const not = {
  X25519MLKEM768: "NSS of Debian 12 has no ML-KEM",
  "raw public keys": "NSS has no raw public keys",
  "certificate compression": "NSS of Debian 12 has no certificate compression",
  "Encrypted Client Hello": "NSS of Debian 12 has a draft of Encrypted Client Hello",
  "ECH, rejected": "NSS of Debian 12 has a draft of Encrypted Client Hello",
} as const
/** It takes no early data in its first ten seconds, when it could not know a replay. */
const replayWindow = 11_000
const groupNames: Readonly<Record<string, string>> = { X25519: "x25519", "P-384": "P384" }
const nssGroups = (groups: string) =>
  groups
    .split(":")
    .map((name) => groupNames[name])
    .join(",")
const nssPsk = `0x${psk.hex}:${psk.identity}`

async function connect(run: Run, request: ClientRequest): Promise<void> {
  const { port, groups, certificate, resume, early, text } = request
  // With -A the text is a file's: sent on each connection, as early data where there can be any.
  const sent = resume ? ["-L", "2", "-A", writeFile(`nss-${request.feature}.txt`, early ?? text)] : []
  const client = run.start("tstclnt", [
    ...["-4", "-h", "localhost", "-p", `${port}`, "-d", database_, "-V", "tls1.3:tls1.3", "-v"],
    ...(groups ? ["-I", nssGroups(groups)] : []),
    ...(certificate ? ["-n", "client"] : []),
    ...(request.postHandshake ? ["-E"] : []),
    ...(request.psk ? ["-z", nssPsk] : []),
    ...(resume ? ["-u"] : []),
    ...(early ? ["-Z"] : []),
    ...sent,
  ])
  if (resume) {
    client.endInput()
    await client.succeeds()
    return
  }
  client.write(text)
  if (request.serverSays) {
    const told = textOf(20_000)
    await request.serverSays(told)
    await client.shows(told)
  } else await client.shows(text)
}

export const nssClient: ClientPeer = {
  name: "NSS tstclnt",
  version,
  connect,
  needsClose: ["resumption", "0-RTT"],
  // It ends a connection with an external key when a ticket comes.
  serverArgs: { "external PSK": ["--tickets", "0"] },
  not: { ...not, ...noMadeUpEch },
}

const port = 4435

async function serve(run: Run, request: ServerRequest): Promise<PeerServer> {
  const { group, certificate, early } = request
  enterNamespace(run)
  const program = run.start("selfserv", [
    ...["-p", `${port}`, "-d", database_, "-n", "server", "-V", "tls1.3:tls1.3", "-u", "-v"],
    ...(group ? ["-I", nssGroups(group)] : []),
    ...(certificate && !request.postHandshake ? ["-r", "-r"] : []),
    ...(request.postHandshake ? ["-E", "-r", "-r", "-r", "-r"] : []),
    ...(request.psk ? ["-z", nssPsk] : []),
    ...(early ? ["-Z"] : []),
  ])
  await program.prints(/listening|ready|About to call accept/i)
  if (early) await new Promise((resolve) => setTimeout(resolve, replayWindow))
  return { port, program }
}

export const nssServer: ServerPeer = {
  name: "NSS selfserv",
  async version() {
    const text = await version()
    requireNamespaces()
    return text
  },
  serve,
  /** It answers with the request. */
  requestFor: (text) => `GET / HTTP/1.0\r\n${text.trimEnd()}\r\n\r\n`,
  longest: 9000,
  not: {
    ...not,
    "1 MiB echoed": "selfserv answers with the request, which has no more than 10 kB",
    "external PSK": "selfserv -z takes its certificate all the same, also with tstclnt",
  },
}
