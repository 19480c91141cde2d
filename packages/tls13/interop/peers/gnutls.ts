// gnutls-cli, and gnutls-serv in a network namespace of its own.

import { files, outputOf, psk, textOf, writeFile } from "../files.ts"
import { enterNamespace, requireNamespaces } from "../namespace.ts"
import type { Program, Run } from "../program.ts"
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
  const text = outputOf("gnutls-cli", "--version")
  if (text === undefined) throw new Absent("there is no gnutls-cli (Debian: gnutls-bin)")
  return `GnuTLS ${text.split("\n")[0]!.split(" ").at(-1)}`
}

const not = {
  X25519MLKEM768: "GnuTLS of Debian 12 has no ML-KEM",
  "certificate compression": "Debian builds GnuTLS without zlib, brotli and zstd",
  "Encrypted Client Hello": "GnuTLS has no Encrypted Client Hello",
  "ECH, rejected": "GnuTLS has no Encrypted Client Hello",
} as const
const groupNames: Readonly<Record<string, string>> = { X25519: "GROUP-X25519", "P-384": "GROUP-SECP384R1" }

interface Wanted {
  readonly psk?: boolean
  readonly rawKeys?: boolean
}

function priority(groups: string | undefined, { psk: withPsk, rawKeys }: Wanted): string {
  const wanted = groups?.split(":").map((name) => `+${groupNames[name]}`)
  return [
    "NORMAL:-VERS-ALL:+VERS-TLS1.3",
    ...(wanted ? ["-GROUP-ALL", ...wanted] : []),
    ...(withPsk ? ["-KX-ALL", "+ECDHE-PSK"] : []),
    ...(rawKeys ? ["+CTYPE-SRV-RAWPK", "+CTYPE-CLI-RAWPK"] : []),
  ].join(":")
}

async function connect(run: Run, request: ClientRequest): Promise<void> {
  const { port, groups, certificate, resume, early, recordLimit } = request
  const client = run.start("gnutls-cli", [
    ...["127.0.0.1", "-p", `${port}`, "--sni-hostname", "localhost", "--verify-hostname", "localhost"],
    ...["--x509cafile", files.ca, "--priority", priority(groups, request), "--inline-commands"],
    ...(groups ? ["--single-key-share"] : []),
    ...(certificate ? ["--x509certfile", files.clientCert, "--x509keyfile", files.clientKey] : []),
    ...(request.postHandshake ? ["--post-handshake-auth"] : []),
    // It believes a raw key after a look into its own list of known hosts alone.
    ...(request.rawKeys ? ["--insecure", "--rawpkkeyfile", files.clientKey, "--rawpkfile", files.clientPublicKey] : []),
    ...(request.psk ? ["--pskusername", psk.identity, "--pskkey", psk.hex] : []),
    ...(resume ? ["--resume", "--waitresumption"] : []),
    ...(early ? ["--earlydata", writeFile("gnutls-early.txt", early)] : []),
    ...(recordLimit ? ["--recordsize", `${recordLimit}`] : []),
  ])
  await client.prints(resume ? /Handshake was completed[\s\S]*Handshake was completed/ : /Handshake was completed/)
  client.write(request.text)
  if (request.serverSays) return saidTo(client, request.serverSays)
  await client.shows((early ?? "") + request.text)
  if (!request.keyUpdate) return
  // Its own keys; then also ours.
  for (const command of ["^rekey^", "^rekey1^"]) {
    client.write(`${command}\n`)
    await client.prints(/rekey|updated|Update/i)
    client.write(`after ${command.slice(1, -1)}\n`)
    await client.shows(`after ${command.slice(1, -1)}\n`)
  }
}

/** Of a text that is longer than a record it sends one record alone; so the long text is the server's. */
async function saidTo(client: Program, serverSays: (text: string) => Promise<void>): Promise<void> {
  const text = textOf(20_000)
  await serverSays(text)
  await client.shows(text)
}

export const gnutlsClient: ClientPeer = { name: "gnutls-cli", version, connect, not: { ...not, ...noMadeUpEch } }

const port = 4434

async function serve(run: Run, request: ServerRequest): Promise<PeerServer> {
  const { group, certificate, early, recordLimit } = request
  enterNamespace(run)
  const program = run.start("gnutls-serv", [
    ...["--echo", "-p", `${port}`, "--priority", priority(group, request)],
    ...["--x509certfile", files.cert, "--x509keyfile", files.key],
    ...(request.rawKeys ? ["--rawpkkeyfile", files.key, "--rawpkfile", files.serverPublicKey] : []),
    ...(certificate && !request.rawKeys ? ["--x509cafile", files.ca, "--verify-client-cert"] : []),
    ...(certificate && !request.postHandshake ? ["--require-client-cert"] : ["--disable-client-cert"]),
    ...(request.psk ? ["--pskpasswd", writeFile("gnutls-psk.txt", `${psk.identity}:${psk.hex}\n`)] : []),
    ...(early ? ["--earlydata", "--maxearlydata", "4096"] : []),
    ...(recordLimit ? ["--recordsize", `${recordLimit}`] : []),
  ])
  await program.prints(/Echo Server listening on IPv4/)
  return { port, program, askForCertificate: (client) => client.write("**REAUTH**\n") }
}

export const gnutlsServer: ServerPeer = {
  name: "gnutls-serv",
  async version() {
    const text = await version()
    requireNamespaces()
    return text
  },
  serve,
  earlySeen: /resumed session/,
  not,
}
